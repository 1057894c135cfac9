#!/usr/bin/env python3
"""`%memit` against allocations of known size, and beside IPython with memory_profiler: how far off
the figures are, and how long one waits for them."""

import re
import statistics

import common

SIZES = {
    "100 kB": 100_000,
    "1 MB": 1_000_000,
    "10 MiB": 10 << 20,
    "100 MiB": 100 << 20,
    "1 GiB": 1 << 30,
}

# A million blocks, and what the allocator says that it gave for them, each behind a header.
BOXES = "(0..1_000_000u32).map(|i| Box::new([i; 6])).collect::<Vec<_>>()"
HEADER = 8
FOREIGN = 'unsafe extern "C" { fn malloc_usable_size(block: *mut std::ffi::c_void) -> usize; }'
USABLE = f"""\
let blocks = {BOXES};
let usable: usize = std::iter::once(blocks.as_ptr().cast_mut().cast())
    .chain(blocks.iter().map(|block| std::ptr::from_ref(block.as_ref()).cast_mut().cast()))
    .map(|block| unsafe {{ malloc_usable_size(block) }})
    .sum();
println!("{{usable}}");
drop(blocks);
"""


def size(n):
    """A difference in bytes, with its sign."""
    for unit, length in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if abs(n) >= length:
            return f"{n / length:+.4g} {unit}"
    return f"{n:+} B" if n else "0"


def errors(found, expected):
    """Every repetition's error, or the one that all share."""
    differences = [size(n - expected) for n in found]
    return differences[0] if len(set(differences)) == 1 else ", ".join(differences)


def memit_runs(kernel, statement, repeat):
    return kernel.run(f"%memit -r {repeat} {statement}").json["runs"]


def profiler_increments(kernel, statement, repeat):
    """What `%memit` of memory_profiler prints as the increment, in bytes, before it is rounded."""
    code = f"r = %memit -o -q {statement}\nprint(round((max(r.mem_usage) - r.baseline) * 2**20))"
    return [int(kernel.run(code).stdout) for _ in range(repeat)]


def accuracy(memit, python, repeat):
    rows = []
    for name, n in SIZES.items():
        runs = memit_runs(memit, f"vec![1u8; {n}]", repeat)
        rows.append((
            f"one block of {name}",
            errors([run["increment"] for run in runs], n),
            errors([run["heap_peak"] for run in runs], n),
            errors(profiler_increments(python, f"bytearray({n})", repeat), n),
        ))
    memit.run(FOREIGN)
    # Twice, as glibc takes large blocks from elsewhere once one of that size has been freed.
    usable = [int(re.search(r"\d+", memit.run(USABLE).stdout)[0]) for _ in range(2)][-1]
    runs = memit_runs(memit, BOXES, repeat)
    rows.append((
        "1,000,000 blocks and their vector",
        errors([run["increment"] for run in runs], usable + HEADER * 1_000_001),
        errors([run["heap_peak"] for run in runs], usable),
        "",
    ))
    header = ["allocated", "increment", "heap peak", "increment of memory_profiler"]
    print(f"Errors of {repeat} repetitions; one figure where all agree. The increment is resident\n"
          "memory, which comes in pages of 4 KiB and, in the last row, with glibc's headers.\n")
    common.table(header, rows)


def latency(memit, python, times):
    def median(kernel, code):
        kernel.run(code)
        return milliseconds(statistics.median(kernel.run(code).seconds for _ in range(times)))

    rows = [
        ("nothing", median(memit, "%memit ()"), median(python, "%memit pass")),
        ("100 MiB", median(memit, "%memit vec![1u8; 100 << 20]"),
         median(python, "%memit bytearray(100 << 20)")),
    ]
    print(f"From the request to the end of its output, median of {times}.\n")
    common.table(["cell", "memit", "IPython, memory_profiler"], rows)


def start(start_kernel):
    """Seconds from the start of the process to the answers to kernel_info and to a first cell."""
    with start_kernel() as kernel:
        return kernel.ready, kernel.since_start(kernel.run("1 + 1"))


def starts(kernels, times):
    pairs = [(start(kernels.start), start(common.start_ipykernel)) for _ in range(times)]
    rows = []
    for at, name in enumerate(("kernel_info_reply", "reply to a first cell, `1 + 1`")):
        both = [statistics.median(pair[side][at] for pair in pairs) for side in range(2)]
        rows.append((name, *map(milliseconds, both)))
    print(f"From the start of the kernel's process, median of {times}.\n")
    common.table(["answer", "memit", "ipykernel"], rows)


def milliseconds(seconds):
    return f"{1000 * seconds:,.0f} ms"


def main():
    common.enter_environment()
    parser = common.arguments(__doc__)
    parser.add_argument("--repeat", type=int, default=5, help="repetitions of a size (default: 5)")
    parser.add_argument("--times", type=int, default=10, help="cells of a kind to wait for (default: 10)")
    parser.add_argument("--starts", type=int, default=3, help="kernels of a kind to start (default: 3)")
    options = parser.parse_args()
    memit = common.find_memit(options.memit)
    print(common.machine(memit), end="\n\n")
    with common.MemitKernels(memit) as kernels:
        with kernels.start() as rust, common.start_ipykernel() as python:
            python.run("%load_ext memory_profiler")
            accuracy(rust, python, options.repeat)
            latency(rust, python, options.times)
        starts(kernels, options.starts)


if __name__ == "__main__":
    main()
