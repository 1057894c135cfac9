"""What parses as Rust is Rust, also behind a `!` or a `::` at the start of a cell."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def a_session(module_kernel):
    module_kernel.run("let ready = true; let held = vec![1, 2, 3];")


@pytest.fixture
def kernel(module_kernel):
    yield module_kernel
    module_kernel.check_nothing_is_left()


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("!ready", "false"),
        ("!held.is_empty()", "true"),
        ("!true", "false"),
        ("!false", "true"),
        ("!!ready", "true"),
        ("!0u8", "255"),
        ("!ready || held.len() == 3", "true"),
        ("!matches!(held.len(), 3)", "false"),
        ("::std::mem::size_of::<u8>()", "1"),
        ("  ::std::cmp::max(1, 2)", "2"),
        ("// a comment\n\n!ready", "false"),
        (":vars\n!held.is_empty()", "true"),
        ("!held.iter()\n    .any(|n| *n > 3)", "true"),
    ],
)
def test_what_parses_as_rust_is_rust(kernel, code, value):
    cell = kernel.run(code)
    assert cell.result == value
    assert cell.stderr == ""


def shown(cell):
    """All text that a cell shows."""
    return cell.stdout + "".join(data["text/plain"] for data in cell.displays) + (cell.result or "")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("!echo hello", "hello"),
        ("!printf '%s' a | wc -c", "1"),
        ("!echo one\n!echo two", "one\ntwo"),
        ("!uname -s", "Linux"),
    ],
)
def test_a_shell_line_is_what_does_not(kernel, code, says):
    assert shown(kernel.run(code)).strip() == says


def test_shell_lines_and_rust_mix(kernel):
    assert shown(kernel.run("!echo hello\n!ready\n")).replace("\n", "") == "hellofalse"
    assert kernel.value("!held.is_empty();\nlet after = !ready;\nafter") == "false"


def test_an_error_in_such_a_line_has_its_place(kernel):
    cell = kernel.fails("!held.is_emty()", "CompileError")
    assert "is_emty" in cell.traceback and "cell:1:" in cell.traceback


def test_editors_take_a_line_for_what_a_cell_takes_it_for(kernel):
    kernel.run("let held_here = vec![1];")
    assert "is_empty" in [m.split("(")[0] for m in kernel.complete("!held_here.is_em")["matches"]]
    assert "size_of" in [m.split("::")[0].split("(")[0] for m in kernel.complete("::std::mem::size_o")["matches"]]
    assert kernel.is_complete("!held_here.is_empty()")["status"] == "complete"
    problems = kernel.problems("!held_here.no_such()")
    assert [(p["start_line"], p["start_column"]) for p in problems] == [(1, 12)]
    assert kernel.problems("!echo held_here.no_such()") == []
