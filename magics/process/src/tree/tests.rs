use std::process::{Command, Stdio};

use super::*;

fn reading(memory: u64, high_water: u64) -> Reading {
    Reading {
        memory,
        more: Some(More {
            high_water,
            threads: 1,
        }),
    }
}

fn process() -> Process {
    Process::open(std::process::id(), Backend::Rss, None).unwrap()
}

#[test]
fn a_mark_above_all_samples_is_a_missed_peak_and_reported_once() {
    let mut process = process();
    let missed = [(10, 10), (20, 20), (20, 70), (30, 70), (80, 80)].map(|(memory, mark)| {
        process.observe(reading(memory, mark), Backend::Rss, true);
        process.now.unwrap().missed
    });
    assert_eq!(missed, [None, None, Some(70), None, None]);
}

#[test]
fn a_peak_before_the_first_sample_counts_only_from_the_start() {
    for (from_start, missed) in [(true, Some(70)), (false, None)] {
        let mut process = process();
        process.observe(reading(10, 70), Backend::Rss, from_start);
        assert_eq!(process.now.unwrap().missed, missed);
    }
}

#[test]
fn other_backends_have_no_mark() {
    let mut process = process();
    process.observe(reading(10, 70), Backend::Pss, true);
    assert_eq!(process.now.unwrap().missed, None);
}

#[test]
fn the_peak_of_a_sum_counts_the_least_that_the_others_had() {
    let mut tree = Tree::started(std::process::id(), Backend::Rss, false).unwrap();
    tree.processes.push(process());
    for (index, first, second) in [(0, 50, 20), (1, 10, 10)] {
        let process = &mut tree.processes[index];
        process.observe(reading(first, first), Backend::Rss, true);
        let mark = if index == 1 { 100 } else { first };
        process.observe(reading(second, mark), Backend::Rss, true);
    }
    let sum = tree.sum().unwrap();
    assert_eq!((sum.memory, sum.missed), (30, Some(120)));
}

#[test]
fn descendants_of_descendants_are_found() {
    // `echo` says that both are there.
    let mut shell = Command::new("sh")
        .args(["-c", "sh -c 'sleep 60 & echo; wait' & wait"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut tree = Tree::started(shell.id(), Backend::Rss, true).unwrap();
    let mut byte = [0];
    std::io::Read::read_exact(shell.stdout.as_mut().unwrap(), &mut byte).unwrap();
    tree.sample(true);
    let descendants: Vec<_> = tree.descendants().collect();
    assert_eq!(descendants.len(), 2, "{descendants:?}");
    assert_eq!(tree.tasks(), 3);
    let root = tree.root().unwrap().memory;
    let others: u64 = descendants
        .iter()
        .map(|(_, observed)| observed.memory)
        .sum();
    assert_eq!(tree.sum().unwrap().memory, root + others);
    crate::process::end_with_descendants(shell.id());
    shell.wait().unwrap();
    tree.sample(true);
    assert_eq!(tree.root(), None);
    assert_eq!(tree.sum(), None);
}

#[test]
fn a_process_that_is_read_again_before_it_is_gone_has_been_read_at_its_end() {
    let mut process = process();
    process.observe(reading(50, 70), Backend::Rss, true);
    let mib = 1 << 20;
    assert!(!process.has_run_on(reading(50, 70)));
    assert!(process.has_run_on(reading(50, 71)));
    process.observe(reading(50 * mib, 70 * mib), Backend::Rss, true);
    // Another program.
    assert!(process.has_run_on(reading(mib, mib)));
    process.thread += 1;
    assert!(process.has_run_on(reading(50 * mib, 70 * mib)));
}
