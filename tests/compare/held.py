#!/usr/bin/env python3
"""What a cell costs in sessions that hold 1, 200 and 1000 variables.

The sessions take turns, so that what else the machine does hits all alike. A ratio of 1 means that a
cell costs the same whatever the session holds."""

import statistics
from contextlib import ExitStack

import common

HELD = [1, 200, 1000]
# Variables that one cell binds.
BATCH = 50

CELLS = ["1+1", "let x = 3;", "v0.len()", "%memit ()"]


def fill(kernel, count):
    for first in range(0, count, BATCH):
        numbers = range(first, min(first + BATCH, count))
        kernel.run("\n".join(f"let v{n} = vec![{n}u64, 1];" for n in numbers))


def main():
    common.enter_environment()
    parser = common.arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="turns of each session (default: 15)")
    options = parser.parse_args()
    program = common.find_memit(options.memit)
    print(common.machine(program), end="\n\n")
    rows = []
    with ExitStack() as stack:
        started = stack.enter_context(common.MemitKernels(program))
        kernels = [stack.enter_context(started.start()) for _ in HELD]
        for kernel, count in zip(kernels, HELD):
            fill(kernel, count)
        for code in CELLS:
            taken = [[] for _ in kernels]
            for at in range(options.rounds + 3):
                for values, kernel in zip(taken, kernels):
                    seconds = kernel.run(code).seconds
                    if at >= 3:
                        values.append(seconds)
            medians = [statistics.median(values) for values in taken]
            times = [common.duration(1e9 * median) for median in medians]
            ratios = [f"{median / medians[0]:.2f}" for median in medians[1:]]
            rows.append((f"`{code}`", *times, *ratios))
    print("Medians of the time from a cell to the end of its output.\n")
    names = [f"{count} held" for count in HELD]
    common.table(["", *names, *(f"{name} / {names[0]}" for name in names[1:])], rows)


if __name__ == "__main__":
    main()
