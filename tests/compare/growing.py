#!/usr/bin/env python3
"""What a cell costs as the session grows: with cells, functions, variables, data and dependencies.

Sessions take turns with a small session, so that what else the machine does hits both alike. The script also
prints the memory of the kernel and of the supervisor."""

import os
import statistics
from pathlib import Path

import cells
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
    ("1000 functions", defining(1000)),
    ("1000 cells, 300 functions", ["1+1"] * 970 + defining(300)),
    ("100 variables", [f"let v{n} = vec![{n}u64; 10];" for n in range(100)]),
    ("1 GiB", ["let data = vec![1u8; 1 << 30];"]),
    ("8 GiB", ["let data = vec![1u8; 8 << 30];"]),
    ("dependencies", [DEPENDENCIES]),
]


# What evcxr_jupyter can run, too.
COMMON = [(name, code) for name, code in CELLS if not code.startswith("%")]


def resident(pid):
    """The resident set of a process, in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def memory(kernel):
    """The resident sets of a kernel of memit and of its supervisor."""
    pid = kernel.manager.provisioner.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    commands = {child: Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0") for child in children}
    supervisor = next(child for child, command in commands.items() if b"session" in command[1:2])
    return resident(pid), resident(supervisor)


def compare(start, session, tried, rounds):
    """The times of some cells in a new session and in a grown one, and the grown kernel's memory."""
    with start() as small, start() as grown:
        for kernel in (small, grown):
            kernel.run(function(1))
        for source in session:
            grown.run(source)
        for source in ["1+1"] * 3:
            small.run(source)
        times = [([], []) for _ in tried]
        for _ in range(rounds):
            for (_, code), sides in zip(tried, times):
                for side, kernel in zip(sides, (small, grown)):
                    side.append(kernel.run(code).seconds)
        used = memory(grown) if tried is CELLS else None
    return [tuple(map(statistics.median, sides)) for sides in times], used


def main():
    common.enter_environment()
    parser = common.arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="turns of each session (default: 7)")
    parser.add_argument("--only", metavar="TEXT", default="", help="sessions whose names contain it")
    parser.add_argument("--evcxr", action="store_true", help="the same in evcxr_jupyter, which takes long")
    options = parser.parse_args()
    memit = common.find_memit(options.memit)
    program = cells.install_evcxr() if options.evcxr else None
    print(common.machine(memit), end="\n\n")
    rows, sizes = [], []
    with common.MemitKernels(memit) as kernels:
        programs = [("memit", kernels.start, CELLS)]
        if program:
            others = cells.EvcxrKernels(program, kernels.directory.name)
            programs.append(("evcxr_jupyter", others.start, COMMON))
        for name, session in SESSIONS:
            if options.only not in name:
                continue
            for of, start, tried in programs:
                medians, used = compare(start, session, tried, options.rounds)
                for (cell, _), (before, after) in zip(tried, medians):
                    rows.append((name, of, cell, f"{1000 * before:.0f} ms", f"{1000 * after:.0f} ms",
                                 f"{after / before:.2f}"))
                if used:
                    sizes.append((name, *(f"{size:.0f} MiB" for size in used)))
    print(f"Median of {options.rounds}.\n")
    common.table(["session", "kernel", "cell", "new session", "this session", "ratio"], rows)
    common.table(["session", "the kernel's memory", "the supervisor's"], sizes)


if __name__ == "__main__":
    main()
