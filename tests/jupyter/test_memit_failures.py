"""A measured snippet may die in any way: the error says how, and the session lives on."""

import re

import pytest


@pytest.mark.parametrize(
    "snippet, ename, evalue",
    [
        ('panic!("on purpose {}", witness.len())', "Panic", "on purpose 3"),
        ("std::process::abort()", "ProcessEnded", "SIGABRT"),
        ("std::process::exit(3)", "ProcessEnded", "exit code 3"),
        ("unsafe { *(std::hint::black_box(1) as *mut u8) = 1 }", "ProcessEnded", "SIGSEGV"),
        (
            "{ fn deep(n: u64) -> u64 { let a = std::hint::black_box([n; 1000]); "
            "if a[0] == u64::MAX { 0 } else { deep(n + 1) + a[1] } } deep(0) }",
            "ProcessEnded",
            "SIGABRT",
        ),
        ("Vec::<u8>::with_capacity(std::hint::black_box(1 << 60))", "ProcessEnded", "SIGABRT"),
        ("Vec::<u64>::with_capacity(std::hint::black_box(1 << 62))", "Panic", "capacity overflow"),
        ("{ let v: Vec<u8> = Vec::new(); v[std::hint::black_box(7)] }", "Panic", "out of bounds"),
    ],
    ids=["panic", "abort", "exit", "segfault", "stack", "alloc", "capacity", "index"],
)
@pytest.mark.parametrize("magic", ["%memit", "%timeit"])
def test_a_snippet_that_dies_leaves_the_session_as_it_was(kernel, magic, snippet, ename, evalue):
    kernel.run("let witness = vec![1u16, 2, 3];")
    cell = kernel.fails(f"{magic} {snippet}", ename)
    assert evalue in cell.content["evalue"]
    assert "the session and its variables are as they were" in cell.traceback
    assert kernel.value('format!("{witness:?}")') == '"[1, 2, 3]"'
    assert kernel.run("%memit -r 1 witness.clone()").json["isolated"] is True


def test_a_failed_allocation_shows_no_frames_of_memit(kernel):
    kernel.run('unsafe { std::env::set_var("RUST_BACKTRACE", "1") }')
    # The names of the frames would take tens of MiB.
    kernel.run("%memit -q -r 1 -v before_failure 1")
    for magic in ["%memit", "%timeit", ""]:
        cell = kernel.fails(f"{magic} Vec::<u8>::with_capacity(std::hint::black_box(1 << 60))", "ProcessEnded")
        assert cell.stderr.strip() == f"memory allocation of {1 << 60} bytes failed"
        if magic:
            peak = float(re.search(r"peak memory until then: ([\d.]+) MiB", cell.traceback)[1])
            before = int(kernel.value("before_failure.peak_memory"))
            assert peak * (1 << 20) < before + (16 << 20)
    kernel.run('unsafe { std::env::remove_var("RUST_BACKTRACE") }')


def test_a_panic_in_a_snippet_points_at_its_line_of_the_cell(kernel):
    cell = kernel.fails('%%memit let n = 1;\nlet m = n + 1;\n  panic!("{m}");', "Panic")
    assert cell.content["evalue"] == "2"
    assert "--> cell:3:3" in cell.traceback


def test_a_panic_in_a_line_magic_points_behind_the_options(kernel):
    cell = kernel.fails('let fine = 1;\n%memit -r 2 panic!("{fine}")', "Panic")
    assert "--> cell:2:13" in cell.traceback


def test_what_was_printed_before_the_end_is_shown(kernel):
    cell = kernel.fails('%memit { println!("last words"); std::process::abort() }', "ProcessEnded")
    assert cell.stdout == "last words\n"
    cell = kernel.fails('%memit { print!("no line end"); panic!("x") }', "Panic")
    assert cell.stdout == "no line end"


def test_a_panic_that_the_snippet_catches_is_no_failure(kernel):
    cell = kernel.run('%memit -r 2 std::panic::catch_unwind(|| panic!("caught")).is_err()')
    assert len(cell.json["runs"]) == 2


def test_a_snippet_killed_from_outside_is_told_by_its_signal(kernel):
    cell = kernel.fails(
        '%memit { std::process::Command::new("kill").args(["-9", &std::process::id().to_string()])'
        ".status().unwrap(); loop {} }",
        "ProcessEnded",
    )
    assert "SIGKILL" in cell.content["evalue"]
