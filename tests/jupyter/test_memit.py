"""%memit: what it shows, what it gives back, and that it changes nothing."""

import re

import pytest

from request import MEMIT_JSON

SUMMARY = r"peak memory: \d+\.\d\d MiB, increment: \d+\.\d\d MiB"
SIZE = r"-?\d[\d.]* (?:B|[KMGTPE]iB)(?: \(\d[\d.]* (?:B|[KMGTPE]iB) requested\))?"
HEAP = (
    rf"heap peak: {SIZE}(?:, allocated: {SIZE})? in [\d,]+ allocations?, "
    rf"held after drop: {SIZE}(?:, as it freed memory of the session)? \(\d+ runs?\)"
)


def test_the_text_starts_as_memory_profilers_does(kernel):
    text = kernel.run("%memit vec![1u8; 5 << 20]").text
    assert re.fullmatch(f"{SUMMARY}\n{HEAP}", text), text
    assert "increment: 5.0" in text
    assert "in 1 allocation, held after drop: 0 B (3 runs)" in text


def test_the_data_has_bytes_for_every_repetition(kernel):
    data = kernel.run("%memit vec![1u8; 5 << 20]").json
    assert set(data) == {
        "magic", "runs", "peak_memory", "increment", "isolated", "source", "threads", "children",
        "outlasting",
    }
    assert data["magic"] == "memit"
    assert data["isolated"] is True
    assert data["threads"] == 1
    assert data["source"] == "vmhwm"
    assert data["children"] is False
    assert len(data["runs"]) == 3
    for run in data["runs"]:
        assert set(run) == {
            "baseline_rss", "peak_rss", "increment", "heap_peak", "heap_allocated", "allocations",
            "heap_peak_requested", "heap_allocated_requested", "heap_retained", "wall_ns",
        }
        assert run["increment"] == run["peak_rss"] - run["baseline_rss"]
        assert run["allocations"] == 1
        assert run["heap_retained"] == 0
        assert run["wall_ns"] > 0
    assert data["peak_memory"] == max(run["peak_rss"] for run in data["runs"])
    assert data["increment"] == max(run["increment"] for run in data["runs"])


def test_there_is_a_view_for_notebooks(kernel):
    html = kernel.run("%memit vec![1u8; 5 << 20]").display["text/html"]
    assert "5.0" in html
    assert "<script" not in html


@pytest.mark.parametrize("option", ["-r5", "-r 5", "--repeat 5", "--repeat=5", "-qr1 -r5"])
def test_repetitions_can_be_chosen(kernel, option):
    cell = kernel.run(f"%memit -o {option} vec![1u8; 5]")
    (result,) = cell.of_type("execute_result")
    assert len(result["data"][MEMIT_JSON]["runs"]) == 5


def test_quiet_shows_nothing(kernel):
    for option in ("-q", "--quiet"):
        assert kernel.run(f"%memit {option} -r 1 vec![1u8; 5]").outputs == []


def test_the_result_can_be_the_value_of_the_cell(kernel):
    cell = kernel.run("%memit -q -o -r 1 vec![1u8; 5 << 20]")
    assert re.fullmatch(rf"<MemitResult : {SUMMARY}>", cell.result)
    assert cell.displays == []
    assert len(kernel.run("%memit -o -r 1 1").outputs) == 2


def test_the_result_can_be_bound_to_a_variable(kernel):
    cell = kernel.run("%memit -v bound_memory -r 2 vec![1u8; 5 << 20]")
    assert kernel.value("bound_memory.peak_memory") == str(cell.json["peak_memory"])
    assert kernel.value("bound_memory.runs.len()") == "2"
    assert kernel.value("bound_memory.runs[1].heap_peak") == str(cell.json["runs"][1]["heap_peak"])
    # A second one of the same type can be compared with it.
    kernel.run("%memit -q -v bound_again -r 2 vec![1u8; 15 << 20]")
    assert kernel.value("bound_again.increment > bound_memory.increment") == "true"


def test_a_time_limit_ends_a_run(kernel):
    cell = kernel.fails("%memit -t 0.5 { let v = vec![1u8; 30 << 20]; loop { std::hint::black_box(&v); } }")
    assert cell.content["ename"] == "TimedOut"
    assert "longer than 0.5 s" in cell.content["evalue"]
    peak = re.search(r"peak memory until then: ([\d.]+) MiB", cell.traceback)
    assert float(peak[1]) > 30


def test_the_set_up_is_not_measured(kernel):
    data = kernel.run("%%memit let big = vec![1u8; 20 << 20];\nbig.iter().map(|&b| u64::from(b)).sum::<u64>()").json
    for run in data["runs"]:
        assert run["heap_peak"] == 0
        assert run["allocations"] == 0
        assert run["increment"] < 1 << 20
        assert run["baseline_rss"] > 20 << 20


