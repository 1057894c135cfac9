//! Stops: which threads stop, which do not, and what is said about them.

use std::ffi::c_void;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use memit_threads::{Error, Silence, StopOptions, check};

use super::harness::Case;
use super::process::{in_both, in_fork, stop, thread_id, thread_ids, wait_until};
use super::threads::waiting;

pub(crate) const CASES: &[Case] = &[
    ("stopped threads stand still, and go on", stand_still),
    ("a thread that blocks the signal is named", blocked_is_named),
    (
        "a thread that blocks the signal is waited for once",
        waited_for_once,
    ),
    (
        "a second thread that blocks the signal is found behind the first",
        second_is_found,
    ),
    ("a signal that comes late does nothing", late_signal),
    (
        "a thread that waits for a process of vfork is named",
        vfork_is_named,
    ),
    ("threads that start processes are stopped", spawning),
    ("threads that begin and end meanwhile are found", churn),
    ("threads by the hundred are stopped", hundreds),
    ("a thread may say where it may stop", may_stop),
    ("a thread that may never stop is named", never),
    (
        "a thread that is in the handler does not block the signal",
        in_handler,
    ),
    ("two threads stop the others in turn", in_turn),
    (
        "a thread that is stopped while it waits for its turn gets it",
        waits_for_turn,
    ),
    (
        "another signal is taken if the program takes ours",
        other_signal,
    ),
];

fn stand_still() {
    let count = Arc::new(AtomicUsize::new(0));
    for _ in 0..3 {
        let count = Arc::clone(&count);
        thread::spawn(move || {
            loop {
                count.fetch_add(1, SeqCst);
            }
        });
    }
    for _ in 0..20 {
        let stopped = stop();
        assert_eq!(stopped.threads(), 3);
        let before = count.load(SeqCst);
        thread::sleep(Duration::from_millis(2));
        assert_eq!(count.load(SeqCst), before);
        drop(stopped);
        wait_until("the threads go on", || count.load(SeqCst) > before);
    }
}

/// A thread with all signals blocked, until it is told to go on.
fn blocking() -> (i32, mpsc::Sender<()>, thread::JoinHandle<()>) {
    let (id_sender, ids) = mpsc::channel();
    let (sender, receiver) = mpsc::channel::<()>();
    let builder = thread::Builder::new().name("stubborn".to_owned());
    let thread = builder.spawn(move || {
        block_all(libc::SIG_BLOCK);
        id_sender.send(thread_id()).unwrap();
        receiver.recv().unwrap();
        block_all(libc::SIG_UNBLOCK);
        let _ = receiver.recv();
    });
    let id = ids.recv().unwrap();
    (id, sender, thread.unwrap())
}

fn block_all(how: i32) {
    // SAFETY: all zeros is a valid set, and all pointers are to it.
    unsafe {
        let mut all = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        assert_eq!(
            libc::pthread_sigmask(how, &raw const all, std::ptr::null_mut()),
            0
        );
    }
}

fn blocked_is_named() {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    thread::spawn(move || {
        loop {
            counter.fetch_add(1, SeqCst);
            thread::yield_now();
        }
    });
    let (id, sender, _thread) = blocking();
    let begun = Instant::now();
    let error = check().unwrap().stop(&StopOptions::default()).unwrap_err();
    assert!(begun.elapsed() >= Duration::from_millis(100));
    let signal = libc::SIGRTMAX();
    assert_eq!(
        error.to_string(),
        format!(
            "the thread `stubborn` ({id}) cannot be stopped: the thread blocks signal {signal}"
        )
    );
    let before = count.load(SeqCst);
    wait_until("other threads go on", || count.load(SeqCst) > before);
    sender.send(()).unwrap();
    wait_until("the thread can be stopped", || {
        check().unwrap().stop(&StopOptions::default()).is_ok()
    });
    in_fork(|| {});
}

/// How often a thread has been asked to stop.
static ASKED: AtomicUsize = AtomicUsize::new(0);

fn counts() -> bool {
    ASKED.fetch_add(1, SeqCst);
    true
}

/// Stops the threads, each of which counts how often it is asked.
fn counted_stop() -> Result<(), Error> {
    // SAFETY: the function changes a static.
    let options = unsafe { StopOptions::default().may_stop(counts) };
    check().unwrap().stop(&options).map(drop)
}

fn waited_for_once() {
    let (_sender, _thread) = waiting("other");
    let (_, unblock, _thread) = blocking();
    let error = counted_stop().unwrap_err();
    let asked = ASKED.load(SeqCst);
    assert!(asked > 0);
    for _ in 0..20 {
        assert_eq!(counted_stop().unwrap_err(), error);
    }
    assert_eq!(
        ASKED.load(SeqCst),
        asked,
        "the other thread has been left alone"
    );
    unblock.send(()).unwrap();
    wait_until("the thread can be stopped", || counted_stop().is_ok());
    assert!(ASKED.load(SeqCst) > asked);
    in_fork(|| {});
}

