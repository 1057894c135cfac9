"""%mprof: memory over time, with its exact peak."""

from textwrap import dedent

import pytest

from deaf import A_DEAF_THREAD
from timelines import BLOCK, MIB, about, points, spans


@pytest.fixture(scope="module")
def blocks(module_kernel):
    module_kernel.run(dedent(BLOCK))
    return module_kernel


def test_the_curve_starts_peaks_and_ends_where_the_run_does(blocks):
    data = blocks.run("%%mprof\nlet a = block(30);\npause(150);\ndrop(a);\nlet b = block(10);\npause(150);\nb").json
    assert data["magic"] == "mprof"
    for series in (data["rss"], data["heap"]):
        times = series["time_ns"]
        assert times == sorted(times)
        assert times[0] == 0 and times[-1] <= data["wall_ns"]
        assert len(times) == len(series["bytes"]) > 10
    start, end = data["heap"]["bytes"][0], data["heap"]["bytes"][-1]
    # The value of the statements is dropped before the end.
    assert end == start
    assert data["heap_peak"] in about(30)
    assert max(data["heap"]["bytes"]) - start == data["heap_peak"]
    assert max(data["rss"]["bytes"]) == data["peak_memory"]
    assert data["peak_memory"] - data["rss"]["bytes"][0] == data["increment"]
    assert abs(data["increment"] - 30 * MIB) < 128 << 10
    # Both steps were seen while they lasted.
    heap = [bytes - start for bytes in data["heap"]["bytes"]]
    assert any(bytes in about(30) for bytes in heap) and any(bytes in about(10) for bytes in heap)


def test_a_peak_between_two_samples_is_not_missed(blocks):
    data = blocks.run("%%mprof -i 10\npause(5);\ndrop(block(64));\npause(5);").json
    assert data["samples"] == 0
    assert data["heap_peak"] in about(64)
    assert abs(data["increment"] - 64 * MIB) < 128 << 10
    assert max(data["rss"]["bytes"]) == data["peak_memory"]
    (at,) = [time for time, bytes in points(data["rss"]) if bytes == data["peak_memory"]]
    assert 0 < at < data["wall_ns"]


def test_a_peak_that_is_no_heap_is_seen(blocks):
    data = blocks.run(dedent("""
        %%mprof
        unsafe extern "C" {
            fn mmap(at: *mut u8, size: usize, prot: i32, flags: i32, fd: i32, offset: i64) -> *mut u8;
            fn munmap(at: *mut u8, size: usize) -> i32;
        }
        unsafe {
            let mapped = mmap(std::ptr::null_mut(), 40 << 20, 3, 0x22, -1, 0);
            std::slice::from_raw_parts_mut(mapped, 40 << 20).fill(1);
            munmap(mapped, 40 << 20);
        }
    """).strip()).json
    assert data["heap_peak"] < MIB
    assert abs(data["increment"] - 40 * MIB) < 512 << 10


def test_a_very_short_run_has_a_start_and_an_end(blocks):
    data = blocks.run("%mprof 1 + 1").json
    assert len(data["rss"]["time_ns"]) >= 2
    assert data["heap_peak"] == 0
    assert data["increment"] <= 64 << 10


def test_of_many_samples_the_extremes_are_kept(blocks):
    data = blocks.run(dedent("""
        %%mprof -i 0.0001
        let long = std::time::Instant::now();
        pause(200);
        drop({ let spike = block(50); pause(2); spike });
        while long.elapsed().as_millis() < 3000 { pause(1); }
    """).strip()).json
    assert data["samples"] > 2048, "the machine is too busy to tell anything by"
    assert data["interval_ns"] == 100_000
    for series in (data["rss"], data["heap"]):
        # 2048 buckets with two points, and the run's own readings.
        assert len(series["time_ns"]) <= 2 * 2048 + 8
    start = data["heap"]["bytes"][0]
    assert any(bytes - start in about(50) for bytes in data["heap"]["bytes"])


def test_the_session_stays_as_it_was(blocks):
    blocks.run("let untouched = vec![7u8; 3];")
    blocks.run("%%mprof\nuntouched.push(1);\ndrop(untouched);")
    assert blocks.value("untouched") == "[7, 7, 7]"


