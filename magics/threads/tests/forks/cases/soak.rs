//! Many forks of a process with everything in it: rayon, tokio, threads that allocate, lock, begin
//! and end.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use super::harness::Case;
use super::memory::{allocators, wait_for_each};
use super::pools::{check_pool, check_runtime, numbers, ticking};
use super::process::{in_both, wait_until};

pub(crate) const CASES: &[Case] = &[("hundreds of forks in a row work", soak)];

/// The variable with the number of forks.
const VARIABLE: &str = "MEMIT_TEST_FORKS";

fn soak() {
    let rounds = std::env::var(VARIABLE).map_or(200, |rounds| rounds.parse().unwrap());
    let numbers = numbers();
    let (runtime, ticks) = ticking();
    let counts = allocators(2);
    let locked = locking(2);
    let begun = beginning();
    let start = Instant::now();
    for round in 0..rounds {
        in_both(|| match round % 5 {
            0 => check_pool(&numbers),
            1 => check_runtime(&runtime, &ticks),
            2 => wait_for_each(&counts),
            3 => {
                let before = *locked.lock().unwrap();
                wait_until("the lock is taken", || *locked.lock().unwrap() > before);
            }
            _ => {
                let before = begun.load(Relaxed);
                wait_until("threads begin", || begun.load(Relaxed) > before + 1);
            }
        });
    }
    println!("{rounds} rounds in {:?}", start.elapsed());
}

/// Threads that take a lock in turn and count.
fn locking(threads: usize) -> Arc<Mutex<u64>> {
    let count = Arc::new(Mutex::new(0));
    for _ in 0..threads {
        let count = Arc::clone(&count);
        thread::spawn(move || {
            loop {
                *count.lock().unwrap() += 1;
                thread::yield_now();
            }
        });
    }
    count
}

/// A thread that starts threads and joins them, with their number.
fn beginning() -> Arc<AtomicU64> {
    let begun = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&begun);
    thread::spawn(move || {
        loop {
            let counter = Arc::clone(&counter);
            let thread = thread::spawn(move || counter.fetch_add(1, Relaxed));
            thread.join().unwrap();
        }
    });
    begun
}
