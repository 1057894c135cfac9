"""%mprof: its plot and its table, while the statements run and when they have ended."""

import re
from textwrap import dedent

import pytest

from request import MEMIT_JSON
from timelines import BLOCK, MIB, about, spans


@pytest.fixture(scope="module")
def blocks(module_kernel):
    module_kernel.run(dedent(BLOCK))
    return module_kernel


# How it is shown


def test_the_plot_is_a_picture_that_can_be_read_out(blocks):
    cell = blocks.run(dedent("""
        %%mprof -t "Two <blocks>"
        let _a = memit::phase("create & keep");
        let kept = block(30);
        pause(20);
    """).strip())
    html = cell.display["text/html"]
    (svg,) = re.findall(r"<svg.*?</svg>", html, re.S)
    assert 'role="img"' in svg and "Two &lt;blocks&gt;" in svg
    description = re.search(r"<desc>(.*?)</desc>", svg, re.S)[1]
    for told in ("RSS", "heap", "peak", "create &amp; keep"):
        assert told in description, description
    peak = re.search(r"peak ([\d.]+) MiB", svg)[1]
    assert abs(float(peak) - cell.json["peak_memory"] / MIB) < 0.006
    assert "create &amp; keep" in svg and "currentColor" in svg
    assert MEMIT_JSON in cell.display


def test_the_text_has_a_chart_and_a_table_of_phases(blocks):
    cell = blocks.run(dedent("""
        %%mprof
        let _outer = memit::phase("outer");
        let kept = block(20);
        { let _inner = memit::phase("inner"); pause(10); }
    """).strip())
    lines = cell.text.splitlines()
    assert re.fullmatch(r"peak memory: [\d.]+ MiB, increment: [\d.]+ MiB", lines[0])
    assert "\x1b" not in cell.text
    assert max(len(line) for line in lines) <= 80
    assert any("\u2800" <= character <= "\u28ff" for character in cell.text)
    (header,) = [line for line in lines if line.strip().startswith("phase")]
    for column in ("start", "at end", "peak"):
        assert column in header, header
    (outer,) = [line for line in lines if re.match(r"\s*outer ", line)]
    (inner,) = [line for line in lines if re.match(r"\s*inner ", line)]
    assert inner.index("inner") > outer.index("outer")


def test_the_result_can_be_kept_in_files_and_in_a_variable(blocks, tmp_path):
    for name, start in (("plot.svg", b"<svg"), ("plot.png", b"\x89PNG"), ("plot.html", b"<!DOCTYPE")):
        cell = blocks.run(f"%mprof -q -o {tmp_path / name} block(3).len()")
        assert cell.stdout == f"*** Plot saved to file '{tmp_path / name}'.\n"
        assert (tmp_path / name).read_bytes().startswith(start)
        assert cell.result is None and not cell.displays
    blocks.run(f'%mprof -q -o {tmp_path / "run.dat"} -v measured {{ let _p = memit::phase("p"); block(3) }}')
    text = (tmp_path / "run.dat").read_text()
    assert text.startswith("CMDLINE ") and "\nFUNC p " in text
    peak = max(float(line.split()[1]) for line in text.splitlines() if line.startswith("MEM "))
    bound = blocks.value("(measured.peak_memory, measured.rss.bytes.len(), measured.spans[0].label)")
    memory, length, label = bound.strip("()").split(", ")
    assert abs(int(memory) / MIB - peak) < 1e-5
    assert int(length) >= 2 and label == '"p"'
    assert blocks.run("%mprof -q -r 1").result.startswith("<MprofResult : peak memory: ")
    blocks.fails(f"%mprof -q -o {tmp_path}/missing/x.svg 1", "Error")
    blocks.fails(f"%mprof -q -o {tmp_path}/missing/x.dat 1", "Error")


# Live


def test_the_plot_grows_while_the_statements_run(blocks):
    cell = blocks.run("%%mprof\nprintln!(\"at work\");\nlet a = block(5);\npause(1600);\nlet b = block(5);")
    shown = [m for m in cell.iopub if m["msg_type"] in ("display_data", "update_display_data")]
    assert [m["msg_type"] for m in shown[:2]] == ["display_data", "update_display_data"]
    assert len({m["content"]["transient"]["display_id"] for m in shown}) == 1
    # Four in a second at most, which begin a little before the run, and the one at the end.
    assert 3 <= len(shown) <= 4 * (cell.json["wall_ns"] / 1e9 + 0.1) + 1
    assert all("<svg" in m["content"]["data"]["text/html"] for m in shown)
    assert all("running" in m["content"]["data"]["text/plain"].splitlines()[0] for m in shown[:-1])
    assert [MEMIT_JSON in m["content"]["data"] for m in shown] == [False] * (len(shown) - 1) + [True]
    assert cell.stdout == "at work\n"


def test_an_interrupt_leaves_the_plot_so_far(blocks):
    blocks.run("let through_mprof = 5;")
    cell = blocks.start('%%mprof\nlet _p = memit::phase("for ever");\nlet a = block(20);\nloop { pause(1); }')
    blocks.wait_for(cell, lambda cell: cell.of_type("update_display_data"))
    blocks.interrupt()
    blocks.finish(cell)
    assert cell.content["ename"] == "KeyboardInterrupt"
    assert cell.json["failure"]["cause"]["kind"] == "interrupted"
    assert cell.json["heap_peak"] in about(20)
    assert cell.json["wall_ns"] > 400e6
    assert spans(cell.json)["for ever"]["unfinished"] is True
    assert "interrupted" in cell.text
    assert blocks.value("through_mprof") == "5"


@pytest.mark.parametrize(
    "end, ename, kind",
    [
        ('panic!("enough")', "Panic", "panic"),
        ("std::process::abort()", "ProcessEnded", "signal"),
        ("std::process::exit(3)", "ProcessEnded", "exit"),
        ('Err::<(), _>("no")?', "ReturnedError", "returned"),
    ],
)
def test_a_run_that_fails_leaves_its_plot(blocks, end, ename, kind):
    cell = blocks.fails(f"%%mprof\nlet a = block(20);\npause(10);\n{end};", ename)
    assert cell.json["failure"]["cause"]["kind"] == kind
    assert cell.json["heap_peak"] in about(20)
    assert blocks.value("1 + 1") == "2"
