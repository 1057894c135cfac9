"""A session with pools, tasks and threads that allocate and lock, through hundreds of cells of all kinds."""

import os
import time

# Each round is a cell or two, of which some end in a copy of the session.
ROUNDS = int(os.environ.get("MEMIT_TEST_ROUNDS", "100"))

SETUP = """
:dep rayon = "1"
:dep tokio = { version = "1", features = ["rt-multi-thread", "sync", "time"] }
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A number that threads, tasks and cells count up.
static COUNTED: Mutex<Vec<u64>> = Mutex::new(Vec::new());
static ALLOCATED: AtomicU64 = AtomicU64::new(0);
static TICKS: AtomicU64 = AtomicU64::new(0);

fn moves_on(number: impl Fn() -> u64) {
    let before = number();
    while number() < before + 2 { std::thread::yield_now() }
}

/// All threads and pools do what they are for.
fn all_work(numbers: &[u64], rt: &tokio::runtime::Runtime) -> u64 {
    moves_on(|| COUNTED.lock().unwrap().len() as u64);
    moves_on(|| ALLOCATED.load(SeqCst));
    moves_on(|| TICKS.load(SeqCst));
    let doubled: Vec<u64> = numbers.par_iter().map(|n| n * 2).collect();
    rt.block_on(async move { tokio::spawn(async move { doubled.par_iter().sum() }).await.unwrap() })
}
"""
THREADS = """
let numbers: Vec<u64> = (0..10_000).collect();
let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
rt.spawn(async { loop { tokio::time::sleep(Duration::from_millis(1)).await; TICKS.fetch_add(1, SeqCst); } });
for n in 0..2 {
    std::thread::spawn(move || loop {
        let block = std::hint::black_box(vec![n as u8; 1 << (n * 8 + 4)]);
        ALLOCATED.fetch_add(block.capacity().min(1) as u64, SeqCst);
        std::thread::sleep(Duration::from_micros(100));
    });
    std::thread::spawn(move || loop {
        let mut counted = COUNTED.lock().unwrap();
        if counted.len() > 5_000_000 { counted.clear() }
        counted.push(n);
        drop(counted);
        std::thread::sleep(Duration::from_micros(100));
    });
}
let mut kept = vec![0_u64];
all_work(&numbers, &rt)
"""
WORK = "all_work(&numbers, &rt)"
RESULT = "99990000"

def test_a_session_with_threads_outlives_hundreds_of_cells(fresh_kernel, report):
    kernel = fresh_kernel
    kernel.run(SETUP)
    assert kernel.run(THREADS).result == RESULT
    threads = kernel.value('std::fs::read_dir("/proc/self/task")?.count()')
    kept = 1

    def interrupt():
        cell = kernel.start('kept.push(1); println!("begun"); numbers.par_iter().for_each(|_| loop { std::hint::spin_loop() });')
        kernel.wait_for(cell, lambda cell: cell.stdout or cell.done)
        kernel.interrupt()
        kernel.finish(cell)
        assert cell.content["ename"] == "KeyboardInterrupt"

    def undo():
        kernel.run("kept.push(1);")
        kernel.run("%undo")

    def keep():
        nonlocal kept
        kernel.run(f"kept.push({WORK});")
        kept += 1

    def measure(magic):
        cell = kernel.run(f"{magic} {{ kept.push({WORK}); }}")
        assert cell.json["isolated"] is True

    steps = [
        lambda: measure("%memit -r 2"),
        lambda: kernel.fails(f"kept.push({WORK}); panic!()", "Panic"),
        undo,
        interrupt,
        lambda: measure("%timeit -n 2 -r 2"),
        lambda: kernel.fails(f"kept.push({WORK}); rayon::spawn(|| std::process::abort()); loop {{ std::thread::park() }}",
                             "ProcessEnded"),
        keep,
        lambda: measure("%mprof"),
    ]
    begun = time.monotonic()
    for round_ in range(ROUNDS):
        steps[round_ % len(steps)]()
        if round_ % 40 == 0:
            assert kernel.value(f"(kept.len(), {WORK})") == f"({kept}, {RESULT})"
    took = time.monotonic() - begun
    assert kernel.value(f"(kept.len(), {WORK})") == f"({kept}, {RESULT})"
    assert kernel.value('std::fs::read_dir("/proc/self/task")?.count()') == threads
    assert "protected:    yes" in kernel.run("%session").text
    report("soak", [f"{ROUNDS} rounds in {took:.0f} s"])