def test_a_snippet_may_consume_or_change_a_variable_that_the_session_keeps(kernel):
    kernel.run("let kept = vec![7u8; 1 << 20]; let mut grown = vec![1u32, 2];")
    data = kernel.run("%memit drop(kept)").json
    assert all(run["heap_retained"] <= -(1 << 20) for run in data["runs"])
    assert "freed memory of the session" in kernel.run("%memit -r 1 drop(kept)").text
    kernel.run("%memit { grown.push(3); assert_eq!(grown.len(), 3); }")
    kernel.run("%memit { grown.clear(); grown.shrink_to_fit(); }")
    assert kernel.value("kept.iter().all(|&b| b == 7) && kept.len() == 1 << 20") == "true"
    assert kernel.value("format!(\"{grown:?}\")") == '"[1, 2]"'


def test_even_a_variable_that_is_not_mut_may_be_changed(kernel):
    kernel.run("let unchanging = vec![1u8];")
    kernel.run("%memit { unchanging.push(2); assert_eq!(unchanging.len(), 2); }")
    assert kernel.value("unchanging.len()") == "1"


def test_destructors_of_session_variables_do_not_run_in_a_measured_fork(kernel, tmp_path):
    marker = tmp_path / "dropped"
    kernel.run(
        f"""
        struct Telltale(u8);
        impl Drop for Telltale {{
            fn drop(&mut self) {{ std::fs::write("{marker}", "dropped").unwrap(); }}
        }}
        let telltale = Telltale(1);
        let silent_one = 2u8;
        """
    )
    for code in (
        "%memit telltale.0",
        "%memit silent_one",
        "%timeit -n 1 -r 1 telltale.0",
        '%%memit let n = telltale.0;\nstd::hint::black_box(n)',
    ):
        kernel.run(code)
        assert not marker.exists(), code
    kernel.fails('%memit { let n = telltale.0; panic!("{n}") }', "Panic")
    kernel.fails('%memit { let n = telltale.0; std::process::exit(n.into()) }', "ProcessEnded")
    kernel.fails('%memit { let n: u8 = "x".parse()?; n + telltale.0 }', "ReturnedError")
    assert not marker.exists()
    # One that the snippet itself consumes is another matter.
    kernel.run("%memit -r 1 drop(telltale)")
    assert marker.exists()


def test_what_a_snippet_prints_is_shown_exactly_once(kernel):
    cell = kernel.run('%memit { println!("to stdout"); eprintln!("to stderr"); }')
    assert cell.stdout == "to stdout\n"
    assert cell.stderr == "to stderr\n"
    cell = kernel.run('%memit { print!("no line end"); eprint!("nor here"); }')
    assert cell.stdout == "no line end"
    assert cell.stderr == "nor here"
    kinds = [message["msg_type"] for message in cell.outputs]
    assert kinds[-1] == "display_data", "the measurement comes after what it printed"


def test_a_snippet_that_uses_threads_is_measured_in_its_fork(kernel):
    data = kernel.run(
        """%%memit
        let threads: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| vec![1u8; 8 << 20]))
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect::<Vec<_>>()"""
    ).json
    assert data["isolated"] is True
    for run in data["runs"]:
        assert 32 << 20 <= run["heap_peak"] < (32 << 20) + (1 << 20)
        assert 32 << 20 <= run["increment"] < (32 << 20) + (2 << 20)
    # They were threads of the fork, not of the session.
    assert kernel.run("%memit 1").json["threads"] == 1


def test_memory_of_child_processes_can_be_added(kernel):
    script = "x = bytearray(b'x') * (60 << 20); import time; time.sleep(0.5)"
    child = f'std::process::Command::new("python3").args(["-c", "{script}"]).status().unwrap();'
    alone = kernel.run(f"%memit -r 1 {child}")
    assert alone.json["increment"] < 20 << 20
    together = kernel.run(f"%memit -r 1 -c {child}")
    assert together.json["children"] is True
    assert together.json["increment"] > 60 << 20
    assert "child processes are included" in together.text


def test_a_value_is_still_alive_when_the_peak_is_read(kernel):
    data = kernel.run("%memit { let v: Vec<u8> = Vec::with_capacity(1000); v }").json
    assert data["runs"][0]["heap_peak"] >= 1000
    assert data["runs"][0]["heap_retained"] == 0


def test_memory_that_a_snippet_keeps_is_told(kernel):
    data = kernel.run("%memit std::mem::forget(std::hint::black_box(vec![1u8; 100_000]))").json
    for run in data["runs"]:
        assert 100_000 <= run["heap_retained"] < 101_000


