//! Forks and their ends, as the tests use them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use memit_threads::{Alone, Forked, StopOptions, Stopped, check};

/// A fork that hangs is ended after this time.
const LIMIT: Duration = Duration::from_mins(1);

/// Stops all other threads. The limit is for machines with more tests than processors.
pub(crate) fn stop() -> Stopped {
    let options = StopOptions::default().limit(Duration::from_secs(5));
    check().unwrap().stop(&options).unwrap()
}

/// Forks; the fork runs `child` on its only thread and ends.
pub(crate) fn fork_alone(stopped: Stopped, child: impl FnOnce(Alone)) -> (i32, Stopped) {
    // SAFETY: a fork of a test shares only what the test has made for this purpose.
    match unsafe { stopped.fork() }.unwrap() {
        Forked::Parent(pid, stopped) => (pid, stopped),
        Forked::Child(alone) => {
            let outcome = catch_unwind(AssertUnwindSafe(|| child(alone)));
            end(if outcome.is_ok() { 0 } else { 101 })
        }
    }
}

/// Forks with all threads, and runs `child` in the fork. The threads of this process go on when the
/// fork has ended.
pub(crate) fn in_fork(child: impl FnOnce()) {
    let (pid, stopped) = fork_alone(stop(), |alone| {
        alone.revive().unwrap();
        child();
    });
    let status = wait(pid);
    drop(stopped);
    assert_eq!(status, Ended::Exited(0), "the fork has failed");
}

/// Checks the same in a fork with all threads and then in this process.
pub(crate) fn in_both(check: impl Fn()) {
    in_fork(&check);
    check();
}

/// How a process has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Exited(i32),
    Signalled(i32),
    Hung,
}

/// Waits for the end of a child. Allocates nothing.
pub(crate) fn wait(pid: i32) -> Ended {
    let deadline = Instant::now() + LIMIT;
    loop {
        let mut status = 0;
        // SAFETY: the status is a live local.
        match unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) } {
            0 => {}
            -1 => panic!("{}", std::io::Error::last_os_error()),
            _ if libc::WIFEXITED(status) => return Ended::Exited(libc::WEXITSTATUS(status)),
            _ => return Ended::Signalled(libc::WTERMSIG(status)),
        }
        if Instant::now() >= deadline {
            describe(pid);
            // SAFETY: the process is a child that has not been waited for.
            unsafe { libc::kill(pid, libc::SIGKILL) };
            // SAFETY: as above.
            unsafe { libc::waitpid(pid, &raw mut status, 0) };
            return Ended::Hung;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Prints what the threads of a process that hangs wait for.
fn describe(pid: i32) {
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
    {
        let folder = thread.unwrap().path();
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        let (name, place, call) = (read("comm"), read("wchan"), read("syscall"));
        eprintln!(
            "{}: {} {place} {}",
            folder.display(),
            name.trim(),
            call.trim()
        );
    }
}

/// Ends this process without destructors and exit handlers.
pub(crate) fn end(code: i32) -> ! {
    // SAFETY: no preconditions.
    unsafe { libc::_exit(code) }
}

/// The id of the calling thread.
pub(crate) fn thread_id() -> i32 {
    // SAFETY: the call only returns a number.
    unsafe { libc::gettid() }
}

/// The ids of the threads of this process.
pub(crate) fn thread_ids() -> Vec<i32> {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let id = |entry: std::fs::DirEntry| entry.file_name().to_str().unwrap().parse().unwrap();
    threads.map(|entry| id(entry.unwrap())).collect()
}

/// Waits until `is_so`; panics with `what` after a while.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT / 3;
    while !is_so() {
        assert!(Instant::now() < deadline, "not so: {what}");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Waits until a thread waits in the system call `number`.
pub(crate) fn wait_until_in(thread: i32, number: i64) {
    let call = || std::fs::read_to_string(format!("/proc/self/task/{thread}/syscall"));
    let begin = format!("{number} ");
    wait_until("the thread is in the call", || {
        call().is_ok_and(|text| text.starts_with(&begin))
    });
}