fn second_is_found() {
    let (first, unblock_first, _thread) = blocking();
    let id = |error| match error {
        Error::NoAnswer { thread, .. } => thread.id,
        error => panic!("{error}"),
    };
    assert_eq!(id(counted_stop().unwrap_err()), first.unsigned_abs());
    let (second, unblock_second, _thread) = blocking();
    for _ in 0..3 {
        assert_eq!(id(counted_stop().unwrap_err()), first.unsigned_abs());
    }
    unblock_first.send(()).unwrap();
    wait_until("the second is found", || {
        id(counted_stop().unwrap_err()) == second.unsigned_abs()
    });
    unblock_second.send(()).unwrap();
    wait_until("both can be stopped", || counted_stop().is_ok());
}

fn late_signal() {
    let (_, sender, thread) = blocking();
    let options = StopOptions::default().limit(Duration::from_millis(1));
    for _ in 0..50 {
        let error = check().unwrap().stop(&options).unwrap_err();
        let Error::NoAnswer { thread, why } = error else {
            panic!("{error}");
        };
        assert_eq!(
            (thread.name(), why),
            ("stubborn", Silence::Blocks(libc::SIGRTMAX()))
        );
    }
    sender.send(()).unwrap();
    sender.send(()).unwrap();
    thread.join().unwrap();
}

fn vfork_is_named() {
    extern "C" fn child(ends: *mut c_void) -> i32 {
        // SAFETY: the parent's thread waits until this process has ended, and so does the flag.
        let ends = unsafe { &*ends.cast::<AtomicBool>() };
        while !ends.load(SeqCst) {
            thread::sleep(Duration::from_millis(1));
        }
        0
    }
    static ENDS: AtomicBool = AtomicBool::new(false);
    let (sender, ids) = mpsc::channel();
    let thread = thread::Builder::new().name("starter".to_owned());
    let thread = thread.spawn(move || {
        let mut stack = vec![0_u8; 65536];
        sender.send(thread_id()).unwrap();
        // SAFETY: as `vfork`: the process runs on a stack of its own while this thread waits.
        unsafe {
            let top = stack.as_mut_ptr().add(stack.len());
            let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
            libc::clone(
                child,
                top.cast(),
                flags,
                (&raw const ENDS).cast_mut().cast(),
            )
        }
    });
    let id = ids.recv().unwrap();
    wait_until("the thread waits", || {
        let stat = std::fs::read_to_string(format!("/proc/self/task/{id}/stat")).unwrap();
        stat.contains(") D ")
    });
    let error = check().unwrap().stop(&StopOptions::default()).unwrap_err();
    let Error::NoAnswer {
        thread: silent,
        why,
    } = error
    else {
        panic!("{error}");
    };
    assert_eq!((silent.name(), why), ("starter", Silence::Uninterruptible));
    ENDS.store(true, SeqCst);
    assert!(thread.unwrap().join().unwrap() > 0);
    in_fork(|| {});
}

fn spawning() {
    let started = Arc::new(AtomicUsize::new(0));
    for _ in 0..2 {
        let started = Arc::clone(&started);
        thread::spawn(move || {
            loop {
                // In a fork, the process is a child of another.
                let _ = Command::new("true").status();
                started.fetch_add(1, SeqCst);
            }
        });
    }
    for _ in 0..50 {
        in_both(|| {
            let before = started.load(SeqCst);
            wait_until("processes are started", || started.load(SeqCst) > before);
        });
    }
}

/// Number of threads that the system lists. Allocates nothing.
fn listed() -> usize {
    // SAFETY: all zeros is a valid value, the path is a C string, and the pointer is to a local.
    unsafe {
        let mut folder: libc::stat = std::mem::zeroed();
        assert_eq!(libc::stat(c"/proc/self/task".as_ptr(), &raw mut folder), 0);
        // Each thread is a folder, and has a link. A folder has two of its own.
        folder.st_nlink as usize - 2
    }
}

fn churn() {
    fn generation(left: &Arc<AtomicUsize>) {
        if left.fetch_sub(1, SeqCst) > 3 {
            let left = Arc::clone(left);
            thread::spawn(move || generation(&left));
        }
    }
    let left = Arc::new(AtomicUsize::new(20_000));
    for _ in 0..3 {
        let left = Arc::clone(&left);
        thread::spawn(move || generation(&left));
    }
    let mut rounds = 0;
    while left.load(SeqCst) > 3 || rounds < 20 {
        let stopped = stop();
        assert_eq!(stopped.threads() + 1, listed());
        let before = left.load(SeqCst);
        thread::yield_now();
        assert_eq!(left.load(SeqCst), before);
        drop(stopped);
        if rounds % 10 == 0 {
            in_fork(|| assert!(thread_ids().contains(&thread_id())));
        }
        rounds += 1;
    }
}

