"""%lprun: how often each line of a function runs, and how long it takes."""

import re
from textwrap import dedent

import pytest

from lines import figures, function

SLOW = dedent("""
    fn uneven(n: u64) -> u64 {
        let mut sum = 0;
        for i in 0..n {
            sum += work(1_000);
            if i % 2 == 0 {
                sum += work(9_000);
            }
        }
        sum
    }
    #[inline(never)]
    fn work(n: u64) -> u64 {
        (0..n).fold(0, |sum, i| std::hint::black_box(sum ^ i))
    }
""")


@pytest.fixture(scope="module")
def uneven(module_kernel):
    module_kernel.run(SLOW)
    return module_kernel


def check_shares(data):
    lines = figures(data, "uneven")
    total = lines.sum("time_ns")
    # 9 of 11 parts, as many as the work is; machines are noisy.
    assert 0.65 < lines["work(9_000)"]["time_ns"] / total < 0.95
    assert 0.08 < lines["work(1_000)"]["time_ns"] / total < 0.35
    return total


def test_time_is_sampled(uneven):
    cell = uneven.run("%lprun -f uneven uneven(500_000)")
    clock = cell.json["kind"]["clock"]
    assert clock["clock"] == "sampled"
    assert clock["interval_ns"] == 100_000
    assert clock["samples"] >= 100
    lines = figures(cell.json, "uneven")
    assert lines.hits() == [None, 1, 500_001, 500_000, 500_000, 250_000, None, None, 1, None]
    total = check_shares(cell.json)
    assert 0.8 < total / cell.json["wall_ns"] <= 1.01
    assert re.search(r"time sampled every 100 μs: [\d,]+ samples", cell.text)


def test_a_short_run_is_timed_at_every_line(uneven):
    cell = uneven.run("%lprun -f uneven uneven(200)")
    assert cell.json["kind"]["clock"]["clock"] == "exact"
    assert cell.json["kind"]["clock"]["probe_ns"] > 0
    check_shares(cell.json)
    assert "time stamp counter" in cell.text


def test_exact_can_be_asked_for(uneven):
    cell = uneven.run("%lprun --exact -f uneven -f work uneven(5_000)")
    assert cell.json["kind"]["clock"]["clock"] == "exact"
    check_shares(cell.json)
    inner = figures(cell.json, "work").sum("time_ns")
    outer = figures(cell.json, "uneven")
    calls = outer["work(9_000)"]["time_ns"] + outer["work(1_000)"]["time_ns"]
    assert outer.sum("allocations") == 0
    # What the function takes is in the lines that call it, and what measuring it takes is not.
    assert 0.8 < inner / calls < 1.1


def test_a_repeated_run_shows_its_output_once(uneven):
    cell = uneven.run('%lprun -f work { println!("once"); work(10) }')
    assert cell.stdout == "once\n"


def test_the_table_is_line_profilers(uneven):
    text = uneven.run("%lprun -f uneven uneven(100)").text
    lines = text.splitlines()
    assert lines[0] == "Timer unit: 1e-09 s"
    header = "Line #      Hits         Time  Per Hit   % Time  Line Contents"
    at = lines.index(header)
    assert lines[at + 1] == "=" * len(header)
    assert re.fullmatch(r" +5 +100 +[\d.e+]+ +[\d.e+]+ +[\d.]+ +sum \+= work\(1_000\);", lines[at + 5])
    assert "Function: uneven at line 2" in text


def test_the_unit_can_be_chosen(uneven):
    assert uneven.run("%lprun -u 1e-3 -f uneven uneven(100)").text.startswith("Timer unit: 0.001 s")
    assert "above 0" in uneven.fails("%lprun -u 0 -f uneven uneven(100)").traceback


def test_functions_that_never_ran_can_be_left_out(uneven):
    both = uneven.run("%lprun -f uneven -f work work(10)").text
    assert "Function: uneven" in both
    for option in ("-s", "-z"):
        one = uneven.run(f"%lprun {option} -f uneven -f work work(10)").text
        assert "Function: uneven" not in one
        assert "Function: work" in one


def test_results_go_where_they_are_wanted(uneven, tmp_path):
    path = tmp_path / "times.txt"
    cell = uneven.run(f"%lprun -q -r -v timed -T {path} -f work work(10)")
    assert cell.result.startswith("<LprunResult : work")
    assert path.read_text().startswith("Timer unit")
    assert uneven.value("timed.functions[0].name") == '"work"'


def test_what_was_timed_before_a_crash_is_shown(uneven):
    uneven.run("fn fails(n: u64) -> u64 {\n    let sum = work(n);\n    panic!(\"at {sum}\")\n}")
    cell = uneven.fails("%lprun -f fails fails(1_000)")
    lines = figures(cell.json, "fails")
    assert lines["let sum"]["hits"] == 1
    assert cell.content["ename"] == "Panic"
    assert "stopped early: the statement panicked" in cell.text


def test_a_session_with_threads_is_timed_in_place(start_kernel):
    kernel = start_kernel().wait_until_subscribed()
    kernel.run(SLOW)
    kernel.run("std::thread::spawn(|| loop { std::thread::park() });")
    for magic in ("%lprun", "%lprun -e", "%mprun"):
        cell = kernel.run(f"{magic} -f uneven uneven(5_000)")
        assert cell.json["isolated"] is False
        assert figures(cell.json, "uneven").hits()[:6] == [None, 1, 5_001, 5_000, 5_000, 2_500]
        assert "ran in place" in cell.text
    kernel.run("fn holds() -> Vec<u8> {\n    vec![1; 1 << 20]\n}")
    lines = figures(kernel.run("%mprun -f holds holds()").json, "holds")
    assert 1 << 20 <= lines["vec!"]["increment"] < (1 << 20) + 8192
    assert function(kernel.run("%mprun -f holds holds()").json, "holds")["calls"] == 1
    kernel.fails("%mprun -f holds { holds(); panic!() }", ename="Panic")
    assert function(kernel.run("%mprun -f holds holds()").json, "holds")["calls"] == 1
    kernel.run("#[profile]\nfn marked() -> Vec<u8> {\n    vec![1; 100]\n}")
    assert function(kernel.run("marked().len();").json, "marked")["calls"] == 1
    assert "`--mem-limit` ends the run" in kernel.fails("%mprun -m 1MB -f holds holds()").traceback
