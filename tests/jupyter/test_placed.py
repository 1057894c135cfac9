"""Magics where people put them: in loops, blocks and functions, behind `let x =`, beside commands."""

import itertools
import re

import pytest

from deaf import A_DEAF_THREAD
from request import MEMIT_JSON

WORK = "fn work(n: u64) -> u64 { (0..n).map(std::hint::black_box).sum() }\nlet zero: u64 = 0;"


@pytest.fixture(scope="module")
def working(module_kernel):
    module_kernel.run(WORK)
    return module_kernel


def heap_peak(json):
    return max(run["heap_peak"] for run in json["runs"])


def reports(cell):
    """The data and the text of each report, in order."""
    return [(data[MEMIT_JSON], data["text/plain"]) for data in cell.displays if MEMIT_JSON in data]


def test_a_magic_in_a_loop_reports_each_time_it_runs(working):
    cell = working.run("for n in [10, 100, 1000] {\n    %timeit -r 3 -n 10 work(n)\n}")
    shown = reports(cell)
    assert [json["values"] for json, _ in shown] == ["n = 10", "n = 100", "n = 1000"]
    assert [text.splitlines()[0] for _, text in shown] == ["n = 10", "n = 100", "n = 1000"]
    assert all("3 runs, 10 loops each" in text for _, text in shown)


def test_reports_stand_between_what_the_cell_prints(working):
    cell = working.run("for n in 1..3 {\n    println!(\"before {n}\");\n    %memit -r 1 vec![1u8; n << 20]\n}\nzero")
    kinds = [output["msg_type"] for output in cell.outputs]
    kinds = [kind for kind, _ in itertools.groupby(kinds)]
    assert kinds == ["stream", "display_data"] * 2 + ["execute_result"]
    assert [heap_peak(json) >> 20 for json, _ in reports(cell)] == [1, 2]
    assert cell.result == "0"


def test_magics_stand_in_blocks_conditions_and_arms(working):
    cell = working.run(
        "if true { %timeit -n 1 -r 1 work(3) } else { %timeit -n 1 -r 1 work(4) }\n"
        "match work(0) {\n    0 => { %memit -r 1 vec![1u8; 4096] }\n    n => { %memit -r 1 n }\n}\n"
        "let mut left = vec![1, 2];\n"
        "while let Some(item) = left.pop() { %memit -r 1 item }\n"
        "let each = |k: u8| {\n    %memit -r 1 k\n};\neach(7);"
    )
    assert [json.get("values") for json, _ in reports(cell)] == [None, None, "item = 2", "item = 1", "k = 7"]


def test_a_magic_in_a_function_reports_when_the_function_is_called(working):
    working.run("fn bench(k: usize, _: u8) {\n    %memit -r 1 vec![1u8; k]\n    %timeit -n 1 -r 1 work(3)\n}")
    shown = reports(working.run("bench(4096, 0);\nbench(8192, 0);"))
    assert [json["values"] for json, _ in shown] == ["k = 4096"] * 2 + ["k = 8192"] * 2
    assert 8192 <= heap_peak(shown[2][0]) < 8300


def test_all_measuring_magics_stand_in_loops(working):
    cell = working.run(
        "for (n, name) in [(1000u64, \"a\"), (2000, \"b\")] {\n"
        "    let copy = name.to_owned();\n"
        "    %mprun -f work work(n)\n    %lprun -f work work(n)\n    %mprof drop(copy)\n}"
    )
    shown = [json for json, _ in reports(cell)]
    assert [json["values"] for json in shown] == ["n = 1000, name = \"a\""] * 3 + ["n = 2000, name = \"b\""] * 3
    assert [json["functions"][0]["calls"] for json in shown if "functions" in json] == [1] * 4


def test_tables_in_a_block_are_in_the_order_of_the_options(working):
    working.run("fn inner() -> u64 {\n    work(1)\n}\nmod m {\n    pub fn inner() -> u64 {\n        super::inner()\n    }\n}")
    for options in ("-f work -f m::inner", "-f m::inner -f work", "-f m::inner -f inner -f work"):
        cell = working.run(f"{{\n    %mprun {options} m::inner()\n    %lprun {options} m::inner()\n}}")
        expected = [name for name in options.split() if name != "-f"]
        for json, text in reports(cell):
            assert [function["name"] for function in json["functions"]] == expected
            assert [line.split()[1] for line in text.splitlines() if line.startswith("Function:")] == expected


