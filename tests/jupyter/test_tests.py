"""The tests of a cell."""

import re

import pytest

from excerpt import pointed_at

CELL = """%%test
fn add(a: u8, b: u8) -> u8 { a + b }

#[test]
fn adds() { println!("not seen"); assert_eq!(add(1, 2), 3); }
#[test]
fn fails() {
    println!("seen é");
    assert_eq!(add(1, 2), 4, "sum");
}
#[test]
#[ignore = "slow"]
fn slow() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "too large")]
    fn panics() { add(1, 2).checked_sub(4).expect("too large"); }
    #[test]
    fn returns() -> Result<(), String> { Err("it is wrong".to_owned()) }
    #[test]
    fn returns_well() -> Result<(), String> { Ok(()) }
    #[test]
    fn aborts() { std::process::abort() }
    #[test]
    fn exits() { std::process::exit(0) }
    #[test]
    #[should_panic]
    fn does_not_panic() {}
    mod deep {
        #[test]
        #[should_panic(expected = "this")]
        fn other_panic() { panic!("that") }
        #[test]
        fn in_a_thread() { std::thread::spawn(|| panic!("thread")).join().unwrap_err(); }
    }
}"""


def without_time(text):
    return re.sub(r"finished in [0-9.]+s", "finished in 0.00s", text)


def test_each_test_runs_and_what_failed_is_shown(kernel):
    kernel.run("let before_tests = vec![1];")
    cell = kernel.fails(CELL, "TestFailure")
    assert cell.stdout == """
running 11 tests
test adds ... ok
test fails ... FAILED
test slow ... ignored, slow
test tests::panics - should panic ... ok
test tests::returns ... FAILED
test tests::returns_well ... ok
test tests::aborts ... FAILED
test tests::exits ... FAILED
test tests::does_not_panic - should panic ... FAILED
test tests::deep::other_panic - should panic ... FAILED
test tests::deep::in_a_thread ... ok
"""
    result = (
        "test result: FAILED. 4 passed; 6 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s"
    )
    assert without_time(cell.content["evalue"]) == result
    assert without_time("\n".join(cell.content["traceback"])) == f"""\
---- fails stdout ----
seen é
panicked at cell:9:5:
assertion `left == right` failed: sum
  left: 3
 right: 4

---- tests::returns stdout ----
Error: "it is wrong"

---- tests::aborts stdout ----
the test was ended by a signal (signal: 6 (SIGABRT))

---- tests::exits stdout ----
the test ended its process (exit status: 0)

---- tests::does_not_panic stdout ----
note: test did not panic as expected

---- tests::deep::other_panic stdout ----
panicked at cell:36:28:
that
note: panic did not contain expected string
      panic message: "that"
 expected substring: "this"

{result}"""
    # The cell has failed, so nothing has changed.
    kernel.fails("add(1, 2)", "CompileError")
    assert kernel.value("before_tests.len()") == "1"


def test_the_definitions_of_a_tested_cell_stay(kernel):
    cell = kernel.run("%%test\nfn tested(n: u8) -> u8 { n * 2 }\n#[test]\nfn doubles() { assert_eq!(tested(2), 4) }\n")
    assert without_time(cell.stdout) == (
        "\nrunning 1 test\ntest doubles ... ok\n\n"
        "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n"
    )
    assert kernel.value("tested(4)") == "8"
    kernel.run("%%test\nlet not_in_tests = 1;\n#[test]\nfn triples() { assert_ne!(tested(2), 6) }\nnot_in_tests")
    assert kernel.value("not_in_tests") == "1"


def test_a_test_changes_nothing(kernel):
    kernel.run("use std::sync::atomic::{AtomicU8, Ordering};\nstatic TESTED: AtomicU8 = AtomicU8::new(1);")
    test = "assert_eq!(TESTED.swap(2, Ordering::SeqCst), 1)"
    kernel.run(f"%%test\n#[test]\nfn first() {{ {test} }}\n#[test]\nfn second() {{ {test} }}")
    assert kernel.value("TESTED.load(Ordering::SeqCst)") == "1"


def test_a_filter_and_options_choose_tests(kernel):
    body = "\n#[test]\nfn fine() {}\nmod wrong {\n    #[test]\n    #[ignore]\n    fn worse() { panic!() }\n    #[test]\n    fn loops() { loop {} }\n}"
    assert "1 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out" in kernel.run("%%test fine" + body).stdout
    cell = kernel.fails("%%test --include-ignored worse" + body, "TestFailure")
    assert "panicked at cell:7:18:\nexplicit panic" in cell.traceback
    cell = kernel.fails("%%test -t 0.2 wrong" + body, "TestFailure")
    assert "test wrong::worse ... ignored\n" in cell.stdout
    assert "the test took longer than 0.2 s" in cell.traceback


def test_tests_can_be_interrupted(kernel):
    cell = kernel.start("%%test\n#[test]\nfn ends() {}\n#[test]\nfn loops_for_ever() { loop {} }\n#[test]\nfn never() {}")
    kernel.wait_for(cell, lambda cell: "test loops_for_ever ... " in cell.stdout)
    kernel.interrupt()
    kernel.finish(cell)
    assert cell.content["ename"] == "KeyboardInterrupt"
    assert "never" not in cell.stdout
    assert kernel.value("1 + 1") == "2"


def test_a_session_with_threads_runs_tests(fresh_kernel):
    fresh_kernel.run(
        "let (to_thread, in_thread) = std::sync::mpsc::channel::<std::sync::mpsc::Sender<u8>>();\n"
        "std::thread::spawn(move || for answer in in_thread { answer.send(7).unwrap(); });"
    )
    cell = fresh_kernel.run("%%test\n#[test]\nfn in_a_copy() {}\n#[test]\n#[should_panic]\nfn too() { panic!() }")
    assert "2 passed" in cell.stdout


@pytest.mark.parametrize(
    ("code", "ename", "message", "under_carets"),
    [
        ("%%test\nfn f() {}", "MagicError", "the cell has no function with `#[test]`", "test"),
        ("%%test\n#[tokio::test]\nasync fn f() {}", "MagicError", "only functions with", "#[tokio::test]"),
        ("%%test -t x\n#[test]\nfn f() {}", "MagicError", "`-t` takes a number of seconds", "-t x"),
        ("%%test\n#[test]\nfn f() { no_such }", "CompileError", "cannot find value", "no_such"),
        ("%%test\nmod m {\n    #[test]\n    fn f() { no_such }\n}", "CompileError", "cannot find value", "no_such"),
    ],
)
def test_a_mistake_is_shown_where_it_is(kernel, code, ename, message, under_carets):
    cell = kernel.fails(code, ename)
    assert message in cell.content["evalue"]
    line, column, text = pointed_at(cell.traceback)
    assert text == under_carets
    assert code.splitlines()[line - 1][column - 1 :].startswith(under_carets)
