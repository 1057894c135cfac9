//! Threads that outlast the statements which started them.
//!
//! What such a thread allocates belongs to the statements, so a measurement waits for the thread
//! before the measurement takes its last readings. A thread that waits for somebody without a time
//! limit, such as an idle worker of a thread pool, is at rest: nobody would wake it.

use std::sync::atomic::{AtomicI32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::{heap, threads};

/// How long a measurement waits.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The newest thread when the run began: ids of threads grow, but for the rare case that the system
/// starts again at the lowest.
static NEWEST: AtomicI32 = AtomicI32::new(i32::MAX);
/// The thread that samples this process.
static ASIDE: AtomicI32 = AtomicI32::new(0);

/// Notes that the statements of a run begin. Only threads that start from now on are theirs.
pub(crate) fn statements_begin() {
    let newest = if threads::are_many() {
        tasks::all(|tasks| tasks.max()).flatten()
    } else {
        Some(tasks::own())
    };
    NEWEST.store(newest.unwrap_or(i32::MAX), Relaxed);
}

/// Leaves the calling thread out, because it measures.
pub(crate) fn set_thread_aside() {
    ASIDE.store(tasks::own(), Relaxed);
}

/// Waits until each thread that the statements have started has ended or is at rest, at the latest
/// until `deadline` or until `is_over`. Returns how many still run.
pub(crate) fn wait(deadline: Instant, is_over: impl Fn() -> bool) -> u64 {
    if !threads::are_many() {
        return 0;
    }
    // The measurement reads its last figures behind the wait, so the wait must not change them.
    heap::leaving_thread_aside(|| until_none(deadline, is_over))
}

/// Two threads that wake each other may both wait for an instant.
const LOOKS_AT_REST: u32 = 3;

fn until_none(deadline: Instant, is_over: impl Fn() -> bool) -> u64 {
    let newest = NEWEST.load(Relaxed);
    let aside = ASIDE.load(Relaxed);
    let running = || {
        let theirs = |task: &i32| *task > newest && *task != aside;
        let busy = |tasks: &mut dyn Iterator<Item = i32>| {
            tasks
                .filter(theirs)
                .filter(|task| !tasks::is_at_rest(*task))
                .count() as u64
        };
        tasks::all(busy).unwrap_or(0)
    };
    let mut pause = Duration::from_micros(50);
    let mut at_rest = 0;
    loop {
        let running = running();
        at_rest = if running == 0 { at_rest + 1 } else { 0 };
        if at_rest == LOOKS_AT_REST || (running == 0 && !tasks::others_exist()) {
            return 0;
        }
        if Instant::now() >= deadline || is_over() {
            return running;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(2));
    }
}

#[cfg(target_os = "linux")]
mod tasks {
    use std::mem::MaybeUninit;

    use rustix::fs::{CWD, Mode, OFlags, RawDir, openat};

    /// Id of the calling thread.
    pub(super) fn own() -> i32 {
        rustix::thread::gettid().as_raw_nonzero().get()
    }

    /// Passes the ids of the threads of this process to `use_them`. Allocates nothing.
    pub(super) fn all<T>(use_them: impl FnOnce(&mut dyn Iterator<Item = i32>) -> T) -> Option<T> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = openat(CWD, c"/proc/self/task", flags, Mode::empty()).ok()?;
        let mut room = [MaybeUninit::uninit(); 2048];
        let mut entries = RawDir::new(directory, &mut room);
        let mut ids = std::iter::from_fn(|| {
            loop {
                let entry = entries.next()?.ok()?;
                if let Some(id) = number(entry.file_name().to_bytes()) {
                    return Some(id);
                }
            }
        });
        Some(use_them(&mut ids))
    }

    /// Whether the process has another thread than the calling one.
    pub(super) fn others_exist() -> bool {
        all(|tasks| tasks.count() > 1).unwrap_or(false)
    }

    fn number(name: &[u8]) -> Option<i32> {
        std::str::from_utf8(name).ok()?.parse().ok()
    }

    /// Whether the thread waits without a time limit until somebody wakes it. The file tells the
    /// number of the system call and its arguments (`proc_pid_syscall(5)`).
    pub(super) fn is_at_rest(task: i32) -> bool {
        let mut path = [0; 64];
        let length = {
            use std::io::Write as _;
            let mut rest = &mut path[..63];
            if write!(rest, "/proc/self/task/{task}/syscall").is_err() {
                return false;
            }
            63 - rest.len()
        };
        let Ok(path) = std::ffi::CStr::from_bytes_with_nul(&path[..=length]) else {
            return false;
        };
        let Ok(file) = openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) else {
            // The thread has ended.
            return true;
        };
        let mut room = [0; 256];
        let text = match rustix::io::read(&file, &mut room) {
            Ok(length) => &room[..length],
            Err(_) => return true,
        };
        waits_for_ever(std::str::from_utf8(text).unwrap_or_default())
    }

    /// A time limit of -1.
    const FOR_EVER: u64 = 0xffff_ffff;

    /// The same of the text of the file.
    pub(super) fn waits_for_ever(text: &str) -> bool {
        let mut words = text.split_ascii_whitespace();
        let call = words.next().and_then(|word| word.parse::<i64>().ok());
        let arguments = words.map(|word| u64::from_str_radix(word.trim_start_matches("0x"), 16));
        let arguments: [u64; 4] = {
            let mut each = arguments.flatten();
            std::array::from_fn(|_| each.next().unwrap_or(0))
        };
        match call {
            Some(libc::SYS_futex) => arguments[3] == 0,
            Some(libc::SYS_epoll_pwait) => arguments[3] & FOR_EVER == FOR_EVER,
            #[cfg(target_arch = "x86_64")]
            Some(libc::SYS_epoll_wait) => arguments[3] & FOR_EVER == FOR_EVER,
            Some(libc::SYS_ppoll) => arguments[2] == 0,
            _ => false,
        }
    }
}

