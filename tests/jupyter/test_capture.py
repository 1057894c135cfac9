"""Cells that are shown as they are, and cells whose output is kept."""

import pytest

from excerpt import pointed_at


@pytest.mark.parametrize(
    ("magic", "mime"),
    [
        ("html", "text/html"),
        ("markdown", "text/markdown"),
        ("latex", "text/latex"),
        ("svg", "image/svg+xml"),
    ],
)
def test_a_cell_is_shown(kernel, magic, mime):
    text = "<b>$x$</b>\n:dep x\n%memit 1"
    cell = kernel.run(f"%%{magic}\n{text}")
    (shown,) = cell.outputs
    assert shown["msg_type"] == "display_data"
    assert shown["content"]["data"] == {mime: text + "\n", "text/plain": text}
    assert pointed_at(kernel.fails(f"%%{magic} x\ny", "MagicError").traceback)[2] == "x"


def test_the_output_of_a_cell_is_kept(kernel):
    cell = kernel.run(
        """%%capture log
!echo shell
println!("out");
eprintln!("\\"err\\" é\\n");
let captured_here = 3;
%memit -r 1 vec![1u8; 10]
captured_here + 1"""
    )
    assert cell.outputs == []
    assert kernel.value("log.stdout") == '"shell\\nout\\n"'
    assert kernel.value("log.stderr") == '"\\"err\\" é\\n\\n"'
    assert kernel.value("log.outputs.len()") == "2"
    assert kernel.value("log.outputs[0].starts_with(\"peak memory: \")") == "true"
    assert kernel.value("&log.outputs[1]") == '"4"'
    cell = kernel.run("log.show()")
    assert cell.stdout.startswith("shell\nout\npeak memory: ") and cell.stdout.endswith("\n4\n")
    assert cell.stderr == '"err" é\n\n'
    assert kernel.value("captured_here") == "3"
    assert "log: memit_session::Captured" in kernel.run(":vars").result


def test_options_show_what_is_not_kept(kernel):
    body = 'println!("out");\neprintln!("err");\n1 + 1'
    cell = kernel.run("%%capture --no-stdout some\n" + body)
    assert (cell.stdout, cell.stderr, cell.result) == ("out\n", "", None)
    assert kernel.value("(some.stdout, some.stderr, some.outputs)") == '("", "err\\n", ["2"])'
    cell = kernel.run("%%capture --no-stderr --no-display\n" + body)
    assert (cell.stdout, cell.stderr, cell.result) == ("", "err\n", "2")


def test_a_failed_cell_keeps_nothing_and_has_its_lines(kernel):
    cell = kernel.fails("%%capture kept\nlet fine = 1;\nlet é: u8 = missing;", "CompileError")
    assert pointed_at(cell.traceback) == (3, 13, "missing")
    cell = kernel.fails("// first\n%%capture kept\nlet fine = 1;\n  panic!()", "Panic")
    assert "cell:4:3" in cell.traceback
    kernel.fails("kept", "CompileError")
    # Output is shown again.
    assert kernel.run('println!("shown")').stdout == "shown\n"
    cell = kernel.fails("%%capture 1x\n1", "MagicError")
    assert pointed_at(cell.traceback)[2] == "1x"


def test_a_cell_that_is_kept_can_be_interrupted(kernel):
    cell = kernel.start('%%capture --no-stderr kept\neprintln!("begun"); loop {}')
    kernel.wait_for(cell, lambda cell: cell.stderr == "begun\n")
    kernel.interrupt()
    kernel.finish(cell)
    assert cell.content["ename"] == "KeyboardInterrupt"
    assert kernel.value("1 + 1") == "2"


def test_a_cell_below_a_magic_is_edited_like_a_cell(kernel):
    kernel.run("let below_magic = vec![1u8];")
    matches = kernel.complete("%%capture x\nbelow_magic.shrink_to_f")["matches"]
    assert any(match.startswith("shrink_to_fit") for match in matches)
    assert kernel.complete("%%capture x\n%%lsm")["matches"] == []
    assert kernel.complete("%%capture x\n%lsm")["matches"] == ["%lsmagic"]
    assert kernel.is_complete("%%capture x\nf(")["status"] == "incomplete"
    (problem,) = kernel.problems("%%capture x\nlet a = 1;\nbelow_magic.no_such()")
    assert (problem["start_line"], problem["start_column"]) == (3, 13)
