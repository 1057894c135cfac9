#!/usr/bin/env python3
"""Two versions of memit against each other: how long cells take, what %timeit measures, what %mprun
costs, and what a sample of `memit mprof run` costs.

Both versions take turns, so that what else the machine does hits both alike. A ratio of 1 means that
nothing has changed."""

import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path

import common
import lines
import mprof

LATENCIES = ["1+1", "let x = 3;", "%memit ()", "%memit vec![1u8; 100 << 20]"]

TIMED = [
    "let x = std::hint::black_box(3u64); x * x ^ x",
    "vec![0u8; 64]",
    "(0..1000u64).map(std::hint::black_box).sum::<u64>()",
]

# Seconds between two samples.
INTERVAL = 0.001


def turns(rounds, sides, measure):
    """What `measure` makes of each side, a list of one value a round for each."""
    values = [[] for _ in sides]
    for _ in range(rounds):
        for measured, side in zip(values, sides):
            measured.append(measure(side))
    return values


def row(name, values, show):
    before, after = (statistics.median(side) for side in values)
    spread = statistics.quantiles([new / old for old, new in zip(*values)], n=4)
    return name, show(before), show(after), f"{after / before:.3f}", f"{spread[0]:.2f} … {spread[2]:.2f}"


def seconds(seconds):
    return common.duration(1e9 * seconds)


def time_per_loop(kernel, code):
    return kernel.run(f"%timeit -r 3 {code}").json["best"]


def slowdown(kernel, program):
    """How many times longer the program takes under `%mprun`."""
    call = f"{program.functions[-1]}({program.rust_arguments})"
    plain = kernel.run(f"%timeit -n 1 -r 1 {call}").json["best"]
    options = " ".join(f"-f {function}" for function in program.functions)
    return kernel.run(f"%mprun {options} {call}").json["wall_ns"] / plain


def main():
    common.enter_environment()
    parser = common.arguments(__doc__)
    parser.add_argument("--before", type=Path, required=True, metavar="PATH",
                        help="the older program; `--memit` names the newer one")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each version (default: 15)")
    options = parser.parse_args()
    programs = [common.find_memit(options.before), common.find_memit(options.memit)]
    print(common.machine(programs[1]), end="\n\n")
    rows = []
    with ExitStack() as stack:
        started = [stack.enter_context(common.MemitKernels(program)) for program in programs]
        kernels = [stack.enter_context(each.start()) for each in started]
        for code in LATENCIES:
            turns(3, kernels, lambda kernel: kernel.run(code))
            taken = turns(options.rounds, kernels, lambda kernel: kernel.run(code).seconds)
            rows.append(row(f"`{code}`, to the end of its output", taken, seconds))
        for code in TIMED:
            taken = turns(max(3, options.rounds // 3), kernels,
                          lambda kernel: time_per_loop(kernel, code))
            rows.append(row(f"`%timeit {code}`, a loop", taken, common.duration))
        for program in lines.PROGRAMS:
            for kernel in kernels:
                kernel.run(program.rust)
            taken = turns(max(3, options.rounds // 3), kernels,
                          lambda kernel: slowdown(kernel, program))
            rows.append(row(f"`%mprun` of {program.name}, slowdown", taken, "{:.2f}".format))
    with tempfile.TemporaryDirectory() as directory:
        sawtooth = mprof.build(directory)
        samplers = [[program, "mprof", "run", "-q"] for program in programs]
        runs = turns(max(3, options.rounds // 3), samplers,
                     lambda sampler: mprof.record(sampler, sawtooth, 4, INTERVAL, directory).cost)
        rows.append(row("a sample of `memit mprof run` at 1 kHz", runs, common.duration))
    print("Medians; the last column has the middle half of the ratios of single rounds.\n")
    common.table(["", "before", "after", "after / before", "single rounds"], rows)


if __name__ == "__main__":
    main()
