#!/usr/bin/env python3
"""memit beside the tools that people trust: heap figures of `%memit` beside DHAT and heaptrack, times of
`%timeit` beside criterion, divan and a loop written by hand. A tool that is not installed is left out."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import common
from timeit import PLACEMENT

ITEMS = """\
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

fn words() -> usize {
    let text = (0..2000).map(|n: u32| format!("w{} ", n * n % 97)).collect::<String>();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for word in text.split_whitespace() {
        *counts.entry(word.to_owned()).or_default() += 1;
    }
    let mut sorted: Vec<_> = counts.into_iter().collect();
    sorted.sort_by(|one, other| other.1.cmp(&one.1));
    let lines: Vec<String> = sorted.iter().map(|(word, count)| format!("{word} {count}")).collect();
    lines.join("\\n").len()
}

fn fib(n: u64) -> u64 {
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}
"""

# Each with a value, which lives until the peak has passed.
HEAP = {
    "one block of 1 MiB": "vec![1u8; 1 << 20]",
    "1000 numbers as text": "(0..1000u32).map(|n| n.to_string()).collect::<Vec<_>>()",
    "a `Vec` that grows": "{ let mut v = Vec::new(); for n in 0..5000u64 { v.push(n); } v }",
    "a `String` that grows": '{ let mut s = String::new(); for _ in 0..5000 { s.push(\'x\'); } s }',
    "a `BTreeMap`": "(0..5000u64).map(|n| (n * 7919 % 5003, n)).collect::<BTreeMap<_, _>>()",
    "a `HashMap`": "(0..1000u64).map(|n| (n, n)).collect::<HashMap<_, _>>()",
    "a queue of boxes": "(0..500u64).map(Box::new).collect::<VecDeque<_>>()",
    "rows of growing length": "(0..100usize).map(|n| vec![n as u32; n]).collect::<Vec<_>>()",
    "shared blocks": "(0..100usize).map(|n| Arc::new([n; 8])).collect::<Vec<_>>()",
    "a stable sort": "{ let mut v: Vec<u64> = (0..15_000).rev().map(|n| n ^ 5).collect(); v.sort(); v }",
    "`join` of `format!`": '(0..100).map(|n: u32| format!("{n:>8}")).collect::<Vec<_>>().join(",")',
    "four scoped threads": "std::thread::scope(|s| (0..4usize).map(|n| s.spawn(move || vec![n; 1000]))"
                           ".collect::<Vec<_>>().into_iter().map(|t| t.join().unwrap()).collect::<Vec<_>>())",
    "a program that counts words": "words()",
}

HEAP_PROGRAM = """\
{items}
fn main() {{
    let case = std::env::args().nth(1).unwrap();
    match case.as_str() {{
{arms}
        _ => panic!(),
    }}
}}
"""


# Allocates one block alone. What is at its peak beside the block, the program and the tool hold at any
# peak. All names of cases are equally long, as the program holds them, too.
BEFORE, BLOCK = "99", 4 << 20


class Heap(NamedTuple):
    """Bytes at the peak, and the number of allocations."""

    peak: int
    allocations: int

    def above(self, before):
        return Heap(self.peak - before.peak + BLOCK, self.allocations - before.allocations + 1)


def build_heap_program(directory):
    cases = {f"{at:02}": code for at, code in enumerate(HEAP.values())} | {BEFORE: f"vec![1u8; {BLOCK}]"}
    arms = "\n".join(f'        "{case}" => drop(std::hint::black_box({code})),'
                     for case, code in cases.items())
    crate(directory, "heap")
    program = f"#![allow(unused)]\n{HEAP_PROGRAM.format(items=ITEMS, arms=arms)}"
    Path(directory, "src", "main.rs").write_text(program)
    cargo(directory, "build", "--release")
    return Path(directory, "target", "release", "heap")


def crate(directory, name, more=""):
    Path(directory, "src").mkdir(parents=True, exist_ok=True)
    # A crate of its own, wherever it is.
    manifest = f'[package]\nname = "{name}"\nedition = "2024"\n\n[workspace]\n{more}'
    Path(directory, "Cargo.toml").write_text(manifest)


def cargo(directory, *arguments, **options):
    # The same places of branches for all: they may cost half of a tight loop's speed.
    settings = {"CARGO_TARGET_DIR": str(Path(directory, "target")), "RUSTFLAGS": PLACEMENT}
    return subprocess.run(["cargo", arguments[0], "--quiet", *arguments[1:]], cwd=directory, text=True,
                          env=os.environ | settings, **{"check": True} | options)


def dhat(program, case, directory):
    out = Path(directory, f"dhat.{case}")
    command = ["valgrind", "--tool=dhat", f"--dhat-out-file={out}", program, case]
    subprocess.run(command, check=True, capture_output=True)
    points = json.loads(out.read_text())["pps"]
    return Heap(sum(point["gb"] for point in points), sum(point["tbk"] for point in points))


def heaptrack(program, case, directory):
    # Older versions choose the name of their file, in the current directory.
    out = Path(directory, f"heaptrack.{case}")
    out.mkdir()
    subprocess.run(["heaptrack", program, case], cwd=out, check=True, capture_output=True)
    (recorded,) = out.iterdir()
    # The summary rounds sizes, the stacks of a flame graph do not.
    flames = out / "flames"
    show = ["heaptrack_print", "--print-peaks=0", "--print-allocators=0", "--print-temporary=0",
            "--flamegraph-cost-type=peak", f"--print-flamegraph={flames}", f"--file={recorded}"]
    printed = subprocess.run(show, check=True, capture_output=True, text=True).stdout
    sizes = [int(line.rpartition(" ")[2]) for line in flames.read_text().splitlines()]
    calls = re.search(r"^calls to allocation functions: (\d+)", printed, re.MULTILINE)
    return Heap(sum(sizes), int(calls[1]))


def peers(found):
    """The tools that are there; a word about each of the others."""
    for name, tool in found.items():
        if shutil.which(tool):
            yield name
        else:
            print(f"no {name}: {tool} is not installed\n")


def compare_heap(kernel, directory):
    measure = {"DHAT": dhat, "heaptrack": heaptrack}
    tools = list(peers({"DHAT": "valgrind", "heaptrack": "heaptrack"}))
    program = build_heap_program(Path(directory, "heap"))
    before = {tool: measure[tool](program, BEFORE, directory) for tool in tools}
    rows = []
    for at, (name, code) in enumerate(HEAP.items()):
        run = kernel.run(f"%memit -r 1 {code}").json["runs"][0]
        requested = run.get("heap_peak_requested")
        row = [name, f"{run['heap_peak']:,}", "" if requested is None else f"{requested:,}"]
        counts = [f"{run['allocations']:,}"]
        for tool in tools:
            found = measure[tool](program, f"{at:02}", directory).above(before[tool])
            row.append(f"{found.peak:,}")
            counts.append(f"{found.allocations:,}")
        rows.append((*row, *counts))
    print("Bytes at the peak, and allocations. DHAT and heaptrack count requested sizes; what the program holds\n"
          "before the statement is subtracted.\n")
    header = ["statement", "peak, usable", "peak, requested", *(f"peak, {tool}" for tool in tools),
              "allocations", *(f"allocations, {tool}" for tool in tools)]
    common.table(header, rows)


# Of each statement in a round.
RUNS = 60


class Timed(NamedTuple):
    name: str
    code: str
    # What the code uses, made once and hidden from the optimiser.
    variables: dict = {}
    # What the code consumes, made anew for each execution: the name and the value.
    fresh: tuple = ()


TIMES = [
    Timed("arithmetic", "x.wrapping_mul(y) ^ z", {
        "x": "0x9e37_79b9u64", "y": "0x85eb_ca6bu64", "z": "0xc2b2_ae35u64"}),
    Timed("look_up", "map.get(&key).copied()", {
        "map": "(0..1000u64).map(|n| (n * n, n)).collect::<HashMap<_, _>>()", "key": "250_000u64"}),
    Timed("squares", "numbers.iter().map(|n| n * n).sum::<u64>()", {
        "numbers": "(0..1000u64).collect::<Vec<_>>()"}),
    Timed("upper_case", "text.to_uppercase()", {"text": '"One two three ".repeat(10)'}),
    Timed("zeroed_block", "vec![0u8; 1 << 20]"),
    Timed("strings", "(0..10_000u32).map(|n| n.to_string()).collect::<Vec<_>>()"),
    Timed("clone_and_sort", "{ let mut v = shuffled.clone(); v.sort_unstable(); v }", {
        "shuffled": "(0..20_000u64).map(|n| n * 7919 % 20_011).collect::<Vec<_>>()"}),
    Timed("fibonacci", "fib(n)", {"n": "20u64"}),
    Timed("fresh_length", "v.len()", fresh=("v", "vec![1u8; 16]")),
    Timed("fresh_sort", "{ v.sort_unstable(); v.len() }", fresh=(
        "v", "(0..10_000u64).map(|n| n * 7919 % 10_007).collect::<Vec<_>>()")),
]

HAND = """\
#![allow(unused)]
use std::hint::black_box;
use std::time::Instant;
{items}
/// The least nanoseconds per loop of some runs, the first of which are to warm up.
fn best(loops: u64, mut run: impl FnMut(u64) -> std::time::Duration) -> f64 {{
    (0..{runs}).map(|_| run(loops).as_nanos() as f64 / loops as f64).skip(2).fold(f64::MAX, f64::min)
}}

