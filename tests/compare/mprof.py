#!/usr/bin/env python3
"""`memit mprof run` beside `mprof run` of memory_profiler, on a program whose memory is known: how many
of the samples that were asked for they take, by how much they miss its peak, and what that costs.

The two take turns, so that what else the machine does hits both alike."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import common

PROGRAM = """\
use std::fs::read_to_string;
use std::hint::black_box;
use std::time::{Duration, Instant};

fn number(file: &str, name: &str) -> u64 {
    let text = read_to_string(file).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

fn block(mebibytes: usize) -> Vec<u8> {
    black_box(vec![1; mebibytes << 20])
}

/// Wakes up at the interval and does nothing. Prints what that costs, in ns of processor time.
fn wake(interval: Duration, times: u32) {
    let before = number("/proc/self/schedstat", "");
    let start = Instant::now();
    for at in 1..=times {
        std::thread::sleep((start + interval * at).saturating_duration_since(Instant::now()));
    }
    println!("{}", (number("/proc/self/schedstat", "") - before) / u64::from(times));
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let rest = |milliseconds| std::thread::sleep(Duration::from_millis(milliseconds));
    if arguments[1] == "wake" {
        return wake(
            Duration::from_secs_f64(arguments[2].parse().unwrap()),
            arguments[3].parse().unwrap(),
        );
    }
    // The first of a size may cost pages of the allocator's own.
    drop(block(1));
    println!("begin");
    // Up in five steps of 20 MiB and down again, twice a second.
    for _ in 0..arguments[1].parse().unwrap() {
        let mut held = Vec::new();
        for _ in 0..5 {
            held.push(block(20));
            rest(80);
        }
        drop(black_box(held));
        rest(100);
    }
    // The block that counts, between two that hold the memory still.
    let before = number("/proc/self/status", "VmRSS:") << 10;
    rest(60);
    let flash = block(150);
    rest(1);
    drop(black_box(flash));
    rest(200);
    println!("end {}", before + (150 << 20));
    let _ = std::io::stdin().read_line(&mut String::new());
}
"""


class Run(NamedTuple):
    taken: int
    asked: int
    # Of the peak, as a share.
    error: float
    # Of processor time for a sample, in ns.
    cost: float


def build(directory):
    source, program = Path(directory, "sawtooth.rs"), Path(directory, "sawtooth")
    source.write_text(PROGRAM)
    subprocess.run(["rustc", "--edition=2024", "-O", "-o", program, source], check=True,
                   cwd=common.NEUTRAL)
    return program


def processor_time(pid):
    """What a process has had so far, in ns."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def record(sampler, program, teeth, interval, directory):
    """Runs the program under a sampler, and looks at the sampler while the program does its work."""
    profile = Path(directory, "profile.dat")
    profile.unlink(missing_ok=True)
    command = [*sampler, "-T", str(interval), "-o", profile, program, str(teeth)]
    process = subprocess.Popen(command, cwd=directory, stdin=subprocess.PIPE, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with process:
        started, before, expected = None, 0, 0
        for line in process.stdout:
            if line == "begin\n":
                started, before = time.time(), processor_time(process.pid)
            elif line.startswith("end "):
                ended, spent = time.time(), processor_time(process.pid) - before
                expected = int(line.split()[1])
                break
        process.communicate("\n")
    lines = [line.split() for line in profile.read_text().splitlines() if line.startswith("MEM ")]
    times = [float(line[2]) for line in lines if len(line) == 3]
    taken = sum(started <= moment <= ended for moment in times)
    peak = max(float(line[1]) for line in lines) * 2**20
    return Run(taken, round((ended - started) / interval), peak / expected - 1, spent / taken)


def wake(program, interval):
    """The processor time of waking up and doing nothing, in ns."""
    times = max(20, min(1000, round(2 / interval)))
    command = [program, "wake", str(interval), str(times)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def percent(shares):
    found = sorted({f"{100 * share:+.2f} %" for share in shares}, key=lambda text: float(text[:-2]))
    return found[0] if len(found) == 1 else f"{found[0]} … {found[-1]}"


def main():
    common.enter_environment()
    parser = common.arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each side (default: 5)")
    parser.add_argument("--teeth", type=int, default=6, help="half seconds of work in each (default: 6)")
    parser.add_argument("--intervals", type=float, nargs="+", default=[0.1, 0.01, 0.001],
                        metavar="SECONDS", help="between samples (default: 0.1 0.01 0.001)")
    options = parser.parse_args()
    memit = common.find_memit(options.memit)
    samplers = {
        "memit": [memit, "mprof", "run", "-q"],
        "mprof": [sys.executable, "-m", "mprof", "run", "--nopython"],
    }
    accuracy, costs = [], []
    with tempfile.TemporaryDirectory(prefix="memit-compare-") as directory:
        program = build(directory)
        for interval in options.intervals:
            runs = {name: [] for name in samplers}
            for _ in range(options.rounds):
                for name, sampler in samplers.items():
                    runs[name].append(record(sampler, program, options.teeth, interval, directory))
            taken = {name: f"{sum(run.taken for run in runs[name])} of "
                           f"{sum(run.asked for run in runs[name])}" for name in samplers}
            errors = {name: percent([run.error for run in runs[name]]) for name in samplers}
            cost = {name: statistics.median(run.cost for run in runs[name]) for name in samplers}
            alone = statistics.median(wake(program, interval) for _ in range(3))
            accuracy.append((f"{interval:g} s", *taken.values(), *errors.values()))
            work = {name: max(value - alone, 1) for name, value in cost.items()}
            costs.append((f"{interval:g} s", *map(common.duration, cost.values()),
                          f"{cost['mprof'] / cost['memit']:.1f}", common.duration(alone),
                          f"{work['mprof'] / work['memit']:.1f}"))
    print(common.machine(memit), end="\n\n")
    print(f"Samples of {options.rounds} runs, and by how much the peak, a block of 150 MiB that lives for\n"
          "a millisecond, was missed.\n")
    common.table(["interval", "taken by memit", "by mprof", "peak of memit", "of mprof"], accuracy)
    print("Processor time of the sampler for each sample, median of the runs. Waking up costs something\n"
          "by itself, which no sampler can save; the last ratio is without it.\n")
    common.table(["interval", "memit", "mprof", "ratio", "a wake-up alone", "ratio without"], costs)


if __name__ == "__main__":
    main()