def test_memory_of_a_shrinking_and_growing_vector_is_followed(kernel):
    data = kernel.run("%memit { let mut v = vec![1u8; 1 << 20]; v.shrink_to(0); v.extend_from_slice(&[1; 10]); v.len() }").json
    run = data["runs"][0]
    assert run["heap_peak"] >= 1 << 20
    assert run["allocations"] >= 2


def test_early_return_by_question_mark_is_an_error_of_the_snippet(kernel):
    cell = kernel.fails('%memit { let n: i32 = "x".parse()?; n }', "ReturnedError")
    assert "ParseIntError" in cell.content["evalue"]


def test_statements_of_more_than_one_line_end_in_a_value(kernel):
    data = kernel.run("%%memit\nlet a = vec![1u8; 1 << 20];\nlet b = a.clone();\n(a, b)").json
    assert data["runs"][0]["allocations"] == 2
    assert data["runs"][0]["heap_peak"] >= 2 << 20


def test_a_result_is_a_picture_of_the_session_at_that_moment(kernel):
    before = kernel.run("%memit -r 1 1").json["peak_memory"]
    kernel.run("let ballast_of_session = vec![1u8; 50 << 20];")
    after = kernel.run("%memit -r 1 1").json
    assert after["peak_memory"] - before > 45 << 20
    assert after["increment"] < 64 << 10
    kernel.run("drop(ballast_of_session);")


@pytest.mark.parametrize("snippet, requested, allocations", [
    ("(0..1000u64).map(Box::new).collect::<Vec<_>>()", 16_000, 1001),
    ('(0..1000).map(|_| String::from("ten bytes.")).collect::<Vec<_>>()', 34_000, 1001),
    ("std::thread::scope(|s| s.spawn(|| vec![1u8; 1 << 20].len()).join().unwrap())", None, None),
    ("{ let mut v = vec![1u8; 1000]; v.reserve_exact(4000); v }", 5000, 2),
])
def test_requested_sizes_are_told_beside_usable_ones(kernel, snippet, requested, allocations):
    cell = kernel.run(f"%memit {snippet}")
    for run in cell.json["runs"]:
        assert run["heap_peak_requested"] <= run["heap_peak"]
        assert run["heap_allocated_requested"] <= run["heap_allocated"]
        if requested:
            assert run["heap_peak_requested"] == requested
            assert run["allocations"] == allocations
    run = cell.json["runs"][-1]
    assert (" requested)" in cell.text) == (run["heap_peak"] > 1.05 * run["heap_peak_requested"])


def test_a_realloc_requests_the_whole_new_size(kernel):
    (run,) = kernel.run("%memit -r 1 { let mut v = vec![1u8; 1000]; v.reserve_exact(4000); v }").json["runs"]
    assert run["heap_allocated_requested"] == 1000 + 5000


def test_a_table_of_many_blocks_is_in_no_figure(kernel):
    # The table of requested sizes grows three times.
    (run,) = kernel.run("%memit -r 1 (0..200_000u64).map(Box::new).collect::<Vec<_>>()").json["runs"]
    assert run["heap_peak_requested"] == 200_000 * 16
    # A block takes 32 bytes with its header, and its pointer eight.
    assert abs(run["increment"] - 200_000 * 40) < 128 << 10


WORK = (
    "let v = std::hint::black_box(vec![1u8; 20 << 20]); "
    "std::thread::sleep(std::time::Duration::from_millis(100)); v.len()"
)


def test_a_thread_that_outlasts_the_statement_is_waited_for(kernel):
    data = kernel.run(f"%memit -r 2 std::thread::spawn(|| {{ {WORK} }})").json
    assert data["outlasting"] == 0
    for run in data["runs"]:
        assert run["heap_peak"] >= 20 << 20
        assert run["increment"] >= 20 << 20
        # The statement itself is done at once.
        assert run["wall_ns"] < 90e6
    timed = kernel.run(f"%timeit -n 1 -r 1 std::thread::spawn(|| {{ {WORK} }})").json
    assert timed["memory"]["heap_peak"] >= 20 << 20
    over_time = kernel.run(f"%mprof std::thread::spawn(|| {{ {WORK} }})").json
    assert over_time["heap_peak"] >= 20 << 20


def test_a_thread_that_waits_for_somebody_is_not_waited_for(kernel):
    idle = "let (s, r) = std::sync::mpsc::channel::<()>(); std::thread::spawn(move || r.recv()); s"
    cell = kernel.run(f"%memit -r 1 {{ {idle} }}")
    assert cell.json["outlasting"] == 0
    assert "still ran" not in cell.text


def test_a_thread_that_never_ends_is_told(kernel):
    endless = "std::thread::spawn(|| loop { std::thread::sleep(std::time::Duration::from_millis(5)) })"
    cell = kernel.run(f"%memit -r 1 {endless}")
    assert cell.json["outlasting"] == 1
    assert "1 thread of the statements still ran after 10 s" in cell.text
