#!/usr/bin/env python3
"""What a cell costs as the session grows: with cells, functions, variables, data and dependencies.

Sessions take turns with a small session, so that what else the machine does hits both alike."""

import contextlib
import statistics

import common

CELLS = [("`1+1`", "1+1"), ("`let x = 3;`", "let x = 3;"), ("an empty `%memit`", "%memit ()"),
         ("a call of a function", "f1(1)")]

DEPENDENCIES = """\
:dep serde_json = "1"
:dep rayon = "1"
use rayon::prelude::*;
fn sum(n: u64) -> u64 { (0..n).into_par_iter().sum() }
fn parse(text: &str) -> serde_json::Value { serde_json::from_str(text).unwrap() }"""


def function(number):
    """A function of 20 lines with a type."""
    lines = "\n".join(f"    sum = sum.wrapping_mul({n + 2}).rotate_left({n}) ^ n;" for n in range(15))
    return (f"struct Point{number} {{ x: u64 }}\npub fn f{number}(n: u64) -> u64 {{\n"
            f"    let mut sum = Point{number} {{ x: n }}.x;\n{lines}\n    sum\n}}")


def defining(count):
    """Cells that define so many functions, ten in each."""
    return ["\n".join(function(n) for n in range(start, start + 10)) for start in range(0, count, 10)]


SESSIONS = [
    ("10 cells", ["1+1"] * 10),
    ("100 cells", ["1+1"] * 100),
    ("1000 cells", ["1+1"] * 1000),
    ("100 functions", defining(100)),
    ("300 functions", defining(300)),
    ("100 variables", [f"let v{n} = vec![{n}u64; 10];" for n in range(100)]),
    ("1 GiB", ["let data = vec![1u8; 1 << 30];"]),
    ("8 GiB", ["let data = vec![1u8; 8 << 30];"]),
    ("dependencies", [DEPENDENCIES]),
]


def main():
    common.enter_environment()
    parser = common.arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="turns of each session (default: 7)")
    parser.add_argument("--only", metavar="TEXT", default="", help="sessions whose names contain it")
    options = parser.parse_args()
    memit = common.find_memit(options.memit)
    print(common.machine(memit), end="\n\n")
    rows = []
    with common.MemitKernels(memit) as kernels:
        for name, sources in SESSIONS:
            if options.only not in name:
                continue
            with contextlib.ExitStack() as stack:
                small, grown = (stack.enter_context(kernels.start()) for _ in range(2))
                for kernel in (small, grown):
                    kernel.run(function(1))
                for source in sources:
                    grown.run(source)
                for source in ["1+1"] * 3:
                    small.run(source)
                times = [([], []) for _ in CELLS]
                for _ in range(options.rounds):
                    for (_, code), sides in zip(CELLS, times):
                        for side, kernel in zip(sides, (small, grown)):
                            side.append(kernel.run(code).seconds)
            for (cell, _), (small_times, grown_times) in zip(CELLS, times):
                before, after = statistics.median(small_times), statistics.median(grown_times)
                rows.append((name, cell, f"{1000 * before:.0f} ms", f"{1000 * after:.0f} ms",
                             f"{after / before:.2f}"))
    print(f"Median of {options.rounds}.\n")
    common.table(["session", "cell", "new session", "this session", "ratio"], rows)


if __name__ == "__main__":
    main()