def test_the_caret_of_a_panic_in_a_profiled_function_is_that_of_its_text(working):
    working.run(
        "fn found(v: &[u64], at: usize) -> u64 {\n    let mut sum = 0; for n in 0..3 {\n"
        "        if n == 2 { sum += v[at] } else { sum += 1 }\n    }\n    sum\n}\n"
        "impl Halved for Option<u64> { fn halved(self) -> u64 { /* first */ self.unwrap() / 2 } }\n"
        "trait Halved { fn halved(self) -> u64; }"
    )
    for name, call in (("found", "found(&[1, 2], n)"), ("halved", "Some(n).filter(|n| *n < 2).halved()")):
        place = re.search(r"cell:\d+:\d+", working.fails(f"for n in [0, 7] {{ {call}; }}", "Panic").traceback)
        for magic in ("%mprun", "%lprun"):
            error = working.fails(f"for n in [0, 7] {{\n    {magic} -f {name} {call}\n}}", "Panic")
            assert place.group() in error.traceback
        # A panic outside the measurement.
        error = working.fails(f"{{\n    %lprun -q -f {name} zero\n}}\nlet n = 7; {call};", "Panic")
        assert place.group() in error.traceback


def test_a_function_that_cannot_be_in_a_cell_twice_is_profiled_in_a_block(working):
    working.run(
        "fn numbered() -> u32 {\n    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);\n"
        "    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)\n}\n"
        "fn evens(n: u32) -> impl Iterator<Item = u32> {\n    (0..n).filter(|n| n % 2 == 0)\n}\n"
        "fn twice(n: u32) -> u32 {\n    struct Local;\n    impl From<Local> for u32 { fn from(_: Local) -> u32 { 2 } }\n"
        "    n * u32::from(Local)\n}"
    )
    cell = working.run(
        "numbered();\n{\n    %lprun -f numbered assert_eq!(numbered(), 1)\n"
        "    %lprun -f evens assert_eq!(evens(5).count(), 3)\n    %mprun -f twice assert_eq!(twice(4), 8)\n}\nnumbered()"
    )
    assert cell.result == "1"
    assert [json["functions"][0]["calls"] for json, _ in reports(cell)] == [1, 1, 1]


def test_a_function_with_a_magic_does_not_hide_reports_of_other_functions(working):
    working.run("fn plotted() {\n    %mprof work(3)\n}\n#[profile]\nfn marked(n: u64) -> u64 {\n    work(n)\n}")
    assert "Function: marked" in working.run("marked(3);").text


def test_a_measured_statement_in_a_block_leaves_variables_as_they_were(working):
    cell = working.run(
        "let mut v = vec![1];\nfor n in [String::from(\"x\")] {\n    %memit -r 2 v.push(2)\n"
        "    %memit drop(n)\n    v.push(n.len() as i32);\n}\nv"
    )
    assert cell.result == "[1, 1]"


def test_a_failed_measurement_in_a_block_ends_the_cell(working):
    cell = working.fails("let kept = 1;\nfor n in [1, 0] {\n    %timeit -n 1 -r 1 10 / n\n}", "Panic")
    assert "attempt to divide by zero" in cell.traceback
    assert "cell:3:23" in cell.traceback
    assert len(reports(cell)) == 1
    working.fails("kept", "CompileError")
    assert working.value("zero") == "0"


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("{\n    let t = %timeit -o 1;\n}", "`%timeit` cannot return its result in a block"),
        ("{\n    %memit -v m 1\n}", "`%memit` cannot return its result in a block"),
        ("{\n    %session\n}", "`%session` cannot stand in a block"),
        ("fn f() {\n    %lprun -f work work(1)\n}", "`%lprun` cannot stand in a function"),
        ("{\n    %mprof --keep work(1)\n}", "`%mprof --keep` cannot stand in a block"),
        ("%%timeit\n%memit vec![1]", "`%memit` cannot stand within `%%timeit`"),
        ("%timeit %memit 3", "`%memit` cannot stand within `%timeit`"),
        ("%%mprof\nfor n in 0..3 {\n    %timeit n\n}", "`%timeit` cannot stand within `%%mprof`"),
        ("let s = %session", "`%session` has no result to bind"),
        ("let t = %timeit -v u 1", "the result is bound to `t` already"),
        ("zero\n%timeit zero", "`;` is missing before line 2"),
        ("let w = zero\nlet t = %timeit zero", "`;` is missing before line 2"),
        ("let x = 1;\n%%memit\nx", "`%%memit` is not on the first line of the cell"),
    ],
)
def test_what_cannot_stand_somewhere_is_one_clear_error(working, cell, message):
    shown = working.fails(cell, "MagicError").traceback
    assert message in shown
    assert shown.count("error") == 1