def test_children_can_be_included(blocks):
    script = "x = bytearray(b'x') * (60 << 20); import time; time.sleep(0.3)"
    child = f'std::process::Command::new("python3").args(["-c", "{script}"]).status().unwrap();'
    alone = blocks.run(f"%mprof {child}").json
    assert alone["increment"] < 20 * MIB
    together = blocks.run(f"%mprof -c {child}")
    assert together.json["children"] is True
    assert together.json["increment"] > 60 * MIB
    assert "child processes are included" in together.text


# In the session itself


def test_what_is_kept_stays_in_the_session(blocks):
    cell = blocks.run(dedent("""
        %%mprof --keep
        let _phase = memit::phase("load");
        let kept = block(25);
        kept.len()
    """).strip())
    assert cell.result == str(25 * MIB)
    assert cell.json["isolated"] is False
    assert cell.json["heap_peak"] in range(25 * MIB, 25 * MIB + (64 << 10))
    load = spans(cell.json)["load"]
    # It is bound at the top of the cell, and ends with it.
    assert load["unfinished"] is False and load["end"]["heap"] - load["start"]["heap"] in about(25)
    assert blocks.value("kept.len()") == str(25 * MIB)
    # The thread that sampled is gone, so there are checkpoints again.
    assert "threads:      1" in blocks.run("%session").text
    assert blocks.run("%memit kept.len()").json["isolated"] is True
    # The cell that asked for the value, and the one that made it.
    blocks.run("%undo")
    blocks.run("%undo")
    blocks.fails("kept.len()", "CompileError")


def test_kept_statements_may_stand_on_one_line(blocks):
    blocks.run("%mprof --keep let on_a_line: Vec<u8> = block(1);")
    assert blocks.value("on_a_line.len()") == str(MIB)


@pytest.mark.parametrize(
    "end, ename, kind",
    [
        ('panic!("enough")', "Panic", "panic"),
        ("std::process::abort()", "ProcessEnded", "signal"),
    ],
)
def test_a_kept_run_that_fails_changes_nothing_and_leaves_its_plot(blocks, end, ename, kind):
    blocks.run("let before_it = vec![1u8; 4];")
    cell = blocks.fails(
        f"%%mprof --keep\nlet lost = block(20);\npause(700);\nbefore_it.len();\n{end};", ename
    )
    assert cell.json["failure"]["cause"]["kind"] == kind
    assert cell.json["heap_peak"] in range(20 * MIB, 20 * MIB + (64 << 10))
    assert blocks.value("before_it.len()") == "4"
    blocks.fails("lost", "CompileError")


def test_a_kept_run_that_is_interrupted_leaves_its_plot(blocks):
    blocks.run("let before_the_interrupt = 4;")
    cell = blocks.start("%%mprof -k\nlet a = block(20);\nloop { pause(1); }")
    blocks.wait_for(cell, lambda cell: cell.of_type("update_display_data"))
    blocks.interrupt()
    blocks.finish(cell)
    assert cell.content["ename"] == "KeyboardInterrupt"
    assert cell.json["failure"]["cause"]["kind"] == "interrupted"
    assert blocks.value("before_the_interrupt") == "4"


def test_an_error_in_kept_statements_points_at_them(blocks):
    cell = blocks.fails('%%mprof --keep\nlet fine = 1;\nlet wrong: u8 = "text";', "CompileError")
    assert "cell:3" in cell.traceback
    blocks.run("1")


def test_a_session_that_cannot_be_forked_is_measured_in_place(fresh_kernel):
    kernel = fresh_kernel
    kernel.run(dedent(BLOCK))
    kernel.run(A_DEAF_THREAD)
    cell = kernel.run('%%mprof\nlet _p = memit::phase("p");\nlet a = block(30);\npause(20);')
    assert cell.json["isolated"] is False and cell.json["threads"] == 2
    assert cell.json["heap_peak"] in range(30 * MIB, 30 * MIB + (64 << 10))
    assert spans(cell.json)["p"]["unfinished"] is False
    assert "the thread `deaf`" in cell.text


# Errors


@pytest.mark.parametrize(
    "line, told",
    [
        ("%mprof -i 0 1", "a number of seconds from 0.00001"),
        ("%mprof -i fast 1", "a number of seconds from 0.00001"),
        ("%mprof", "there is no statement to measure"),
        ('%mprof -t "no end 1', "no closing"),
    ],
)
def test_what_is_typed_wrong_is_said(kernel, line, told):
    assert told in kernel.fails(line).traceback


def test_a_compile_error_points_at_the_statement(kernel):
    cell = kernel.fails("%%mprof\nlet x: u8 = \"text\";", "CompileError")
    assert "cell:2" in cell.traceback
