"""%timeit: IPython's line, and what is new below it."""

import math
import re

import pytest

TIME = r"[\d.]+(?:e[+-]?\d+)? (?:ns|μs|ms|s)"
LINE = rf"({TIME}) ± ({TIME}) per loop \(mean ± std\. dev\. of (\d+) runs?, ([\d,]+) loops? each\)"

NS = {"ns": 1, "μs": 1e3, "ms": 1e6, "s": 1e9}


def nanoseconds(text):
    number, unit = text.split()
    return float(number) * NS[unit]


def summary(text):
    """The parts of IPython's line, which may stand below its warning."""
    found = [match for line in text.splitlines() if (match := re.fullmatch(LINE, line))]
    assert len(found) == 1, text
    return found[0].groups()


def test_the_text_is_ipythons_line_and_the_heap(kernel):
    cell = kernel.run("%timeit std::hint::black_box(vec![1u32; 100]).len()")
    mean, deviation, runs, loops = summary(cell.text)
    assert runs == "7"
    assert int(loops.replace(",", "")) == cell.json["loops"]
    assert math.isclose(nanoseconds(mean), cell.json["average"], rel_tol=0.01)
    assert math.isclose(nanoseconds(deviation), cell.json["stdev"], rel_tol=0.01)
    assert re.search(
        r"^\d+ B in 1 allocation per loop, peak memory: [\d.]+ MiB, increment: [\d.]+ MiB$",
        cell.text,
        re.MULTILINE,
    ), cell.text


def test_the_data_has_every_run(kernel):
    data = kernel.run("%timeit -n 50 -r 4 vec![0u8; 64]").json
    assert set(data) == {
        "magic", "loops", "repeat", "all_runs", "timings", "best", "worst", "average", "stdev",
        "compile_time", "clock", "isolated", "threads", "empty_loop", "clock_error", "grown", "restarts",
        "outlasting", "memory",
    }
    assert (data["magic"], data["loops"], data["repeat"]) == ("timeit", 50, 4)
    assert (data["clock"], data["isolated"], data["threads"]) == ("wall", True, 1)
    assert len(data["all_runs"]) == len(data["timings"]) == 4
    for total, per_loop in zip(data["all_runs"], data["timings"]):
        assert math.isclose(per_loop, total / 50)
    mean = sum(data["timings"]) / 4
    assert math.isclose(data["average"], mean)
    assert data["best"] == min(data["timings"])
    assert data["worst"] == max(data["timings"])
    variance = sum((t - mean) ** 2 for t in data["timings"]) / 4
    assert math.isclose(data["stdev"], math.sqrt(variance), abs_tol=1e-9)
    assert data["compile_time"] > 1_000_000


def test_heap_is_counted_for_each_loop(kernel):
    memory = kernel.run("%timeit -r 1 vec![0u8; 64]").json["memory"]
    assert memory["allocations"] == 1
    # As glibc hands it out: 64 bytes and what is left of the block.
    assert 64 <= memory["heap_allocated"] <= 80
    assert memory["heap_retained"] == 0
    assert kernel.run("%timeit -r 1 std::hint::black_box(1u64)").json["memory"]["allocations"] == 0
    assert kernel.run("%timeit -n 100 (vec![0u8; 64], vec![0u8; 64])").json["memory"]["allocations"] == 2


def test_there_is_a_view_for_notebooks(kernel):
    html = kernel.run("%timeit -n 10 vec![0u8; 64]").display["text/html"]
    assert "per loop" in html
    assert "<script" not in html


def test_the_number_of_loops_is_a_power_of_ten_that_takes_long_enough(kernel):
    kernel.run("fn of_some_microseconds() -> u64 { (0..10_000u64).fold(1, |a, i| std::hint::black_box(a ^ i)) }")
    data = kernel.run("%timeit -r 2 of_some_microseconds()").json
    assert str(data["loops"]).strip("0") == "1"
    # A run takes 0.2 s or more; the last may have been quicker than the one that decided.
    assert max(data["all_runs"]) > 0.1e9
    assert max(data["all_runs"]) < 20e9


