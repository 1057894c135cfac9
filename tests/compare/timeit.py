#!/usr/bin/env python3
"""`%timeit` beside the same loop written by hand and built by `cargo build --release`.

The two take turns, so that what else the machine does hits both alike. Both are compiled with flags
that place branches and small loops alike: on many x86-64 processors a branch at the end of a 32-byte
block costs up to half of a tight loop's speed. `--plain` leaves their places to luck."""

import os
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import common


class Case(NamedTuple):
    name: str
    expression: str
    # Variables that the expression uses, with the values they start from.
    variables: dict = {}
    items: str = ""


# Intel, "Mitigations for Jump Conditional Code Erratum". Nothing happens on other architectures.
PLACEMENT = (
    "-Cllvm-args=-x86-branches-within-32B-boundaries "
    "-Cllvm-args=-x86-experimental-pref-innermost-loop-alignment=6"
)

CASES = [
    Case(
        "vec",
        "vec![0u8; 64]",
    ),
    Case(
        "arithmetic",
        "x.wrapping_mul(y) ^ z",
        {"x": "0x9e37_79b9u64", "y": "0x85eb_ca6bu64", "z": "0xc2b2_ae35u64"},
    ),
    Case(
        "hash_map",
        "map.get(&key)",
        {
            "map": "(0..1000u64).map(|i| (i * i, i)).collect::<std::collections::HashMap<_, _>>()",
            "key": "250_000u64",
        },
    ),
    Case(
        "squares",
        "numbers.iter().map(|n| n * n).sum::<u64>()",
        {"numbers": "(0..1000u64).collect::<Vec<_>>()"},
    ),
    Case(
        "sort",
        "{ let mut sorted = shuffled.clone(); sorted.sort_unstable(); sorted }",
        {"shuffled": "(0..10_000u64).map(|i| i * 7919 % 10_007).collect::<Vec<_>>()"},
    ),
    Case(
        "julia",
        "julia(size)",
        {"size": "150usize"},
        """\
fn julia(size: usize) -> u64 {
    let at = |pixel| pixel as f64 * 3.6 / size as f64 - 1.8;
    let mut iterations = 0;
    for (x, y) in (0..size).flat_map(|x| (0..size).map(move |y| (x, y))) {
        let (mut re, mut im) = (at(x), at(y));
        let mut left = 300;
        while left > 0 && re * re + im * im < 4.0 {
            (re, im) = (re * re - im * im - 0.62772, 2.0 * re * im - 0.42193);
            left -= 1;
            iterations += 1;
        }
    }
    iterations
}
""",
    ),
]

PROGRAM = """\
use std::hint::black_box;
use std::time::Instant;

{items}
fn main() {{
    let mut arguments = std::env::args().skip(1).map(|count| count.parse::<u64>().unwrap());
    let (loops, runs) = (arguments.next().unwrap(), arguments.next().unwrap());
    {variables}
    for run in 0..=runs {{
        let start = Instant::now();
        for _ in 0..loops {{
            // By reference, as `%timeit` does: moving the value takes time, too.
            black_box(&({expression}));
        }}
        let elapsed = start.elapsed();
        // The first is to warm up.
        if run > 0 {{
            println!("{{}}", elapsed.as_nanos());
        }}
    }}
}}
"""


def build_programs(directory, flags, cases, dependencies=()):
    """One program for each case, with the settings of a release. Returns where they are."""
    manifest = '[package]\nname = "hand"\nedition = "2024"\n\n[workspace]\n\n[dependencies]\n'
    manifest += "".join(f"{dependency}\n" for dependency in dependencies)
    Path(directory, "Cargo.toml").write_text(manifest)
    sources = Path(directory, "src", "bin")
    sources.mkdir(parents=True)
    for case in cases:
        # As `%timeit` does: the compiler must reckon with a change at every `black_box`.
        variables = [f"let {name} = {value};\n    black_box(&raw const {name});"
                     for name, value in case.variables.items()]
        program = PROGRAM.format(
            items=case.items, variables="\n    ".join(variables), expression=case.expression
        )
        Path(sources, f"{case.name}.rs").write_text(program)
    build = ["cargo", "build", "--quiet", "--release", "--target-dir", Path(directory, "target")]
    subprocess.run(build, cwd=directory, check=True, env=os.environ | {"RUSTFLAGS": flags})
    return Path(directory, "target", "release")


class Timing(NamedTuple):
    """Nanoseconds per loop."""

    mean: float
    best: float


def time_by_hand(program, loops, runs):
    counts = [str(loops), str(runs)]
    printed = subprocess.run([program, *counts], check=True, capture_output=True, text=True).stdout
    timings = [int(line) / loops for line in printed.split()]
    return Timing(statistics.fmean(timings), min(timings))


def compare(kernel, program, case, options):
    """The timings of `%timeit` and of the program, round by round."""
    kernel.run("\n".join(f"let {name} = {value};" for name, value in case.variables.items()) + "\n")
    rounds, loops = [], 0
    for _ in range(options.rounds):
        fixed = f"-n {loops} " if loops else ""
        measured = kernel.run(f"%timeit -r {options.runs} {fixed}{case.expression}").json
        loops = measured["loops"]
        magic = Timing(measured["average"], measured["best"])
        rounds.append((magic, time_by_hand(program, loops, options.runs)))
    return loops, rounds


def row(case, loops, rounds):
    def median(pick):
        return statistics.median(pick(magic, hand) for magic, hand in rounds)

    code = case.expression if len(case.expression) < 30 else case.name
    return (
        f"`{code}`",
        f"{loops:,}",
        common.duration(median(lambda magic, hand: magic.mean)),
        common.duration(median(lambda magic, hand: hand.mean)),
        f"{median(lambda magic, hand: magic.mean / hand.mean):.3f}",
        f"{median(lambda magic, hand: magic.best / hand.best):.3f}",
        f"{min(m.best for m, _ in rounds) / min(h.best for _, h in rounds):.3f}",
    )


def main():
    common.enter_environment()
    parser = common.arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each side (default: 5)")
    parser.add_argument("--runs", type=int, default=7, help="runs in each turn (default: 7)")
    parser.add_argument("--plain", action="store_true", help="do not place branches")
    parser.add_argument("--build-env", action="append", default=[], metavar="NAME=VALUE",
                        help="build cells with this variable in the environment")
    parser.add_argument("--only", choices=[case.name for case in CASES], help="one case alone")
    options = parser.parse_args()
    memit = common.find_memit(options.memit)
    cases = [case for case in CASES if options.only in (None, case.name)]
    flags = "" if options.plain else PLACEMENT
    build_env = [f"RUSTFLAGS=-Cprefer-dynamic {flags}", *options.build_env]
    with tempfile.TemporaryDirectory(prefix="memit-compare-") as directory:
        programs = build_programs(directory, flags, cases)
        with common.MemitKernels(memit) as kernels, kernels.start() as kernel:
            for variable in build_env:
                kernel.run(f":build_env {variable}")
            kernel.run("".join(case.items for case in cases) or "()")
            rows = [row(case, *compare(kernel, programs / case.name, case, options)) for case in cases]
    print(common.machine(memit), end="\n\n")
    header = ["snippet", "loops", "`%timeit`", "by hand", "ratio of means", "ratio of bests", "best of all"]
    common.table(header, rows)
    print(f"Times are means per loop; times and the first two ratios are medians of "
          f"{options.rounds} rounds of {options.runs} runs.")


if __name__ == "__main__":
    main()
