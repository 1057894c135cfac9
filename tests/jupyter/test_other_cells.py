"""Cells from the history and from files."""

import json

import pytest

from excerpt import pointed_at


@pytest.fixture
def place(fresh_kernel, tmp_path):
    fresh_kernel.run(f"%cd -q {tmp_path}")
    yield tmp_path
    fresh_kernel.run("%cd -q /")


def test_the_history_shows_the_cells_of_the_session(fresh_kernel):
    kernel = fresh_kernel
    first = kernel.run("let in_history = 1;").content["execution_count"]
    kernel.run("in_history +\n1")
    kernel.fails("no_such", "CompileError")
    kernel.run("2", store_history=False)
    text = "let in_history = 1;\nin_history +\n1\nno_such\n"
    assert kernel.run("%history -l 3").stdout == text
    assert kernel.run(f"%history {first + 1}-{first + 2} {first}").stdout == (
        "in_history +\n1\nno_such\nlet in_history = 1;\n"
    )
    shown = kernel.run(f"%history -n {first}-").stdout
    assert shown.startswith(f"{first:>4}: let in_history = 1;\n{first + 1:>4}:\nin_history +\n1\n")
    assert shown.endswith(f"{first + 4:>4}: %history {first + 1}-{first + 2} {first}\n")


def test_earlier_cells_run_again(fresh_kernel):
    kernel = fresh_kernel
    first = kernel.run("let mut counted = 0;").content["execution_count"]
    kernel.run("counted += 1;\ncounted")
    for count in (2, 3):
        cell = kernel.run("%rerun")
        assert cell.stdout == "=== Executing: ===\ncounted += 1;\ncounted\n=== Output: ===\n"
        assert cell.result == str(count)
    assert kernel.value(f"%rerun {first} {first + 1}") == "1"
    kernel.run("%undo")
    assert kernel.value("counted") == "3"
    cell = kernel.fails("%rerun 10000", "MagicError")
    assert pointed_at(cell.traceback)[2] == "10000"
    cell = kernel.fails("%rerun 1-x", "MagicError")
    assert pointed_at(cell.traceback)[2] == "1-x"


def test_a_cell_that_runs_itself_ends(fresh_kernel):
    cell = fresh_kernel.execute("1")
    number = cell.content["execution_count"] + 1
    fresh_kernel.fails(f"// again\n%rerun {number}", "MagicError")
    cell = fresh_kernel.fails("%rerun -l 1", "MagicError")
    assert "deep" in cell.content["evalue"]
    assert fresh_kernel.value("1 + 1") == "2"


def test_a_file_replaces_the_cell(fresh_kernel, place):
    text = "fn loaded() -> u8 { 7 }\n"
    (place / "l.rs").write_text(text)
    cell = fresh_kernel.run("%load l.rs")
    assert cell.outputs == []
    assert cell.content["payload"] == [
        {"source": "set_next_input", "text": "// %load l.rs\n" + text, "replace": True}
    ]
    cell = fresh_kernel.fails("%load none.rs", "MagicError")
    assert pointed_at(cell.traceback)[2] == "none.rs"
    assert fresh_kernel.run("1").content["payload"] == []


def test_a_file_runs_in_the_session(fresh_kernel, place):
    (place / "r.rs").write_text(
        "use std::fmt::Write as _;\nfn of_file() -> u8 { 7 }\nlet kept_of_file = of_file();\n"
        'println!("run");\n%memit -r 1 vec![1u8; 100]\nkept_of_file'
    )
    cell = fresh_kernel.run("let before = 1u8;\n%run r.rs\nbefore + kept_of_file")
    assert cell.stdout == "run\n"
    assert len(cell.displays) == 2
    assert cell.result == "8"
    assert fresh_kernel.value("of_file()") == "7"


def test_an_error_in_a_file_names_the_file(fresh_kernel, place):
    (place / "bad.rs").write_text("let a = 1;\n\nlet b: u8 = missing;\n")
    cell = fresh_kernel.fails("%run bad.rs", "CompileError")
    assert "--> bad.rs:3:13" in cell.traceback
    (place / "panics.rs").write_text('fn f() {\n    panic!("cell:1")\n}\nf()\n')
    cell = fresh_kernel.fails("%run panics.rs", "Panic")
    assert "--> panics.rs:2:5" in cell.traceback and "panic: cell:1" in cell.traceback
    (place / "ends.rs").write_text("std::process::exit(3)")
    cell = fresh_kernel.fails("%run ends.rs", "ProcessEnded")
    assert "the error is in ends.rs" in cell.traceback
    cell = fresh_kernel.fails('%run bad.txt', "MagicError")
    assert "must end in .rs or .ipynb" in cell.content["evalue"]
    # The rest of a cell has the lines of the cell.
    (place / "good.rs").write_text("1")
    cell = fresh_kernel.fails("%run good.rs\npanic!()", "Panic")
    assert "--> cell:2:1" in cell.traceback


def test_a_notebook_runs_in_the_session(fresh_kernel, place):
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "no code"},
        {"cell_type": "code", "metadata": {}, "source": ["let of_notebook = 1;\n", "of_notebook"]},
        {"cell_type": "code", "metadata": {}, "source": "%%capture text\nprint!(\"{of_notebook}\")"},
        {"cell_type": "code", "metadata": {}, "source": "\nno_such"},
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (place / "n.ipynb").write_text(json.dumps(notebook))
    cell = fresh_kernel.fails("%run n.ipynb", "CompileError")
    assert "--> code cell 3 of n.ipynb:2:1" in cell.traceback
    assert fresh_kernel.value("(of_notebook, text.stdout)") == '(1, "1")'
    (place / "none.ipynb").write_text("{}")
    cell = fresh_kernel.fails("%run none.ipynb", "MagicError")
    assert "`nbformat`" in cell.content["evalue"]
