#!/usr/bin/env python3
"""How long a session takes to start, here, in evcxr_jupyter and in ipykernel, and what its first cells
cost.

Each round starts new processes, and the programs take turns. evcxr_jupyter is built by `cargo install` on
the first run, which takes some minutes."""

import os
import statistics
import subprocess
import tempfile
import time
from unittest import mock

import cells
import common

MEMIT = "%memit vec![1u8; 100 << 20]"

# What a session depends on whose dependencies another session has compiled.
DEPENDENCIES = [
    (":dep rayon = \"1\"", "rayon::current_num_threads() > 0"),
    (
        ":dep serde_json = { version = \"1\", features = [\"preserve_order\"] }",
        "serde_json::json!(1).is_number()",
    ),
    (
        ":dep tokio = { version = \"1\", features = [\"full\"] }",
        "tokio::runtime::Runtime::new().is_ok()",
    ),
]


# Takes minutes to compile.
LARGE = (
    ":dep polars = { version = \"0.46\", features = [\"lazy\"] }",
    "use polars::prelude::*;\ndf!(\"a\" => [1i32, 2, 3]).unwrap().height()",
)


def first(start, code):
    """Seconds from the start of the kernel's process to the reply to its first cell."""
    with start() as kernel:
        return kernel.since_start(kernel.run(code))


def in_ready_kernel(kernels, code):
    """Seconds that a cell takes in a new kernel that is through with its start."""
    with kernels.start() as kernel:
        kernel.run("1")
        return kernel.run(code).seconds


def evaluated(memit, *codes):
    """Seconds that `memit eval` takes, from start to end."""
    started = time.perf_counter()
    subprocess.run([memit, "eval", *codes], check=True, capture_output=True, cwd=common.NEUTRAL)
    return time.perf_counter() - started


def main():
    common.enter_environment()
    parser = common.arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="starts of each program (default: 5)")
    parser.add_argument("--without-evcxr", action="store_true", help="leave out evcxr_jupyter")
    parser.add_argument("--polars", action="store_true", help="also compile polars, which takes minutes")
    options = parser.parse_args()
    memit = common.find_memit(options.memit)
    program = None if options.without_evcxr else cells.install_evcxr()
    print(common.machine(memit), end="\n\n")
    with common.MemitKernels(memit) as kernels:
        sides = [
            ("memit", lambda: first(kernels.start, "1+1")),
            ("ipykernel", lambda: first(common.start_ipykernel, "1+1")),
        ]
        if program:
            evcxr_kernels = cells.EvcxrKernels(program, kernels.directory.name)
            sides.append(("evcxr_jupyter", lambda: first(evcxr_kernels.start, "1+1")))
        taken = [[] for _ in sides]
        lets, evals, measured = [], [], []
        for _ in range(options.rounds):
            for times, (_, run) in zip(taken, sides):
                times.append(run())
            lets.append(first(kernels.start, "let x = 3;"))
            evals.append(evaluated(memit, "1+1"))
            measured.append(evaluated(memit, MEMIT))
    results = [statistics.median(side) for side in taken]
    rows = [(name, f"{result:.2f} s", f"{results[0] / result:.2f}")
            for (name, _), result in zip(sides, results)]
    print(f"From the start of the process to the result of `1+1`, median of {options.rounds}.\n")
    common.table(["kernel", "first result", "memit / kernel"], rows)
    rows = [
        ("the first cell of a kernel is `let x = 3;`", lets),
        ("`memit eval '1+1'`", evals),
        (f"`memit eval '{MEMIT}'`", measured),
    ]
    common.table(["", "start to end"], [(name, f"{statistics.median(times):.2f} s") for name, times in rows])

    rows = []
    start = statistics.median(evals)
    for dependency, use in DEPENDENCIES + [LARGE] * options.polars:
        cell = f"{dependency}\n{use}"
        with (
            tempfile.TemporaryDirectory(prefix="memit-compare-") as cache,
            mock.patch.dict(os.environ, XDG_CACHE_HOME=cache),
            common.MemitKernels(memit) as kernels,
        ):
            compiled = evaluated(memit, cell)
            later = statistics.median(in_ready_kernel(kernels, cell) for _ in range(options.rounds))
            evals = [evaluated(memit, cell) for _ in range(options.rounds)]
        rows.append((f"`{dependency}`", f"{compiled:.2f} s", f"{statistics.median(evals):.2f} s",
                     f"{statistics.median(evals) / compiled:.2f}", f"{later:.2f} s"))
    print(f"A cell with a dependency: `memit eval` from start to end (`1+1`: {start:.2f} s), and the cell alone in a "
          "later session.\n")
    common.table(["dependency", "first session", "later sessions", "later / first", "the cell alone"], rows)


if __name__ == "__main__":
    main()