fn main() {{
    let mut arguments = std::env::args().skip(1);
    let (case, loops) = (arguments.next().unwrap(), arguments.next().unwrap().parse().unwrap());
    match case.as_str() {{
{arms}
        _ => panic!(),
    }}
}}
"""

CRITERION = """\
#![allow(unused)]
use std::hint::black_box;
use criterion::{{BatchSize, Criterion, criterion_group, criterion_main}};
{items}
fn cases(c: &mut Criterion) {{
{arms}
}}
criterion_group!(benches, cases);
criterion_main!(benches);
"""

DIVAN = """\
#![allow(unused)]
use std::hint::black_box;
use divan::Bencher;
{items}
fn main() {{
    divan::main();
}}
{arms}
"""


def hidden(case):
    """The variables, at which the compiler must reckon with a change."""
    return " ".join(f"let {name} = {value}; black_box(&raw const {name});"
                    for name, value in case.variables.items())


def shown_anew(case):
    """The variables within a benchmark, where they are captured: nothing may be worked out beforehand."""
    return " ".join(f"let {name} = black_box({name});" if value.endswith("u64")
                    else f"let {name} = black_box(&{name});" for name, value in case.variables.items())


def by_hand(case):
    if case.fresh:
        name, value = case.fresh
        # As many inputs as loops, made before the clock is started.
        body = (f"let inputs: Vec<_> = (0..loops).map(|_| {value}).collect(); let start = Instant::now(); "
                f"for mut {name} in inputs {{ let mut {name} = std::mem::ManuallyDrop::new({name}); "
                f"black_box(&({case.code})); }} start.elapsed()")
    else:
        body = (f"let start = Instant::now(); for _ in 0..loops {{ black_box(&({case.code})); }} "
                "start.elapsed()")
    return f'"{case.name}" => {{ {hidden(case)} println!("{{}}", best(loops, |loops| {{ {body} }})); }}'


def of_criterion(case):
    if case.fresh:
        name, value = case.fresh
        routine = f"b.iter_batched_ref(|| {value}, |{name}| {case.code}, BatchSize::SmallInput)"
    else:
        routine = f"b.iter(|| {{ {shown_anew(case)} {case.code} }})"
    return f'{{ {hidden(case)} c.bench_function("{case.name}", |b| {routine}); }}'


def of_divan(case):
    if case.fresh:
        name, value = case.fresh
        routine = f"bencher.with_inputs(|| {value}).bench_refs(|{name}| {case.code})"
    else:
        routine = f"bencher.bench_local(|| {{ {shown_anew(case)} {case.code} }})"
    return f"#[divan::bench]\nfn {case.name}(bencher: Bencher) {{ {hidden(case)} {routine} }}"


def hand_times(directory, loops):
    crate(directory, "hand")
    arms = "\n".join(by_hand(case) for case in TIMES)
    Path(directory, "src", "main.rs").write_text(HAND.format(items=ITEMS, arms=arms, runs=RUNS + 2))
    cargo(directory, "build", "--release")
    program = Path(directory, "target", "release", "hand")

    def time(name):
        command = [program, name, str(loops[name])]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    return {case.name: time(case.name) for case in TIMES}


def benches(directory, name, dependency, source):
    """Builds a crate with one benchmark; false if the dependency cannot be had."""
    # The crate is not the dependency.
    crate(directory, f"with-{name}", f"\n[dev-dependencies]\n{dependency}\n\n[[bench]]\nname = \"all\"\nharness = false\n")
    Path(directory, "src", "lib.rs").write_text("")
    Path(directory, "benches").mkdir(exist_ok=True)
    Path(directory, "benches", "all.rs").write_text(source)
    if cargo(directory, "fetch", check=False, capture_output=True).returncode != 0:
        print(f"no {name}: cargo cannot get the crate\n")
        return False
    cargo(directory, "bench", "--no-run")
    return True


def bench(directory, *arguments):
    return cargo(directory, "bench", "--bench", "all", "--", *arguments, capture_output=True).stdout


def criterion_times(directory):
    source = CRITERION.format(items=ITEMS, arms="\n".join(map(of_criterion, TIMES)))
    dependency = 'criterion = { version = "0.7", default-features = false, features = ["cargo_bench_support"] }'
    if not benches(directory, "criterion", dependency, source):
        return {}
    # Each time into a directory of its own: there is nothing to compare with.
    shutil.rmtree(Path(directory, "target", "criterion"), ignore_errors=True)
    bench(directory, "--warm-up-time", "0.5", "--measurement-time", "1.5")

    def best(name):
        sample = json.loads(Path(directory, "target", "criterion", name, "new", "sample.json").read_text())
        return min(time / loops for time, loops in zip(sample["times"], sample["iters"]))

    return {case.name: best(case.name) for case in TIMES}


UNITS = {"ps": 1e-3, "ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9}


def divan_times(directory):
    source = DIVAN.format(items=ITEMS, arms="\n".join(map(of_divan, TIMES)))
    if not benches(directory, "divan", 'divan = "0.1"', source):
        return {}
    printed = bench(directory, "--min-time", "1")
    found = re.findall(r"[├╰]─ (\w+) +([\d.]+) (ps|ns|µs|ms|s) ", printed)
    return {name: float(number) * UNITS[unit] for name, number, unit in found}


def cell(case, options):
    """The magic, with its options."""
    if case.fresh:
        name, value = case.fresh
        return f"%%timeit --fresh {options} let mut {name} = {value};\n{case.code}"
    variables = "".join(f"let {name} = {value}; " for name, value in case.variables.items())
    return f"%%timeit {options} {variables}\n{case.code}" if variables else f"%timeit {options} {case.code}"


def loops_of_short_runs(kernel):
    """Many short runs find the least time on a machine with other work; `%timeit` chooses runs of 0.2 s."""
    loops = {case.name: kernel.run(cell(case, "-r 1")).json["loops"] for case in TIMES}
    return {name: max(1, min(count // 40, 1_000_000)) for name, count in loops.items()}


def memit_times(kernel, loops):
    return {case.name: kernel.run(cell(case, f"-r {RUNS} -n {loops[case.name]}")).json["best"]
            for case in TIMES}


def compare_times(kernel, directory, cache, rounds):
    least, loops = {}, loops_of_short_runs(kernel)
    for _ in range(rounds):
        found = {"`%timeit`": memit_times(kernel, loops), "by hand": hand_times(Path(directory, "hand"), loops),
                 "criterion": criterion_times(Path(cache, "criterion")),
                 "divan": divan_times(Path(cache, "divan"))}
        for tool, times in found.items():
            for name, time in times.items():
                times[name] = min(time, least.get(tool, {}).get(name, time))
            least[tool] = times
    tools = [tool for tool, times in least.items() if times]

    def row(case):
        times = [least[tool].get(case.name) for tool in tools]
        ratios = [f"{times[0] / time:.2f}" if time else "" for time in times[1:]]
        shown = ["" if time is None else common.duration(time) for time in times]
        return (f"`{case.name}`", *shown, *ratios)

    in_turns = "one round" if rounds == 1 else f"{rounds} rounds in turns"
    print(f"The least time of a loop, of {in_turns}. criterion's `iter` and `%timeit` drop the\n"
          "value within the time, divan behind it.\n")
    header = ["statement", *tools, *(f"`%timeit` / {tool}" for tool in tools[1:])]
    common.table(header, [row(case) for case in TIMES])


def main():
    common.enter_environment()
    parser = common.arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=2, help="turns of each timer (default: 2)")
    parser.add_argument("--only", choices=["heap", "time"], help="one half alone")
    options = parser.parse_args()
    memit = common.find_memit(options.memit)
    # criterion is built once.
    cache = Path(sys.prefix).parent / "truth"
    print(common.machine(memit), end="\n\n")
    with tempfile.TemporaryDirectory(prefix="memit-compare-") as directory:
        with common.MemitKernels(memit) as kernels, kernels.start() as kernel:
            kernel.run(f":build_env RUSTFLAGS=-Cprefer-dynamic {PLACEMENT}")
            kernel.run(ITEMS)
            if options.only != "time":
                compare_heap(kernel, directory)
            if options.only != "heap":
                compare_times(kernel, directory, cache, options.rounds)


if __name__ == "__main__":
    main()
