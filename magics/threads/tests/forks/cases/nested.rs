//! Forks of forks, and forks that wait before they have their threads again.

use std::io::{Read as _, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use memit_threads::Forked;

use super::harness::Case;
use super::process::{Ended, end, fork_alone, in_both, in_fork, stop, thread_ids, wait};
use super::threads::waiting;

pub(crate) const CASES: &[Case] = &[
    ("a fork is forked, ten times over", deep),
    (
        "a process is forked again while its threads are stopped",
        repeated,
    ),
    (
        "a checkpoint becomes the session when the session has ended",
        checkpoint,
    ),
    ("checkpoints wait one behind the other", checkpoints),
];

fn deep() {
    fn level(left: u32, check: &dyn Fn()) {
        check();
        if left > 0 {
            in_fork(|| level(left - 1, check));
        }
        check();
    }
    let threads: Vec<_> = (0..3).map(|_| waiting("waits")).collect();
    let check = || {
        assert_eq!(thread_ids().len(), 4);
        let results = std::thread::spawn(|| 6).join();
        assert_eq!(results.unwrap(), 6);
    };
    level(10, &check);
    // In the last fork, too, the threads are those of the beginning.
    let threads = Mutex::new(threads);
    in_fork(|| {
        in_both(|| {
            for (sender, thread) in threads.lock().unwrap().drain(..) {
                sender.send(4).unwrap();
                assert_eq!(thread.join().unwrap(), 4);
            }
        });
    });
}

fn repeated() {
    let (sender, thread) = waiting("waits");
    let thread = Mutex::new(Some(thread));
    let mut stopped = stop();
    for n in 0..20 {
        let (pid, still) = fork_alone(stopped, |alone| {
            alone.revive().unwrap();
            sender.send(n).unwrap();
            let thread = thread.lock().unwrap().take().unwrap();
            assert_eq!(thread.join().unwrap(), n);
        });
        stopped = still;
        let (alone, still) = fork_alone(stopped, |_| {});
        stopped = still;
        assert_eq!(
            (wait(pid), wait(alone)),
            (Ended::Exited(0), Ended::Exited(0))
        );
    }
    drop(stopped);
    sender.send(99).unwrap();
    assert_eq!(thread.into_inner().unwrap().unwrap().join().unwrap(), 99);
}

fn checkpoint() {
    let (sender, thread) = waiting("waits");
    let (mut command, mut orders) = std::io::pipe().unwrap();
    let (mut report, reporter) = std::io::pipe().unwrap();
    let mut reporter = Some(reporter);
    // The session, which is not this process: the checkpoint outlives it.
    let (session, stopped) = fork_alone(stop(), |alone| {
        alone.revive().unwrap();
        // SAFETY: a fork of a test.
        match unsafe { stop().fork() }.unwrap() {
            Forked::Child(alone) => {
                // Alone for a while.
                let mut order = [0];
                assert_eq!(command.read(&mut order).unwrap(), 1);
                alone.revive().unwrap();
                sender.send(u32::from(order[0])).unwrap();
                let result = thread.join().unwrap();
                reporter.take().unwrap().write_all(&[result as u8]).unwrap();
            }
            Forked::Parent(_, stopped) => {
                drop(stopped);
                // The session has moved on, and crashes.
                sender.send(1).unwrap();
                assert_eq!(thread.join().unwrap(), 1);
                std::process::abort();
            }
        }
    });
    assert_eq!(wait(session), Ended::Signalled(libc::SIGABRT));
    drop((stopped, reporter.take()));
    orders.write_all(&[55]).unwrap();
    let mut result = Vec::new();
    report.read_to_end(&mut result).unwrap();
    assert_eq!(result, [55]);
    end(0);
}

fn checkpoints() {
    static ROUND: AtomicU32 = AtomicU32::new(0);
    let _threads: Vec<_> = (0..2).map(|_| waiting("waits")).collect();
    let (reader, mut writer) = std::io::pipe().unwrap();
    let mut checkpoints = Vec::new();
    for _ in 0..8 {
        let round = ROUND.fetch_add(1, SeqCst);
        let mut reader = reader.try_clone().unwrap();
        let (pid, stopped) = fork_alone(stop(), |alone| {
            assert_eq!(reader.read(&mut [0]).unwrap(), 1);
            alone.revive().unwrap();
            assert_eq!(ROUND.load(SeqCst), round + 1);
            assert_eq!(thread_ids().len(), 3);
            in_fork(|| assert_eq!(thread_ids().len(), 3));
        });
        drop(stopped);
        checkpoints.push(pid);
    }
    writer.write_all(&[0; 8]).unwrap();
    for pid in checkpoints {
        assert_eq!(wait(pid), Ended::Exited(0));
    }
}
