//! Allocators: threads that are stopped in the middle of `malloc`.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use super::harness::Case;
use super::process::{in_both, wait_until};

pub(crate) const CASES: &[Case] = &[
    ("threads that allocate go on in the fork", allocate),
    ("blocks move between threads and arenas", exchange),
];

/// Starts threads that allocate and free blocks of many sizes without pause; returns their counts.
pub(crate) fn allocators(threads: usize) -> Arc<Vec<AtomicUsize>> {
    let counts: Vec<_> = (0..threads).map(|_| AtomicUsize::new(0)).collect();
    let counts = Arc::new(counts);
    for index in 0..threads {
        let counts = Arc::clone(&counts);
        thread::spawn(move || {
            let mut kept = Vec::new();
            let mut size = 16;
            loop {
                size = (size * 7 + 13) % 200_000;
                kept.push(black_box(vec![index as u8; size]));
                if kept.len() > 100 {
                    assert!(kept.iter().flatten().all(|byte| *byte == index as u8));
                    kept = Vec::new();
                }
                counts[index].fetch_add(1, Relaxed);
            }
        });
    }
    counts
}

/// Waits until each of the threads has allocated again.
pub(crate) fn wait_for_each(counts: &[AtomicUsize]) {
    let before: Vec<_> = counts.iter().map(|count| count.load(Relaxed)).collect();
    wait_until("every thread allocates", || {
        let mut counts = counts.iter().zip(&before);
        counts.all(|(count, before)| count.load(Relaxed) > *before)
    });
}

fn allocate() {
    let counts = allocators(6);
    for _ in 0..40 {
        in_both(|| {
            let blocks: Vec<_> = (0..200).map(|n| vec![1_u8; n * 100]).collect();
            assert_eq!(blocks.iter().flatten().count(), 1_990_000);
            wait_for_each(&counts);
            // New threads have arenas, too.
            let thread = thread::spawn(|| vec![1_u8; 100_000].len());
            assert_eq!(thread.join().unwrap(), 100_000);
        });
    }
}

fn exchange() {
    let (sender, receiver) = std::sync::mpsc::sync_channel::<Vec<u8>>(10);
    let count = Arc::new(AtomicUsize::new(0));
    thread::spawn(move || {
        loop {
            sender.send(vec![3; 5000]).unwrap();
        }
    });
    let counter = Arc::clone(&count);
    thread::spawn(move || {
        for block in receiver {
            assert_eq!(block, [3; 5000]);
            counter.fetch_add(1, Relaxed);
        }
    });
    for _ in 0..40 {
        in_both(|| {
            let before = count.load(Relaxed);
            wait_until("blocks arrive", || count.load(Relaxed) > before + 20);
        });
    }
}
