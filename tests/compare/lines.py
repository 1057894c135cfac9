#!/usr/bin/env python3
"""What line-by-line profiling costs: `%mprun` and `%lprun` beside memory_profiler and
line_profiler, on the same programs in Rust and in Python.

Every profiled run follows an unprofiled one, and the two are compared with each other, so that what
else the machine does hits both alike. In Rust the unprofiled run is `%timeit -n 1 -r 1`: a fork of
the session as the profiled one, without probes and with no hooks around the allocator. It is also
the second execution in its fork, with memory and caches warm, which the profiled one, the first, has
not: the difference counts against memit."""

import json
import runpy
import statistics
import sys
import time
from pathlib import Path
from typing import Callable, NamedTuple

import common

NOTEBOOK = common.ROOT / "notebooks" / "julia.ipynb"


class Program(NamedTuple):
    name: str
    # The functions that are profiled, by their names in Rust and in Python.
    functions: list[str]
    rust: str
    # The last of the functions is called with these.
    rust_arguments: str
    # `--backend rss` asks the system at every line, so that it has less to do.
    rust_rss_arguments: str
    python: str
    line_profiler_arguments: tuple
    # It is so much slower that it has less to do.
    memory_profiler_arguments: tuple


def notebook_cells(*names):
    """Cells of the notebook, by their ids."""
    cells = {cell["id"]: cell for cell in json.loads(NOTEBOOK.read_text())["cells"]}
    return "\n".join("".join(cells[name]["source"]) for name in names)


PROGRAMS = [
    Program(
        "julia",
        ["calculate_z", "calc"],
        notebook_cells("complex", "functions"),
        "1000, 300",
        "100, 300",
        """\
def calculate_z(max_iterations, zs, cs):
    output = [0] * len(zs)
    for i in range(len(zs)):
        n = 0
        z = zs[i]
        c = cs[i]
        while abs(z) < 2 and n < max_iterations:
            z = z * z + c
            n += 1
        output[i] = n
    return output

def calc(width, max_iterations):
    step = 3.6 / width
    x = [-1.8 + step * i for i in range(width)]
    y = [1.8 - step * i for i in range(width)]
    zs = []
    cs = []
    for im in y:
        for re in x:
            zs.append(complex(re, im))
            cs.append(complex(-0.62772, -0.42193))
    return calculate_z(max_iterations, zs, cs)
""",
        (200, 300),
        (40, 300),
    ),
    Program(
        "words",
        ["count_words"],
        """\
fn count_words(n: usize) -> std::collections::BTreeMap<String, usize> {
    let mut counts = std::collections::BTreeMap::new();
    for i in 0..n {
        let word = format!("word{}", i * i % 1009);
        *counts.entry(word).or_insert(0) += 1;
    }
    counts
}
""",
        "6_000_000",
        "100_000",
        """\
def count_words(n):
    counts = {}
    for i in range(n):
        word = f"word{i * i % 1009}"
        counts[word] = counts.get(word, 0) + 1
    return counts
""",
        (500_000,),
        (20_000,),
    ),
    Program(
        "boxes",
        ["boxes"],
        """\
fn boxes(n: u64) -> u64 {
    let mut sum = 0;
    for i in 0..n {
        let block = std::hint::black_box(Box::new([i; 6]));
        sum += block[0];
    }
    sum
}
""",
        "40_000_000",
        "200_000",
        """\
def boxes(n):
    total = 0
    for i in range(n):
        block = [i] * 6
        total += block[0]
    return total
""",
        (1_000_000,),
        (20_000,),
    ),
]


class Way(NamedTuple):
    """A way to profile a program."""

    name: str
    # Seconds of a run without and of one with it.
    unprofiled: Callable[[], float]
    profiled: Callable[[], float]
    rounds: int