@pytest.mark.parametrize("options, loops, repeat", [
    ("-n 30 -r 2", 30, 2),
    ("-n30 -r2", 30, 2),
    ("--number 30 --repeat=2", 30, 2),
    ("-qn 30 -r 1", 30, 1),
])
def test_loops_and_runs_can_be_chosen(kernel, options, loops, repeat):
    cell = kernel.run(f"%timeit -v chosen_by_options {options} vec![0u8; 64]")
    assert kernel.value("(chosen_by_options.loops, chosen_by_options.repeat)") == f"({loops}, {repeat})"
    assert len(cell.displays) == (0 if "q" in options else 1)


def test_a_time_is_what_the_clock_says(kernel):
    nap = "std::thread::sleep(std::time::Duration::from_millis(20))"
    data = kernel.run(f"%timeit -n 2 -r 3 {nap}").json
    assert 20e6 <= data["best"] < 40e6
    wall = kernel.run(f"%timeit -t -n 2 -r 1 {nap}").json
    assert wall["clock"] == "wall"


def test_processor_time_does_not_count_waiting(kernel):
    nap = "std::thread::sleep(std::time::Duration::from_millis(20))"
    cell = kernel.run(f"%timeit -c -n 2 -r 3 {nap}")
    assert cell.json["clock"] == "cpu"
    assert cell.json["average"] < 5e6
    assert "CPU time" in cell.text


def test_the_digits_shown_can_be_chosen(kernel):
    def digits():
        mean, *_ = summary(kernel.run("%timeit -p 7 -n 7 -r 3 vec![1u8; 1000]").text)
        return len(re.sub(r"\D", "", mean))

    # One mean in about twenty is a round number.
    assert any(digits() >= 5 for _ in range(5))


def test_quiet_returned_and_bound(kernel):
    cell = kernel.run("%timeit -q -o -v bound_time -n 10 -r 3 vec![0u8; 64]")
    assert cell.displays == []
    assert re.fullmatch(rf"<TimeitResult : {LINE}>", cell.result)
    assert kernel.value("bound_time.all_runs.len()") == "3"
    assert kernel.value("bound_time.memory.as_ref().unwrap().allocations") == "1.0"
    assert kernel.value("bound_time.best <= bound_time.average") == "true"
    assert kernel.run("%timeit -q -n 1 -r 1 1").outputs == []


def counter(path):
    """A snippet that leaves a byte behind each time it is run, even in a fork."""
    return (
        "std::io::Write::write_all(&mut std::fs::OpenOptions::new().create(true).append(true)"
        f'.open("{path}").unwrap(), b"x").unwrap();'
    )


def test_the_set_up_is_run_once_for_each_run_and_not_timed(kernel, tmp_path):
    nap = "std::thread::sleep(std::time::Duration::from_millis(30));"
    data = kernel.run(
        f"%%timeit -n 10 -r 3 {nap} {counter(tmp_path / 'setup')}\n{counter(tmp_path / 'body')}"
    ).json
    assert data["best"] < 10e6
    # Three runs, and the pass that counts the heap.
    assert len((tmp_path / "setup").read_bytes()) == 4
    assert 30 < len((tmp_path / "body").read_bytes()) <= 40


def test_fresh_runs_the_set_up_before_every_execution(kernel, tmp_path):
    nap = "std::thread::sleep(std::time::Duration::from_millis(10));"
    data = kernel.run(
        f"%%timeit --fresh -n 5 -r 2 {nap} {counter(tmp_path / 'setup')}\n"
        f"{counter(tmp_path / 'body')}"
    ).json
    assert data["best"] < 5e6
    setups, bodies = ((tmp_path / name).read_bytes() for name in ("setup", "body"))
    assert len(setups) == len(bodies)
    assert 10 < len(bodies) <= 15


def test_a_sort_is_measured_on_unsorted_input_with_fresh(kernel):
    kernel.run("let shuffled: Vec<u64> = (0..50_000).map(|i| i * 48_271 % 50_021).collect();")
    fresh = kernel.run(
        "%%timeit --fresh -n 5 -r 3 let mut w = shuffled.clone();\n"
        "assert!(!w.is_sorted()); w.sort_unstable()"
    ).json
    again = kernel.run("%%timeit -n 5 -r 3 let mut w = shuffled.clone(); w.sort_unstable();\nw.sort_unstable()").json
    assert fresh["best"] > 3 * again["best"]
    # The clone belongs to the set-up.
    assert fresh["memory"]["allocations"] == 0
    assert kernel.value("shuffled.is_sorted()") == "false"


