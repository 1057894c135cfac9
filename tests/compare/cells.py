#!/usr/bin/env python3
"""How long small cells take, here, in evcxr_jupyter and in IPython with memory_profiler.

The kernels take turns, so that what else the machine does hits all alike. evcxr_jupyter is built by
`cargo install` on the first run, which takes some minutes."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import common

EVCXR = "0.22.0"

# Of each kind of cell: what the two Rust kernels run, and what IPython runs.
CELLS = [
    ("`1+1`", "1+1", "1+1"),
    ("`let x = 3;`", "let x = 3;", "x = 3"),
    ("an empty `%memit`", "%memit ()", "%memit pass"),
]


def install_evcxr():
    """The program evcxr_jupyter, of the version that memit builds on."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    root = cache / "memit-compare" / f"evcxr_jupyter-{EVCXR}"
    program = root / "bin" / "evcxr_jupyter"
    if not program.exists():
        print(f"building evcxr_jupyter {EVCXR} into {root}", file=sys.stderr)
        subprocess.run(["cargo", "install", "--locked", "--root", root,
                        f"evcxr_jupyter@{EVCXR}"], check=True, cwd=common.NEUTRAL)
    return program


class EvcxrKernels:
    """Starts kernels of evcxr_jupyter, from a kernelspec of their own."""

    def __init__(self, program, directory):
        data = Path(directory) / "evcxr"
        subprocess.run([program, "--install"], check=True, capture_output=True,
                       env={**os.environ, "JUPYTER_PATH": str(data)})
        self.kernels = data / "kernels"
        if not (self.kernels / "rust").exists():
            sys.exit(f"evcxr_jupyter did not install its kernelspec into {data}")

    def start(self):
        return common.Kernel("rust", self.kernels)


def seconds(kernel, code):
    return kernel.run(code).seconds


def first_and_tenth_let(start):
    """Of a new session that has been idle for 6 s, in seconds."""
    with start() as kernel:
        kernel.run("1;")
        time.sleep(6)
        times = [seconds(kernel, f"let v{n} = {n};") for n in range(10)]
        return times[0], times[9]


def main():
    common.enter_environment()
    parser = common.arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="turns of each kernel (default: 15)")
    options = parser.parse_args()
    memit = common.find_memit(options.memit)
    program = install_evcxr()
    print(common.machine(memit), end="\n\n")
    with common.MemitKernels(memit) as kernels:
        evcxr_kernels = EvcxrKernels(program, kernels.directory.name)
        with kernels.start() as ours, evcxr_kernels.start() as evcxr, \
                common.start_ipykernel() as python:
            python.run("%load_ext memory_profiler")
            rows = []
            for name, rust, other in CELLS:
                sides = [(ours, rust), (python, other)]
                if not rust.startswith("%"):
                    sides.insert(1, (evcxr, rust))
                for kernel, code in sides:
                    for _ in range(3):
                        kernel.run(code)
                taken = [[] for _ in sides]
                for _ in range(options.rounds):
                    for times, (kernel, code) in zip(taken, sides):
                        times.append(seconds(kernel, code))
                medians = [statistics.median(times) for times in taken]
                against = [f"{medians[0] / median:.2f}" for median in medians[1:]]
                if len(sides) == 2:
                    medians.insert(1, None)
                    against.insert(0, "")
                rows.append((name, *(f"{1000 * m:,.0f} ms" if m else "" for m in medians), *against))
        print(f"From the request to the end of its output, median of {options.rounds}.\n")
        common.table(["cell", "memit", f"evcxr_jupyter {EVCXR}", "IPython",
                      "memit / evcxr_jupyter", "memit / IPython"], rows)
        first, tenth = first_and_tenth_let(kernels.start)
        print(f"The first `let` of a session, after 6 s of idling: {1000 * first:,.0f} ms, the tenth: "
              f"{1000 * tenth:,.0f} ms, ratio {first / tenth:.2f}.")


if __name__ == "__main__":
    main()
