#!/usr/bin/env python3
"""What dependencies cost: the time of cells in a notebook that uses some, beside one that uses none,
and `%timeit` of code in dependencies beside the same loop built by `cargo build --release`.

The two sides take turns, so that what else the machine does hits both alike."""

import statistics
import tempfile

import common
import timeit
from timeit import Case

DEPENDENCIES = [
    'serde_json = "1"',
    'rayon = "1"',
    'tokio = { version = "1", features = ["rt-multi-thread", "time"] }',
    'hashbrown = "0.15"',
    'ndarray = "0.16"',
]

# A notebook that uses its dependencies: later cells contain these items.
USES = """\
use rayon::prelude::*;
fn parse(text: &str) -> serde_json::Value { serde_json::from_str(text).unwrap() }
fn squares(n: u64) -> u64 { (0..n).into_par_iter().map(|i| i * i).sum() }
async fn nap() { tokio::time::sleep(std::time::Duration::from_millis(1)).await }
"""

# A large dependency, which compiles for minutes where no session has compiled it.
POLARS = """\
:dep polars = { version = "0.46", features = ["lazy"] }
use polars::prelude::*;
fn height() -> usize { df!("a" => [1i32, 2, 3]).unwrap().height() }"""

CELLS = [
    ("`1+1`", "1+1"),
    ("`let x = 3;`", "let x = 3;"),
    ("an empty `%memit`", "%memit ()"),
]

JSON = r'(0..100).map(|i| format!("{{\"name\": \"n{i}\", \"at\": [{i}, {i}.5]}}")).collect::<Vec<_>>().join(",")'

CASES = [
    Case(
        "json_parsed",
        "serde_json::from_str::<serde_json::Value>(&text).unwrap()",
        {"text": f'format!("[{{}}]", {JSON})'},
    ),
    Case(
        "json_written",
        "serde_json::to_string(&json).unwrap()",
        {"json": f'serde_json::from_str::<serde_json::Value>(&format!("[{{}}]", {JSON})).unwrap()'},
    ),
    Case(
        "hashbrown_get",
        "table.get(&key)",
        {
            "table": "(0..1000u64).map(|i| (i * i, i)).collect::<hashbrown::HashMap<_, _>>()",
            "key": "250_000u64",
        },
    ),
    Case(
        "hashbrown_collected",
        "(0..1000u64).map(|i| (i, i)).collect::<hashbrown::HashMap<_, _>>()",
    ),
    Case(
        "ndarray_dot",
        "matrix.dot(&matrix)",
        {"matrix": "ndarray::Array2::from_shape_fn((64, 64), |(i, j)| (i * j) as f64)"},
    ),
    Case(
        "ndarray_sum",
        "(&grid + &grid).sum()",
        {"grid": "ndarray::Array2::from_shape_fn((64, 64), |(i, j)| (i * j) as f64)"},
    ),
    Case(
        "rayon_join",
        "rayon::join(|| std::hint::black_box(1), || std::hint::black_box(2))",
    ),
    Case(
        "rayon_sum",
        "(0..2_000_000u64).into_par_iter().map(|n| n ^ n >> 3).sum::<u64>()",
        items="use rayon::prelude::*;\n",
    ),
]


def time_cells(with_none, with_some, rounds):
    for name, code in CELLS:
        taken = ([], [])
        for number in range(rounds + 3):
            for times, kernel in zip(taken, (with_none, with_some)):
                seconds = kernel.run(code).seconds
                # The first are to warm up.
                if number >= 3:
                    times.append(seconds)
        none, some = map(statistics.median, taken)
        yield name, f"{1000 * none:,.0f} ms", f"{1000 * some:,.0f} ms", f"{some / none:.2f}"


def show_cells(kernels, kernel, dependencies, options):
    with kernels.start() as plain:
        rows = list(time_cells(plain, kernel, 3 * options.rounds))
    print(f"From the request to the end of its output, median of {3 * options.rounds}.\n")
    common.table(["cell", "no dependencies", dependencies, "ratio"], rows)


def main():
    common.enter_environment()
    parser = common.arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each side (default: 5)")
    parser.add_argument("--runs", type=int, default=7, help="runs in each turn (default: 7)")
    parser.add_argument("--only", choices=["cells", *(case.name for case in CASES)], help="one part alone")
    parser.add_argument("--polars", action="store_true", help="cells beside a notebook that uses polars, alone")
    options = parser.parse_args()
    memit = common.find_memit(options.memit)
    cases = [case for case in CASES if options.only in (None, case.name)]
    flags = timeit.PLACEMENT
    print(common.machine(memit), end="\n\n")
    depend = "".join(f":dep {dependency}\n" for dependency in DEPENDENCIES)
    with common.MemitKernels(memit) as kernels, kernels.start() as kernel:
        if options.polars:
            kernel.run(POLARS)
            show_cells(kernels, kernel, "polars", options)
            return
        kernel.run(f":build_env RUSTFLAGS=-Cprefer-dynamic {flags}")
        kernel.run(depend + USES)
        if options.only in (None, "cells"):
            show_cells(kernels, kernel, "serde_json, rayon, tokio and others", options)
        if cases:
            with tempfile.TemporaryDirectory(prefix="memit-compare-") as directory:
                programs = timeit.build_programs(directory, flags, cases, DEPENDENCIES)
                rows = [timeit.row(case, *timeit.compare(kernel, programs / case.name, case, options))
                        for case in cases]
            header = ["snippet", "loops", "`%timeit`", "by hand", "ratio of means", "ratio of bests",
                      "best of all"]
            common.table(header, rows)


if __name__ == "__main__":
    main()