def test_fresh_may_consume_what_the_set_up_makes(kernel):
    kernel.run("let to_consume = vec![1u8; 1000];")
    data = kernel.run("%%timeit -f -n 10 -r 2 let w = to_consume.clone();\ndrop(w)").json
    assert data["memory"]["heap_retained"] <= 0


@pytest.mark.parametrize("setup, statement, most", [
    ("let q = 1;", "()", 1),
    ("let v = vec![1u8; 16];", "v.len()", 2),
    ("let a = String::from(\"a b\"); let b: Vec<&str> = a.split(' ').collect();", "b.len()", 2),
    # Statements that have to follow their set-up.
    ("let _guard = 1; let v = vec![1u8; 16];", "v.len()", 20),
], ids=["nothing", "length", "borrowed", "alone"])
def test_fresh_adds_no_time_of_its_own(kernel, setup, statement, most):
    data = kernel.run(f"%%timeit --fresh -r 3 {setup}\n{statement}").json
    assert data["best"] < most
    assert data["clock_error"] < most


@pytest.mark.parametrize("setup, statement", [
    ("let guard = fresh_lock.lock().unwrap();", "*guard"),
    ("let guard = fresh_cell.borrow_mut();", "*guard"),
    ("let x = 1;", "fresh_grown.push(x)"),
    ("fresh_grown.clear();", "fresh_grown.push(1); assert_eq!(fresh_grown.len(), 1)"),
    ("let path = { std::fs::write(FRESH_FILE, \"x\")?; FRESH_FILE };", "std::fs::remove_file(path)?"),
], ids=["lock", "borrow", "session", "effect", "file"])
def test_set_ups_that_share_something_run_right_before_their_statements(kernel, tmp_path, setup, statement):
    kernel.run(
        "let fresh_lock = std::sync::Mutex::new(1); let fresh_cell = std::cell::RefCell::new(1);"
        f'let mut fresh_grown = vec![1]; const FRESH_FILE: &str = "{tmp_path}/fresh";'
    )
    assert kernel.run(f"%%timeit --fresh -n 20 -r 2 {setup}\n{statement}").json["loops"] == 20
    assert kernel.value("fresh_grown.len()") == "1"


@pytest.mark.parametrize("statement", [
    "letters.remove(25)", "-n 5 numbers.next().unwrap()", "-n 5 letters.drain(0..20).count()",
    "numbers.next().ok_or(\"no more\")?",
])
def test_a_failure_that_fresh_would_prevent_says_so(kernel, statement):
    kernel.run("let mut letters: Vec<char> = ('a'..='z').collect(); let mut numbers = vec![1].into_iter();")
    cell = kernel.fails(f"%timeit {statement}")
    assert "ran well once" in cell.traceback
    assert "%%timeit --fresh" in cell.traceback


def test_a_failure_at_the_first_execution_does_not_point_to_fresh(kernel):
    for code in ("%timeit vec![1][std::hint::black_box(1)]", '%timeit -n 5 "x".parse::<u8>()?'):
        assert "--fresh" not in kernel.fails(code).traceback


def test_an_error_names_the_users_variables_only(kernel):
    kernel.run('let moved_by_timeit = String::from("a");')
    for code in (
        '%timeit moved_by_timeit + "x"',
        "%%timeit let v = moved_by_timeit; let w = v;\nw.len()",
        "%%timeit -n 2 let s = std::collections::HashSet::from([1]);\ns.into_iter().sum::<i32>()",
    ):
        cell = kernel.fails(code, "CompileError")
        assert "memit" not in cell.traceback.replace("moved_by_timeit", "").replace("timeit", "")
        assert cell.traceback.count("error[") == 1
        assert "--fresh" in cell.traceback


