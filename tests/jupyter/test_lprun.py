"""%lprun: how often each line of a function runs, and how long it takes."""

import re
from textwrap import dedent

import pytest

from deaf import A_DEAF_THREAD
from lines import figures, function
from request import MEMIT_JSON

# Times and their shares.
pytestmark = pytest.mark.alone

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
    assert clock["samples"] >= 100
    lines = figures(cell.json, "uneven")
    assert lines.hits() == [None, 1, 500_001, 500_000, 500_000, 250_000, None, None, 1, None]
    total = check_shares(cell.json)
    assert 0.8 < total / cell.json["wall_ns"] <= 1.01
    assert re.search(r"time sampled every \d+ μs: [\d,]+ samples", cell.text)


def test_a_short_run_is_sampled_many_times(uneven):
    cell = uneven.run("%lprun -f uneven uneven(200)")
    clock = cell.json["kind"]["clock"]
    assert clock["clock"] == "sampled"
    assert clock["runs"] > 1 and clock["samples"] >= 50
    assert 0 < clock["points"] < 15
    # The shares of a short run are rough on a busy machine.
    lines = figures(cell.json, "uneven")
    total = lines.sum("time_ns")
    assert lines["work(9_000)"]["time_ns"] > lines["work(1_000)"]["time_ns"] > 0
    # The lines are those of one run.
    assert figures(cell.json, "uneven").hits()[2] == 201
    assert 0.5 < total / cell.json["wall_ns"] < 2
    assert re.search(r"samples in \d+ runs of", cell.text)
    assert re.search(r"the share of a line may be off by \d+ points", cell.text)


def test_a_run_too_short_for_samples_says_so(uneven):
    cell = uneven.run("%lprun -f work work(10)")
    assert cell.json["kind"]["clock"] | {"probe_ns": 0} == {
        "clock": "exact", "probe_ns": 0, "too_short": True,
    }
    assert "because the run is too short for samples" in cell.text


TIGHT = dedent("""
    fn tight(n: u64) -> u64 {
        let mut sum = 0;
        for i in 0..n {
            sum ^= std::hint::black_box(i);
        }
        sum
    }
    fn pieces() -> u64 {
        let mut sum = 0;
        for _ in 0..300 {
            sum += work(2_000);
            sum += work(8_000);
        }
        sum
    }
    fn on_threads(threads: u64, run: fn() -> u64) -> u64 {
        let threads: Vec<_> = (0..threads).map(|_| std::thread::spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    }
""")


@pytest.fixture(scope="module")
def tight(uneven):
    uneven.run(TIGHT)
    return uneven


@pytest.mark.parametrize("call", [
    "tight(5_000_000)",
    "on_threads(1, || tight(5_000_000))",
    "on_threads(4, || tight(5_000_000))",
    "std::thread::scope(|s| { s.spawn(|| tight(5_000_000)); tight(5_000_000) })",
])
def test_the_total_is_that_of_a_run_without_probes(tight, call):
    best = min(tight.run(f"%timeit -n 1 -r 5 {call}").json["all_runs"])
    for magic in ("%lprun", "%lprun --exact"):
        data = tight.run(f"{magic} -f tight {call}").json
        total = data["kind"]["total"]
        if total["total"] == "unknown":
            # Probes that read the clock may take nearly all of the time.
            assert magic == "%lprun --exact" and total["why"] in ("threads", "clock")
            continue
        assert total["total"] == "compared"
        # Loosely, because the machine may have other work to do: probes took many times as long.
        assert figures(data, "tight").sum("time_ns") < 3 * best
        assert figures(data, "tight").sum("time_ns") <= 1.01 * total["plain_ns"]


def test_in_a_block_the_total_is_that_of_a_run_without_probes_too(tight):
    tight.run(dedent("""
        struct Folded(u64);
        impl std::ops::Not for Folded {
            type Output = u64;
            fn not(self) -> u64 {
                let mut sum = self.0;
                for i in 0..5_000_000 {
                    sum ^= std::hint::black_box(i);
                }
                sum
            }
        }
    """))
    for function, call in [("tight", "tight(5_000_000)"), ("not", "!Folded(3)")]:
        cell = tight.run(
            f"for _ in 0..1 {{\n%lprun -f {function} {call}\n%lprun --exact -f {function} {call}\n"
            f"%timeit -n 1 -r 5 {call}\n}}"
        )
        sampled, exact, timed = (data[MEMIT_JSON] for data in cell.displays)
        for data in (sampled, exact):
            total = data["kind"]["total"]
            assert total["total"] == "compared" or total["why"] == "clock"
            if total["total"] == "compared":
                (profiled,) = data["functions"]
                times = [line["figures"]["time_ns"] for line in profiled["lines"] if line["figures"]]
                assert sum(times) <= 1.01 * total["plain_ns"]
                # Loosely, as above.
                assert total["plain_ns"] < 3 * min(timed["all_runs"])
        # Nothing but a run of `%lprun` runs with probes.
        assert min(timed["all_runs"]) < 0.9 * sampled["wall_ns"]


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads_have_the_shares_of_their_lines(tight, threads):
    cell = tight.run(f"%lprun -f pieces on_threads({threads}, pieces)")
    lines = figures(cell.json, "pieces")
    assert lines["work(8_000)"]["hits"] == threads * 300
    share = lines["work(8_000)"]["time_ns"] / lines.sum("time_ns")
    assert 0.65 < share < 0.92
    assert "threads that ran a function at the same time share that time" in cell.text


def test_shares_alone_are_shown_where_no_total_is_known(tight):
    cell = tight.run("%lprun --exact -f pieces on_threads(2, pieces)")
    assert cell.json["kind"]["total"] == {"total": "unknown", "why": "threads"}
    assert "Total time: not known" in cell.text
    row = next(row for row in cell.text.splitlines() if "work(8_000)" in row)
    assert re.fullmatch(r" +\d+ +600 +[\d.]+ +sum \+= work\(8_000\);", row)


def test_the_first_call_of_another_function_costs_the_caller_little(tight):
    tight.run("fn outer() -> u64 {\n    let a = work(3);\n    let b = work(3);\n    a + b\n}")
    first = min(
        figures(tight.run("%lprun -e -f outer -f work outer()").json, "outer")["let a"]["time_ns"]
        for _ in range(3)
    )
    assert first < 10_000


def test_an_empty_function_that_was_called_has_a_word(tight):
    tight.run("fn empty() {}")
    assert "1 call, but no line does anything" in tight.run("%lprun -f empty empty()").text


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


def test_a_session_that_cannot_be_forked_is_timed_in_place(fresh_kernel):
    kernel = fresh_kernel
    kernel.run(SLOW)
    kernel.run(A_DEAF_THREAD)
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