/// Only Linux lists threads.
#[cfg(not(target_os = "linux"))]
mod tasks {
    pub(super) fn own() -> i32 {
        0
    }

    pub(super) fn all<T>(_use_them: impl FnOnce(&mut dyn Iterator<Item = i32>) -> T) -> Option<T> {
        None
    }

    pub(super) fn others_exist() -> bool {
        false
    }

    pub(super) fn is_at_rest(_task: i32) -> bool {
        true
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[test]
    fn a_futex_without_a_time_limit_is_rest() {
        let rests = |call: i64, third: &str, fourth: &str| {
            tasks::waits_for_ever(&format!(
                "{call} 0x7f 0x80 {third} {fourth} 0x0 0x0 0x7f 0x7f"
            ))
        };
        assert!(rests(libc::SYS_futex, "0x2", "0x0"));
        assert!(!rests(libc::SYS_futex, "0x2", "0x7ffe"));
        assert!(rests(libc::SYS_epoll_pwait, "0x10", "0xffffffff"));
        assert!(!rests(libc::SYS_epoll_pwait, "0x10", "0x64"));
        assert!(!rests(libc::SYS_clock_nanosleep, "0x0", "0x0"));
        assert!(!tasks::waits_for_ever("running\n"));
    }

    #[test]
    fn a_thread_that_works_is_waited_for_and_one_that_rests_is_not() {
        threads::set_many(true);
        statements_begin();
        let (wake, woken) = mpsc::channel::<()>();
        let (done, is_done) = mpsc::channel();
        let resting = thread::spawn(move || woken.recv());
        let working = thread::spawn(move || {
            thread::sleep(Duration::from_millis(30));
            done.send(()).unwrap();
        });
        // Other tests of this process may start threads at any time.
        wait(Instant::now() + PATIENCE, || false);
        assert!(
            is_done.try_recv().is_ok(),
            "the working thread has not been waited for"
        );
        wake.send(()).unwrap();
        resting.join().unwrap().unwrap();
        working.join().unwrap();
    }

    #[test]
    fn a_thread_that_never_ends_is_counted() {
        threads::set_many(true);
        statements_begin();
        let (stop, stopped) = mpsc::channel::<()>();
        let endless =
            thread::spawn(
                move || {
                    while stopped.recv_timeout(Duration::from_millis(1)).is_err() {}
                },
            );
        let running = wait(Instant::now() + Duration::from_millis(20), || false);
        assert!(running >= 1);
        stop.send(()).unwrap();
        endless.join().unwrap();
    }
}
