"""%mprof: what the program says it is doing."""

import re
from textwrap import dedent

import pytest

from timelines import BLOCK, MIB, PAGE, about, spans


@pytest.fixture(scope="module")
def blocks(module_kernel):
    module_kernel.run(dedent(BLOCK))
    return module_kernel


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


def test_a_phase_of_another_thread_has_a_lane_of_its_own(blocks):
    cell = blocks.run(dedent("""
        %%mprof
        let main = memit::phase("main 10");
        std::thread::spawn(|| {
            let _phase = memit::phase("bell\\u{7}");
            let _within = memit::phase("within");
        })
        .join()
        .unwrap();
        let nested = memit::phase("nested");
    """).strip())
    places = {label: (span["thread"], span["level"]) for label, span in spans(cell.json).items()}
    # The data have the name as it is.
    assert places == {"main 10": (0, 0), "bell\x07": (1, 0), "within": (1, 1), "nested": (0, 1)}
    assert re.search(r"^bell␇ \(thread 2\) ", cell.text, re.MULTILINE)
    assert re.search(r"^  within \(thread 2\) ", cell.text, re.MULTILINE)
    html = cell.display["text/html"]
    assert ">thread 2</text>" in html and "bell␇" in html
    assert "\x07" not in cell.text + html


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
