//! Thread pools and runtimes that people use.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use rayon::prelude::*;
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

use super::harness::Case;
use super::process::{in_both, wait_until};

pub(crate) const CASES: &[Case] = &[
    (
        "a pool of rayon works in the fork and in the parent",
        rayon_pool,
    ),
    (
        "a pool of rayon is copied in the middle of its work",
        busy_pool,
    ),
    (
        "a runtime of tokio works in the fork and in the parent",
        runtime,
    ),
];

/// Checks the global pool of rayon.
pub(crate) fn check_pool(numbers: &[u64]) {
    let sum = numbers.par_iter().map(|number| number * 2).sum::<u64>();
    assert_eq!(sum, numbers.iter().sum::<u64>() * 2);
    let mut texts: Vec<String> = numbers
        .par_iter()
        .map(|n| format!("{:05}", n % 9973))
        .collect();
    texts.par_sort();
    assert!(texts.is_sorted());
    assert_eq!(rayon::join(|| 1, || 2), (1, 2));
}

pub(crate) fn numbers() -> Vec<u64> {
    (0..20_000).collect()
}

fn rayon_pool() {
    let numbers = numbers();
    check_pool(&numbers);
    for _ in 0..20 {
        in_both(|| check_pool(&numbers));
    }
}

fn busy_pool() {
    let numbers = Arc::new(numbers());
    let done = Arc::new(AtomicU64::new(0));
    for _ in 0..2 {
        let (numbers, done) = (Arc::clone(&numbers), Arc::clone(&done));
        std::thread::spawn(move || {
            loop {
                check_pool(&numbers);
                done.fetch_add(1, Relaxed);
            }
        });
    }
    for _ in 0..20 {
        in_both(|| {
            let before = done.load(Relaxed);
            wait_until("the work goes on", || done.load(Relaxed) > before + 2);
        });
    }
}

/// A runtime with two workers, and a number that a task of the runtime counts up each millisecond.
pub(crate) fn ticking() -> (Runtime, Arc<AtomicU64>) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = runtime.unwrap();
    let ticks = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&ticks);
    runtime.spawn(async move {
        loop {
            sleep(Duration::from_millis(1)).await;
            counter.fetch_add(1, Relaxed);
        }
    });
    (runtime, ticks)
}

/// Checks a runtime of [`ticking`].
pub(crate) fn check_runtime(runtime: &Runtime, ticks: &AtomicU64) {
    let before = ticks.load(Relaxed);
    let sum = runtime.block_on(async {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(3);
        for n in 0..10_u64 {
            let sender = sender.clone();
            tokio::spawn(async move {
                sleep(Duration::from_millis(n % 3)).await;
                let squared = tokio::task::spawn_blocking(move || n * n).await;
                sender.send(squared.unwrap()).await.unwrap();
            });
        }
        drop(sender);
        let mut sum = 0;
        while let Some(number) = receiver.recv().await {
            sum += number;
        }
        sum
    });
    assert_eq!(sum, 285);
    wait_until("the task ticks", || ticks.load(Relaxed) > before + 2);
}

fn runtime() {
    let (runtime, ticks) = ticking();
    check_runtime(&runtime, &ticks);
    for _ in 0..20 {
        in_both(|| check_runtime(&runtime, &ticks));
    }
}