@pytest.mark.parametrize("code", [
    "%timeit -n 20000000 -r 2 grown_in_loops.push(1)",
    "%timeit -n 300000 -r 2 std::mem::forget(std::hint::black_box(vec![1u8; 100]))",
    '%%timeit -n 1000000 -r 2 let mut log = vec![];\nlog.push("entry".to_string())',
])
def test_statements_that_grow_something_are_told_with_their_peak(kernel, code):
    kernel.run("let mut grown_in_loops: Vec<u32> = vec![];")
    cell = kernel.run(code)
    assert "the statements grow what they work on" in cell.text
    assert cell.json["grown"] > 8 << 20
    assert cell.json["memory"]["increment"] > 8 << 20
    assert kernel.value("grown_in_loops.len()") == "0"


def test_statements_that_only_take_much_memory_do_not_grow(kernel):
    for code in ("%timeit -n 3 -r 1 vec![1u8; 100 << 20]", "%timeit -n 100000 -r 2 vec![1u8; 100].len()"):
        data = kernel.run(code).json
        assert (data["grown"], data["restarts"]) == (0, 0)


def test_fresh_needs_a_set_up(kernel):
    cell = kernel.fails("%timeit --fresh 1 + 1", "MagicError")
    assert "`--fresh` needs a set-up" in cell.content["evalue"]
    assert "%%timeit --fresh" in cell.traceback


def test_consuming_a_variable_is_an_error_that_points_to_fresh(kernel):
    kernel.run("let consumed_by_timeit = vec![1u8; 1000];")
    cell = kernel.fails("%timeit drop(consumed_by_timeit)", "CompileError")
    assert "%%timeit --fresh" in cell.traceback
    assert kernel.value("consumed_by_timeit.len()") == "1000"


def test_changes_of_a_variable_do_not_reach_the_session(kernel):
    kernel.run("let mut grown_by_timeit = vec![1u8];")
    kernel.run("%timeit -n 100 -r 2 grown_by_timeit.push(1)")
    assert kernel.value("grown_by_timeit.len()") == "1"


def test_work_that_the_compiler_may_have_removed_is_noted(kernel):
    # Runs of a millisecond: some of them are not disturbed by others on the machine.
    note = "the statements take a few cycles at most, or the compiler has removed the work"
    kernel.run("let measured = vec![1u8, 2];")
    for cell in [
        "%timeit -n 1000000 -r 50 1 + 1",
        "%timeit -n 1000000 -r 50 measured.len()",
        "%%timeit --fresh -n 100000 -r 50 let copy = measured.clone();\ncopy.len()",
    ]:
        cell = kernel.run(cell)
        assert note in cell.text and "black_box" in cell.text
        assert 0 < cell.json["empty_loop"] < 10
    real = kernel.run("%timeit -r 3 std::hint::black_box(vec![1u8; 1000]).len()")
    assert "removed" not in real.text


def test_work_on_session_variables_is_not_moved_out_of_the_loop(kernel):
    kernel.run("let summed: Vec<u64> = (0..100_000).collect();")
    data = kernel.run("%timeit -r 3 summed.iter().sum::<u64>()").json
    # A tenth of a nanosecond for each number is beyond any processor.
    assert data["best"] > 100_000 * 0.01


def test_a_break_out_of_the_loop_is_an_error(kernel):
    kernel.fails("%timeit -n 10 break")
    assert kernel.value("1 + 1") == "2"


def test_what_a_snippet_prints_is_shown_once(kernel):
    cell = kernel.run('%timeit -n 5 -r 3 println!("once")')
    assert cell.stdout == "once\n" * 5


def test_a_snippet_slower_than_a_run_is_executed_once_in_each(kernel):
    data = kernel.run("%timeit -r 2 std::thread::sleep(std::time::Duration::from_millis(250))").json
    assert data["loops"] == 1
    assert 250e6 <= data["best"] < 400e6


def test_a_run_that_grows_too_much_goes_on_with_the_session_as_it_was(kernel):
    kernel.run('let mut doubled_by_timeit = String::from("x");')
    cell = kernel.run("%timeit -n 50 -r 1 doubled_by_timeit.push_str(&doubled_by_timeit.clone())")
    # 2^50 bytes would be a PiB.
    assert cell.json["restarts"] > 0
    assert "The runs began anew" in cell.text
    assert kernel.value("doubled_by_timeit.len()") == "1"
