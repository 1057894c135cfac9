"""`%lprun` and `%lprun --exact` with lines of known length.

A function has lines that do known parts of its work. The parts are multiples of one piece of work, which
no profiler sees: a chain of multiplications, which takes the same time wherever the compiler places the
code. The totals are compared with the time for which any thread was in the function, which the threads of
an ordinary cell have read from a clock.
"""

import statistics
from typing import NamedTuple

import common

WORK = """\
#[inline(never)]
fn piece(sum: u64, n: u64) -> u64 {
    (0..n).fold(sum, |sum, i| sum.wrapping_mul(6_364_136_223_846_793_005) ^ i)
}
"""


class Program(NamedTuple):
    name: str
    source: str
    functions: list
    # The statement to profile, for a number of threads.
    statement: str
    # For each line, by a text that it alone contains: its part of the work.
    parts: dict


# Both return the time in nanoseconds for which at least one thread was in `work`.
SPAWNED = """\
use std::time::Instant;
fn clocked(work: fn() -> u64) -> (Instant, Instant) {
    let began = Instant::now();
    std::hint::black_box(work());
    (began, Instant::now())
}
fn together(mut runs: Vec<(Instant, Instant)>) -> u128 {
    runs.sort();
    let mut until = runs[0].0;
    let mut all = 0;
    for (began, ended) in runs {
        all += ended.saturating_duration_since(began.max(until)).as_nanos();
        until = until.max(ended);
    }
    all
}
fn on_threads(threads: u64, work: fn() -> u64) -> u128 {
    if threads == 1 {
        return together(vec![clocked(work)]);
    }
    let threads: Vec<_> = (0..threads).map(|_| std::thread::spawn(move || clocked(work))).collect();
    together(threads.into_iter().map(|thread| thread.join().unwrap()).collect())
}
fn in_scope(threads: u64, work: fn() -> u64) -> u128 {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(|| clocked(work))).collect();
        together(threads.into_iter().map(|thread| thread.join().unwrap()).collect())
    })
}
"""

THREE = """\
fn three() -> u64 {
    let mut sum = 0;
    for _ in 0..200 {
        sum = piece(sum, 4_000);
        sum = piece(sum, 6_000);
        sum = piece(sum, 10_000);
    }
    sum
}
"""
PARTS_OF_THREE = {"(sum, 4_000)": 0.2, "(sum, 6_000)": 0.3, "(sum, 10_000)": 0.5}

PROGRAMS = [
    Program(
        "pieces of 20, 30 and 50 %",
        THREE,
        ["three"],
        "on_threads(THREADS, three)",
        PARTS_OF_THREE,
    ),
    Program(
        "the same in `thread::scope`",
        THREE,
        ["three"],
        "in_scope(THREADS, three)",
        PARTS_OF_THREE,
    ),
    Program(
        "short pieces, some 1 ms in all",
        """\
fn short() -> u64 {
    let mut sum = 0;
    for _ in 0..50 {
        sum = piece(sum, 5_000);
        sum = piece(sum, 15_000);
    }
    sum
}
""",
        ["short"],
        "on_threads(THREADS, short)",
        {"(sum, 5_000)": 0.25, "(sum, 15_000)": 0.75},
    ),
    Program(
        "a tight loop",
        """\
fn tight() -> u64 {
    let mut sum: u64 = 0;
    for i in 0..5_000_000 {
        sum = sum.wrapping_mul(6_364_136_223_846_793_005) ^ i;
    }
    sum
}
""",
        ["tight"],
        "on_threads(THREADS, tight)",
        {},
    ),
    Program(
        "many calls",
        """\
fn calls() -> u64 {
    let mut sum = 0;
    for i in 0..1_000_000 {
        sum = inner(sum, i);
    }
    sum
}
fn inner(sum: u64, n: u64) -> u64 {
    sum.wrapping_mul(6_364_136_223_846_793_005) ^ n
}
""",
        ["calls", "inner"],
        "on_threads(THREADS, calls)",
        {},
    ),
    Program(
        "allocations",
        """\
fn texts() -> u64 {
    let mut sum = 0;
    for i in 0..100_000 {
        let text = i.to_string();
        sum += text.len() as u64;
    }
    sum
}
""",
        ["texts"],
        "on_threads(THREADS, texts)",
        {},
    ),
]


def shares(function):
    """The share of each line, by its source."""
    lines = [line for line in function["lines"] if line["figures"]]
    total = sum(line["figures"]["time_ns"] for line in lines) or 1
    return {line["source"]: line["figures"]["time_ns"] / total for line in lines}


def profiled(kernel, magic, program, statement):
    """Seconds in the first function if they are known, and by how many points the shares are off."""
    named = " ".join(f"-f {name}" for name in program.functions)
    data = kernel.run(f"{magic} {named} {statement}").json
    function = data["functions"][0]
    is_known = data["kind"]["total"]["total"] != "unknown"
    total = sum(line["figures"]["time_ns"] for line in function["lines"] if line["figures"]) / 1e9
    told = shares(function)
    off = [
        100 * abs(share - part)
        for text, part in program.parts.items()
        for source, share in told.items() if text in source
    ]
    return (total if is_known else None), max(off, default=None)


def by_hand(kernel, statement):
    """Seconds in the function: the least of five runs."""
    cell = f'println!("{{}}", (0..5).map(|_| {statement}).min().unwrap());'
    return int(kernel.run(cell).stdout) / 1e9


def row(kernel, program, threads, magic, rounds):
    statement = program.statement.replace("THREADS", str(threads))
    ratios, offs = [], []
    for _ in range(rounds):
        before = by_hand(kernel, statement)
        total, off = profiled(kernel, magic, program, statement)
        if total is not None:
            ratios.append(total / before)
        if off is not None:
            offs.append(off)
    ratio = f"{statistics.median(ratios):.2f}" if ratios else "not told"
    spread = f"{min(ratios):.2f} … {max(ratios):.2f}" if ratios else ""
    return (f"{program.name}, `{magic}`", threads, common.duration(1e9 * before), ratio, spread,
            f"{max(offs):.0f}" if offs else "")


def main():
    common.enter_environment()
    parser = common.arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="turns of each profile (default: 3)")
    parser.add_argument("--only", default="", help="only programs whose name contains this text")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2, 4])
    options = parser.parse_args()
    memit = common.find_memit(options.memit)
    rows = []
    with common.MemitKernels(memit) as kernels, kernels.start() as kernel:
        kernel.run(WORK + SPAWNED)
        for program in PROGRAMS:
            if options.only not in program.name:
                continue
            kernel.run(program.source)
            for threads in options.threads:
                for magic in ("%lprun", "%lprun --exact"):
                    rows.append(row(kernel, program, threads, magic, options.rounds))
    print(common.machine(memit), end="\n\n")
    header = ["lines", "threads", "by hand", "total / by hand", "of single rounds", "shares off by, points"]
    common.table(header, rows)
    print("A total is that of the outermost function. The shares are the worst of all lines and rounds.")


if __name__ == "__main__":
    main()