fn hundreds() {
    let threads: Vec<_> = (0..400).map(|n| waiting(&format!("{n}"))).collect();
    let threads = Mutex::new(threads);
    in_both(|| {
        assert_eq!(thread_ids().len(), 401);
        for (n, (sender, thread)) in threads.lock().unwrap().drain(..).enumerate() {
            sender.send(n as u32).unwrap();
            assert_eq!(thread.join().unwrap(), n as u32);
        }
    });
}

thread_local! {
    static IS_BUSY: AtomicBool = const { AtomicBool::new(false) };
}

fn is_not_busy() -> bool {
    IS_BUSY.with(|busy| !busy.load(SeqCst))
}

fn may_stop() {
    let busy = Arc::new(Mutex::new(()));
    for _ in 0..3 {
        let busy = Arc::clone(&busy);
        thread::spawn(move || {
            loop {
                IS_BUSY.with(|is_busy| is_busy.store(true, SeqCst));
                drop(busy.lock());
                IS_BUSY.with(|is_busy| is_busy.store(false, SeqCst));
            }
        });
    }
    // SAFETY: the function reads a thread-local variable without a destructor.
    let options = unsafe { StopOptions::default().may_stop(is_not_busy) };
    for _ in 0..100 {
        let stopped = check().unwrap().stop(&options).unwrap();
        // Nobody holds the lock.
        drop(busy.lock());
        drop(stopped);
    }
}

fn never() {
    let (sender, receiver) = mpsc::channel();
    let thread = thread::Builder::new().name("busy".to_owned());
    let thread = thread.spawn(move || {
        IS_BUSY.with(|is_busy| is_busy.store(true, SeqCst));
        sender.send(()).unwrap();
        loop {
            thread::park();
        }
    });
    let _thread = thread.unwrap();
    receiver.recv().unwrap();
    let options = StopOptions::default().limit(Duration::from_millis(20));
    // SAFETY: the function reads a thread-local variable without a destructor.
    let options = unsafe { options.may_stop(is_not_busy) };
    let error = check().unwrap().stop(&options).unwrap_err();
    let Error::NoAnswer { thread, why } = error else {
        panic!("{error}");
    };
    assert_eq!((thread.name(), why), ("busy", Silence::NotNow));
}

/// May not stop, and takes the handler longer to say so than a thread that blocks the signal is
/// waited for.
fn is_slowly_busy() -> bool {
    let pause = libc::timespec {
        tv_sec: 0,
        tv_nsec: 60_000_000,
    };
    // SAFETY: `nanosleep` is async-signal-safe, and the pause is a local.
    unsafe { libc::nanosleep(&raw const pause, std::ptr::null_mut()) };
    false
}

fn in_handler() {
    let _thread = waiting("slow");
    let options = StopOptions::default().limit(Duration::from_millis(20));
    // SAFETY: the function makes a system call.
    let slow = unsafe { options.may_stop(is_slowly_busy) };
    let error = check().unwrap().stop(&slow).unwrap_err();
    let Error::NoAnswer { thread, why } = error else {
        panic!("{error}");
    };
    assert_eq!((thread.name(), why), ("slow", Silence::NotNow));
    // The thread has not been taken for one that blocks the signal, so the next stop tries.
    drop(check().unwrap().stop(&options).unwrap());
}

fn in_turn() {
    let original = std::process::id();
    let all = Arc::new(Barrier::new(3));
    let forkers: Vec<_> = (0..3)
        .map(|_| {
            let all = Arc::clone(&all);
            thread::spawn(move || {
                all.wait();
                for _ in 0..20 {
                    in_fork(|| {});
                    // A fork has the other forkers, too, which have their turn when the fork has
                    // ended its stop.
                    while std::process::id() != original {
                        thread::park();
                    }
                }
            })
        })
        .collect();
    for forker in forkers {
        forker.join().unwrap();
    }
}

fn waits_for_turn() {
    const LIMIT: Duration = Duration::from_millis(20);
    let stoppers: Vec<_> = (0..2)
        .map(|_| {
            thread::spawn(|| {
                let checked = check().unwrap();
                for _ in 0..10 {
                    let stopped = checked.stop(&StopOptions::default().limit(LIMIT)).unwrap();
                    // The other one waits longer than it wants to.
                    thread::sleep(LIMIT * 2);
                    drop(stopped);
                }
            })
        })
        .collect();
    for stopper in stoppers {
        stopper.join().unwrap();
    }
}

fn other_signal() {
    extern "C" fn ignore(_: i32) {}
    let (_sender, _thread) = waiting("other");
    in_fork(|| {});
    // SAFETY: the handler does nothing.
    unsafe { libc::signal(libc::SIGRTMAX(), ignore as *const () as libc::sighandler_t) };
    in_fork(|| {});
    // SAFETY: as above.
    unsafe { libc::raise(libc::SIGRTMAX()) };
}