def test_a_measured_statement_cannot_run_a_magic(working):
    working.run("fn measuring() {\n    %memit 3\n}")
    error = working.fails("%timeit measuring()", "Panic")
    assert "a measured statement cannot run a magic" in error.traceback
    assert "placed.rs" not in error.traceback


def test_a_cell_that_starts_a_thread_measures_in_forks(working):
    start = "let (end, wait) = std::sync::mpsc::channel::<()>();\nlet thread = std::thread::spawn(move || wait.recv());\n"
    (json, _) = reports(working.run(start + "{\n    %memit -r 1 3\n}"))[0]
    assert json["isolated"] and json["threads"] == 2
    working.run("drop(end);\nlet ended = thread.join();")


def test_a_cell_that_cannot_be_forked_measures_in_place_when_it_runs_again(fresh_kernel):
    kernel = fresh_kernel
    kernel.run(A_DEAF_THREAD)
    loop = "for n in 0..1 {\n    %memit -r 1 n\n}"
    assert "run the cell again" in kernel.fails(loop, "MeasurementError").traceback
    (json, text) = reports(kernel.run(loop))[0]
    assert not json["isolated"] and "ran in place" in text


def test_a_result_is_bound_by_let(working):
    assert working.run("let t = %timeit -o -n 7 -r 3 1 + 1\nt.loops").result == "7"
    cell = working.run("let m = %memit -r 2 vec![1u8; 4096]; m.runs.len()")
    assert cell.result == "2"
    assert len(reports(cell)) == 1
    working.run("t = %timeit -q -n 9 -r 1 2")
    assert working.value("t.loops") == "9"
    working.run("let p = %mprun -f work work(3)\nlet o = %mprof -q work(3);")
    assert working.value("p.functions.len()") == "1"


def test_a_magic_may_follow_a_statement_on_its_line(working):
    cell = working.run("let here = 5; %timeit -n 1 -r 1 here\n/* why */ %memit -r 1 here // not long\nhere")
    assert cell.result == "5"
    assert len(reports(cell)) == 2


def test_commands_and_shell_lines_stand_anywhere(working):
    assert working.run("%%memit -r 1\n:dep itoa = \"1\"\nitoa::Buffer::new().format(1).len()").json
    assert working.run(":dep itoa = \"1\"\n// above\n%%memit -r 1\nitoa::Buffer::new().format(1).len()").json
    cell = working.run("let before = 1;\n:dep itoa = \"1\"\n!echo shell\n%memit -r 1 before\n!echo below\nbefore")
    assert cell.stdout == "shell\nbelow\n"
    assert cell.result == "1"
    cell = working.run("%%timeit -n 1 -r 1\n!echo in a magic\n1 + 1")
    assert cell.stdout == "in a magic\n"


def test_a_magic_measures_what_awaits(working):
    working.run("async fn later(n: u64) -> Result<u64, std::fmt::Error> { Ok(work(n)) }")
    assert working.run("%timeit -n 10 -r 2 later(3).await").json["loops"] == 10
    assert heap_peak(working.run("%memit -r 1 vec![later(3).await?; 1 << 17]").json) >> 20 == 1
    assert heap_peak(working.run("%memit -r 1 later(3).await?").json) == 0
    assert working.run("%%timeit --fresh -n 2 -r 1 let n = later(3).await?;\nlater(n).await?").json["loops"] == 2
    shown = reports(working.run("for n in 0..2 {\n    %mprof later(n).await?\n}"))
    assert [json["values"] for json, _ in shown] == ["n = 0", "n = 1"]
    # The runtime is that of a run: the session is still alone.
    assert "threads:      1\n" in working.run("%session").text


def test_editors_know_the_rust_of_magics_in_blocks(working):
    code = "let numbers = vec![1u8];\nfor n in 0..2 {\n    %memit numbers.shrink_to_f"
    assert any(match.startswith("shrink_to_fit") for match in working.complete(code)["matches"])
    assert working.problems("for n in 0..2 {\n    %timeit work(n)\n}\nif true { %memit 3 }") == []
    (problem,) = working.problems("for n in 0..2 {\n    %timeit wrong(n)\n}")
    assert problem["start_line"] == 2 and problem["start_column"] == 13
