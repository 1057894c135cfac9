"""%mprof: memory over time, with its exact peak, and what the program says it is doing."""

import json
import re
from textwrap import dedent

import pytest

from client import MEMIT_JSON

MIB = 1 << 20
# What large blocks are rounded up to, and the allocator's header.
PAGE = 4096

# A block of a known size, that is in memory as a whole.
BLOCK = """
    #[inline(never)]
    fn block(mib: usize) -> Vec<u8> {
        std::hint::black_box(vec![1u8; mib << 20])
    }
    fn pause(milliseconds: u64) {
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
    }
"""


@pytest.fixture(scope="module")
def blocks(module_kernel):
    module_kernel.run(dedent(BLOCK))
    return module_kernel


def points(series):
    return list(zip(series["time_ns"], series["bytes"]))


def spans(data):
    """The spans by their labels, which are different."""
    return {span["label"]: span for span in data["spans"]}


def about(mib, rest=2 * PAGE):
    """What a heap grows by when it is given a block."""
    return range(mib * MIB, mib * MIB + rest)


# What is measured


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


# Phases


def test_phases_are_known_by_what_they_hold_to_the_byte(blocks):
    data = blocks.run(dedent("""
        %%mprof
        let first = memit::phase("first");
        let kept = block(20);
        drop(block(50));
        drop(first);
        let second = memit::phase("second");
        let more = block(5);
        memit::timestamp!("both are there");
        drop(kept);
        drop(second);
    """).strip()).json
    base = data["heap"]["bytes"][0]
    first, second, mark = (spans(data)[label] for label in ("first", "second", "both are there"))
    assert list(spans(data)) == ["first", "second", "both are there"]
    # The label's own few bytes are not counted, for it is none of the heap.
    assert first["start"]["heap"] == base
    assert first["end"]["heap"] - base in about(20)
    assert first["peak_heap"] - base in about(70, 4 * PAGE)
    assert second["start"]["heap"] == first["end"]["heap"]
    assert second["end"]["heap"] - base in about(5)
    assert second["peak_heap"] - base in about(25, 4 * PAGE)
    assert mark["start"] == mark["end"]
    assert mark["peak_heap"] == mark["start"]["heap"] == second["peak_heap"]
    # And the same of the resident memory, within what else the process does.
    rss = data["rss"]["bytes"][0]
    for span, peak in ((first, 70), (second, 25)):
        assert abs(span["peak_rss"] - rss - peak * MIB) < 256 << 10
    assert abs(first["end"]["rss"] - rss - 20 * MIB) < 256 << 10
    times = [first["start"], first["end"], second["start"], mark["start"], second["end"]]
    assert [at["time_ns"] for at in times] == sorted(at["time_ns"] for at in times)
    assert not any(span["unfinished"] for span in data["spans"])


def test_phases_nest_and_overlap(blocks):
    data = blocks.run(dedent("""
        %%mprof
        let _whole = memit::phase("whole");
        let left = memit::phase(format!("left of {}", 2));
        { let _inner = memit::phase("inner"); pause(1); }
        let right = memit::phase("right");
        drop(left);
        pause(1);
        drop(right);
        let _again = memit::phase("again");
    """).strip()).json
    levels = {label: span["level"] for label, span in spans(data).items()}
    assert levels == {"whole": 0, "left of 2": 1, "inner": 2, "right": 2, "again": 1}


def test_phases_need_no_import_wherever_they_are(blocks):
    blocks.run(dedent("""
        mod deep {
            pub mod within {
                pub fn work() -> Option<u64> {
                    let _phase = memit::phase("deep");
                    memit::timestamp!(String::from("mark"));
                    memit::memory_usage()
                }
            }
        }
        struct Worker { phase: memit::Phase }
    """))
    data = blocks.run('%mprof (deep::within::work(), Worker { phase: memit::phase("held") })').json
    assert list(spans(data)) == ["deep", "mark", "held"]
    # Outside a measurement they do nothing.
    assert int(re.fullmatch(r"Some\((\d+)\)", blocks.value("deep::within::work()"))[1]) > MIB


def test_phases_of_threads_are_recorded(blocks):
    data = blocks.run(dedent("""
        %%mprof
        let workers: Vec<_> = (0..4).map(|worker| std::thread::spawn(move || {
            let _phase = memit::phase(format!("worker {worker}"));
            block(8).len()
        })).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum::<usize>()
    """).strip()).json
    assert sorted(spans(data)) == [f"worker {worker}" for worker in range(4)]
    assert 8 * MIB <= data["heap_peak"] < 33 * MIB


def test_marked_functions_are_phases(blocks):
    blocks.run(dedent("""
        #[profile]
        fn load(mib: usize) -> Vec<u8> { block(mib) }
        struct Store;
        impl Store {
            #[memit::profile(precision = 2)]
            fn fill(&self) -> usize { load(3).len() + load(4).len() }
        }
    """))
    cell = blocks.run("%mprof Store.fill()")
    # Of the tables that a cell without the magic shows, there is none.
    assert [span["label"] for span in cell.json["spans"]] == ["Store::fill", "load", "load"]
    fill, three, four = cell.json["spans"]
    base = cell.json["heap"]["bytes"][0]
    # The first block is alive when the second is made.
    assert three["peak_heap"] - base in about(3) and four["peak_heap"] - base in about(7, 3 * PAGE)
    assert fill["start"]["time_ns"] < three["start"]["time_ns"]
    assert fill["level"] == 0 and three["level"] == four["level"] == 1


def test_phases_beyond_the_room_are_counted(blocks):
    cell = blocks.run('%mprof for _ in 0..3000 { let _phase = memit::phase("again"); }')
    assert len(cell.json["spans"]) == 2048
    assert cell.json["left_out"] == 3000 - 2048
    assert "952" in cell.text


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


def test_a_session_with_threads_is_measured_in_place(start_kernel):
    kernel = start_kernel().wait_until_subscribed()
    kernel.run(dedent(BLOCK))
    kernel.run("std::thread::spawn(|| loop { std::thread::park(); });")
    cell = kernel.run('%%mprof\nlet _p = memit::phase("p");\nlet a = block(30);\npause(20);')
    assert cell.json["isolated"] is False and cell.json["threads"] == 2
    assert cell.json["heap_peak"] in range(30 * MIB, 30 * MIB + (64 << 10))
    assert spans(cell.json)["p"]["unfinished"] is False
    assert "2 threads" in cell.text


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