def memit_ways(kernel, program, options):
    named = " ".join(f"-f {name}" for name in program.functions)

    def unprofiled(call):
        return kernel.run(f"%timeit -n 1 -r 1 {call}").json["all_runs"][0] / 1e9

    def profiled(magic, call):
        return kernel.run(f"{magic} {named} {call}").json["wall_ns"] / 1e9

    def way(magic, arguments, rounds):
        call = f"{program.functions[-1]}({arguments})"
        return Way(f"`{magic}`", lambda: unprofiled(call), lambda: profiled(magic, call), rounds)

    return [
        way("%mprun", program.rust_arguments, options.rounds),
        way("%lprun", program.rust_arguments, options.rounds),
        way("%lprun --exact", program.rust_arguments, options.rounds),
        way("%mprun --backend rss", program.rust_rss_arguments, options.slow_rounds),
    ]


def python_ways(program, options, directory):
    # The `timeit.py` beside this file is not Python's.
    sys.path = [path for path in sys.path if Path(path) != common.HERE]
    import line_profiler
    import memory_profiler

    # Both look for the source in a file.
    source = Path(directory, f"{program.name}.py")
    source.write_text(program.python)
    module = runpy.run_path(str(source))
    functions = [module[name] for name in program.functions]

    def seconds(call, arguments):
        started = time.perf_counter()
        call(*arguments)
        return time.perf_counter() - started

    def by_line_profiler(arguments):
        profiler = line_profiler.LineProfiler(*functions)
        return seconds(lambda *arguments: profiler.runcall(functions[-1], *arguments), arguments)

    def by_memory_profiler(arguments):
        profiler = memory_profiler.LineProfiler()
        for function in functions:
            profiler.add_function(function)
        return seconds(profiler.wrap_function(functions[-1]), arguments)

    def way(name, profiled, arguments, rounds):
        return Way(name, lambda: seconds(functions[-1], arguments), lambda: profiled(arguments), rounds)

    return [
        way("line_profiler", by_line_profiler, program.line_profiler_arguments, options.rounds),
        way("memory_profiler", by_memory_profiler, program.memory_profiler_arguments, options.slow_rounds),
    ]


def take_turns(ways):
    """The seconds without and with each way, round by round."""
    pairs = [[] for _ in ways]
    for turn in range(max(way.rounds for way in ways)):
        for way, taken in zip(ways, pairs):
            if turn < way.rounds:
                taken.append((way.unprofiled(), way.profiled()))
    return pairs


def row(program, way, pairs):
    ratios = [profiled / unprofiled for unprofiled, profiled in pairs]
    without, profiled = zip(*pairs)
    return (
        f"{program.name}, {way.name}",
        common.duration(1e9 * statistics.median(without)),
        common.duration(1e9 * statistics.median(profiled)),
        f"{statistics.median(ratios):.3g}",
        f"{min(ratios):.3g} … {max(ratios):.3g}",
        f"{min(profiled) / min(without):.3g}",
        len(pairs),
    )


def main():
    common.enter_environment()
    parser = common.arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="turns of each way (default: 9)")
    parser.add_argument("--slow-rounds", type=int, default=2, metavar="ROUNDS",
                        help="turns of `--backend rss` and memory_profiler (default: 2)")
    parser.add_argument("--only", choices=[program.name for program in PROGRAMS],
                        help="one program alone")
    options = parser.parse_args()
    memit = common.find_memit(options.memit)
    programs = [program for program in PROGRAMS if options.only in (None, program.name)]
    rows = []
    with common.MemitKernels(memit) as kernels, kernels.start() as kernel:
        for program in programs:
            kernel.run(program.rust)
            ways = [*memit_ways(kernel, program, options), *python_ways(program, options, kernels.directory.name)]
            taken = take_turns(ways)
            rows += [row(program, way, pairs) for way, pairs in zip(ways, taken) if pairs]
    print(common.machine(memit), end="\n\n")
    header = ["program", "unprofiled", "profiled", "slowdown", "of single rounds", "of bests", "rounds"]
    common.table(header, rows)
    print("Times and slowdowns are medians of the rounds; the slowdown of a round is its profiled run\n"
          "by the unprofiled one before it.")


if __name__ == "__main__":
    main()
