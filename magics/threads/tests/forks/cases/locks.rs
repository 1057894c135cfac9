//! Locks that are held or waited for while the process is forked.

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::io::Write as _;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, RwLock, mpsc};
use std::thread;

use memit_threads::{Error, Peculiarity, StopOptions, check};

use super::calls::in_call;
use super::harness::Case;
use super::process::{in_both, in_fork, thread_id, wait_until, wait_until_in};

pub(crate) const CASES: &[Case] = &[
    ("a thread that holds a lock releases it in the fork", held),
    ("a thread that waits for a lock gets it in the fork", waited),
    (
        "a parked thread is woken in the fork and in the parent",
        parked,
    ),
    (
        "a condition is waited for in the fork and in the parent",
        condition,
    ),
    (
        "a thread that waits for a mutex with an owner is named",
        waits_for_owned,
    ),
    (
        "a held mutex with an owner is taken over in the fork",
        held_with_owner,
    ),
    (
        "a lock held for writing is taken over in the fork",
        held_for_writing,
    ),
    ("a robust mutex is released in the fork", robust_released),
    (
        "the end of the owner of a robust mutex is noticed",
        robust_owner_ends,
    ),
    (
        "a robust mutex of the caller is released in the fork",
        robust_of_caller,
    ),
    (
        "a thread in the dynamic loader releases its lock in the fork",
        loader,
    ),
    ("standard output is released in the fork", output),
];

fn held() {
    let lock = Arc::new(RwLock::new(0));
    let (sender, receiver) = mpsc::channel();
    let (ready, is_ready) = mpsc::channel();
    let holder = Arc::clone(&lock);
    thread::spawn(move || {
        let mut number = holder.write().unwrap();
        ready.send(()).unwrap();
        *number = receiver.recv().unwrap();
    });
    is_ready.recv().unwrap();
    in_both(|| {
        assert!(lock.try_read().is_err());
        sender.send(5).unwrap();
        assert_eq!(*lock.read().unwrap(), 5);
    });
}

fn waited() {
    let lock = Arc::new(Mutex::new(0));
    let guard = lock.lock().unwrap();
    let waiter = Arc::clone(&lock);
    let thread = in_call(libc::SYS_futex, move || *waiter.lock().unwrap());
    let held = Mutex::new(Some((guard, thread)));
    in_both(|| {
        let (mut guard, thread) = held.lock().unwrap().take().unwrap();
        *guard = 6;
        drop(guard);
        assert_eq!(thread.join().unwrap(), 6);
    });
}

fn parked() {
    let thread = in_call(libc::SYS_futex, || {
        thread::park();
        7
    });
    let thread = Mutex::new(Some(thread));
    in_both(|| {
        let thread = thread.lock().unwrap().take().unwrap();
        thread.thread().unpark();
        assert_eq!(thread.join().unwrap(), 7);
    });
}

fn condition() {
    let pair = Arc::new((Mutex::new(0), Condvar::new()));
    for _ in 0..4 {
        let pair = Arc::clone(&pair);
        thread::spawn(move || {
            // Adds to every odd number.
            let mut number = pair.0.lock().unwrap();
            loop {
                number = pair
                    .1
                    .wait_while(number, |number| *number % 2 == 0)
                    .unwrap();
                *number += 1;
                pair.1.notify_all();
            }
        });
    }
    for _ in 0..20 {
        in_both(|| {
            for _ in 0..100 {
                let mut number = pair.0.lock().unwrap();
                *number += 1;
                pair.1.notify_all();
                drop(
                    pair.1
                        .wait_while(number, |number| *number % 2 == 1)
                        .unwrap(),
                );
            }
        });
    }
}

/// A lock of glibc.
struct Native<T>(UnsafeCell<MaybeUninit<T>>);

// SAFETY: a lock is for several threads.
unsafe impl<T> Sync for Native<T> {}

impl<T> Native<T> {
    const fn new() -> Self {
        Self(UnsafeCell::new(MaybeUninit::uninit()))
    }
}

static FIRST: Native<libc::pthread_mutex_t> = Native::new();
static SECOND: Native<libc::pthread_mutex_t> = Native::new();

// SAFETY (for all functions): the mutex is initialised before it is used, and lives as long as the
// process.
impl Native<libc::pthread_mutex_t> {
    fn initialise(&self, is_robust: bool, kind: c_int, protocol: c_int) {
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: see above.
        unsafe {
            libc::pthread_mutexattr_init(attributes.as_mut_ptr());
            libc::pthread_mutexattr_setrobust(attributes.as_mut_ptr(), is_robust.into());
            libc::pthread_mutexattr_settype(attributes.as_mut_ptr(), kind);
            libc::pthread_mutexattr_setprotocol(attributes.as_mut_ptr(), protocol);
            let error = libc::pthread_mutex_init(self.0.get().cast(), attributes.as_ptr());
            assert_eq!(error, 0);
        }
    }

    fn lock(&self) -> c_int {
        // SAFETY: see above.
        unsafe { libc::pthread_mutex_lock(self.0.get().cast()) }
    }

    fn unlock(&self) -> c_int {
        // SAFETY: see above.
        unsafe { libc::pthread_mutex_unlock(self.0.get().cast()) }
    }
}

/// A thread that holds both mutexes until it is told whether to unlock them, and returns what the
/// system said.
fn holder() -> (mpsc::Sender<bool>, thread::JoinHandle<(c_int, c_int)>) {
    FIRST.initialise(true, libc::PTHREAD_MUTEX_NORMAL, libc::PTHREAD_PRIO_NONE);
    SECOND.initialise(true, libc::PTHREAD_MUTEX_NORMAL, libc::PTHREAD_PRIO_NONE);
    let (sender, receiver) = mpsc::channel();
    let (ready, is_ready) = mpsc::channel();
    let thread = thread::spawn(move || {
        assert_eq!((FIRST.lock(), SECOND.lock()), (0, 0));
        ready.send(()).unwrap();
        if receiver.recv().unwrap() {
            (FIRST.unlock(), SECOND.unlock())
        } else {
            (0, 0)
        }
    });
    is_ready.recv().unwrap();
    (sender, thread)
}

fn robust_released() {
    let (sender, thread) = holder();
    let thread = Mutex::new(Some(thread));
    in_both(|| {
        sender.send(true).unwrap();
        let thread = thread.lock().unwrap().take().unwrap();
        assert_eq!(thread.join().unwrap(), (0, 0));
        assert_eq!((FIRST.lock(), FIRST.unlock()), (0, 0));
        assert_eq!((SECOND.lock(), SECOND.unlock()), (0, 0));
    });
}

fn robust_owner_ends() {
    let (sender, _thread) = holder();
    in_both(|| {
        sender.send(false).unwrap();
        // The first waits for the end of the thread, if it comes before.
        assert_eq!(FIRST.lock(), libc::EOWNERDEAD);
        assert_eq!(SECOND.lock(), libc::EOWNERDEAD);
    });
}

fn robust_of_caller() {
    FIRST.initialise(true, libc::PTHREAD_MUTEX_NORMAL, libc::PTHREAD_PRIO_NONE);
    SECOND.initialise(true, libc::PTHREAD_MUTEX_NORMAL, libc::PTHREAD_PRIO_NONE);
    assert_eq!((FIRST.lock(), SECOND.lock()), (0, 0));
    in_both(|| {
        assert_eq!((SECOND.unlock(), SECOND.lock()), (0, 0));
        assert_eq!((FIRST.unlock(), SECOND.unlock()), (0, 0));
        let other = thread::spawn(|| (FIRST.lock(), FIRST.unlock()));
        assert_eq!(other.join().unwrap(), (0, 0));
    });
}

fn waits_for_owned() {
    for (is_robust, kind, protocol) in [
        (true, libc::PTHREAD_MUTEX_NORMAL, libc::PTHREAD_PRIO_NONE),
        (
            false,
            libc::PTHREAD_MUTEX_RECURSIVE,
            libc::PTHREAD_PRIO_NONE,
        ),
        (
            false,
            libc::PTHREAD_MUTEX_ERRORCHECK,
            libc::PTHREAD_PRIO_NONE,
        ),
        (
            false,
            libc::PTHREAD_MUTEX_NORMAL,
            libc::PTHREAD_PRIO_INHERIT,
        ),
    ] {
        FIRST.initialise(is_robust, kind, protocol);
        assert_eq!(FIRST.lock(), 0);
        let waiter = in_call(libc::SYS_futex, || {
            (thread_id(), FIRST.lock(), FIRST.unlock())
        });
        let stopped = check().unwrap().stop(&StopOptions::default());
        let error = stopped.unwrap_err();
        assert_eq!(FIRST.unlock(), 0);
        let (id, locked, unlocked) = waiter.join().unwrap();
        assert_eq!((locked, unlocked), (0, 0));
        let Error::Peculiar { thread, how } = error else {
            panic!("{error}");
        };
        assert_eq!(thread.id, id.unsigned_abs());
        assert_eq!(how, Peculiarity::Mutex);
    }
}

fn held_with_owner() {
    for (kind, protocol) in [
        (libc::PTHREAD_MUTEX_NORMAL, libc::PTHREAD_PRIO_NONE),
        (libc::PTHREAD_MUTEX_RECURSIVE, libc::PTHREAD_PRIO_NONE),
        (libc::PTHREAD_MUTEX_ERRORCHECK, libc::PTHREAD_PRIO_NONE),
        (libc::PTHREAD_MUTEX_NORMAL, libc::PTHREAD_PRIO_INHERIT),
        (libc::PTHREAD_MUTEX_RECURSIVE, libc::PTHREAD_PRIO_INHERIT),
    ] {
        FIRST.initialise(false, kind, protocol);
        let again = usize::from(kind == libc::PTHREAD_MUTEX_RECURSIVE);
        let (sender, receiver) = mpsc::channel();
        let (ready, is_ready) = mpsc::channel();
        let holder = thread::spawn(move || {
            assert_eq!(FIRST.lock(), 0);
            ready.send(()).unwrap();
            receiver.recv().unwrap();
            let take_over = || {
                // SAFETY: the mutex is initialised.
                unsafe { memit_threads::take_over_mutex(FIRST.0.get().cast()) };
            };
            for _ in 0..again {
                take_over();
                assert_eq!(FIRST.lock(), 0);
            }
            for _ in 0..=again {
                take_over();
                assert_eq!(FIRST.unlock(), 0, "{kind} {protocol}");
            }
        });
        is_ready.recv().unwrap();
        let holder = Mutex::new(Some(holder));
        let check = || {
            sender.send(()).unwrap();
            holder.lock().unwrap().take().unwrap().join().unwrap();
            assert_eq!((FIRST.lock(), FIRST.unlock()), (0, 0));
        };
        // The mutex is still held by the thread that the thread was two forks before.
        in_fork(|| in_both(check));
        check();
    }
}

fn held_for_writing() {
    static LOCK: Native<libc::pthread_rwlock_t> = Native::new();
    let lock = || LOCK.0.get().cast();
    // SAFETY: the lock lives as long as the process.
    let error = unsafe { libc::pthread_rwlock_init(lock(), std::ptr::null()) };
    assert_eq!(error, 0);
    let (sender, receiver) = mpsc::channel();
    let (ready, is_ready) = mpsc::channel();
    let holder = thread::spawn(move || {
        // SAFETY: the lock is initialised.
        assert_eq!(unsafe { libc::pthread_rwlock_wrlock(lock()) }, 0);
        ready.send(()).unwrap();
        receiver.recv().unwrap();
        // SAFETY: the lock is initialised.
        unsafe {
            memit_threads::take_over_rwlock(lock());
            libc::pthread_rwlock_unlock(lock())
        }
    });
    is_ready.recv().unwrap();
    let holder = Mutex::new(Some(holder));
    in_both(|| {
        // SAFETY: the lock is initialised.
        let error = unsafe { libc::pthread_rwlock_tryrdlock(lock()) };
        assert_eq!(error, libc::EBUSY);
        sender.send(()).unwrap();
        let holder = holder.lock().unwrap().take().unwrap();
        assert_eq!(holder.join().unwrap(), 0);
        // SAFETY: the lock is initialised.
        unsafe {
            assert_eq!(libc::pthread_rwlock_trywrlock(lock()), 0);
            assert_eq!(libc::pthread_rwlock_unlock(lock()), 0);
            assert_eq!(libc::pthread_rwlock_rdlock(lock()), 0);
            assert_eq!(libc::pthread_rwlock_unlock(lock()), 0);
        }
    });
}

fn loader() {
    static GOES_ON: AtomicBool = AtomicBool::new(false);
    extern "C" fn first(_: *mut libc::dl_phdr_info, _: usize, _: *mut c_void) -> c_int {
        wait_until("the test goes on", || GOES_ON.load(SeqCst));
        1
    }
    extern "C" fn count(_: *mut libc::dl_phdr_info, _: usize, number: *mut c_void) -> c_int {
        // SAFETY: a number of the caller.
        unsafe { *number.cast::<usize>() += 1 };
        0
    }
    // The calls hold a recursive lock of the loader, which has its owner's id.
    // SAFETY: the functions have the type of a callback.
    let inside = in_call(libc::SYS_clock_nanosleep, || unsafe {
        libc::dl_iterate_phdr(Some(first), std::ptr::null_mut())
    });
    let inside = Mutex::new(Some(inside));
    let counted = || {
        let mut number = 0_usize;
        // SAFETY: as above.
        unsafe { libc::dl_iterate_phdr(Some(count), (&raw mut number).cast()) };
        number
    };
    in_both(|| {
        GOES_ON.store(true, SeqCst);
        let inside = inside.lock().unwrap().take().unwrap();
        assert_eq!(inside.join().unwrap(), 1);
        assert!(counted() > 1);
        // The lock of the loader is free for others, too.
        assert!(thread::spawn(counted).join().unwrap() > 1);
    });
}

fn output() {
    let (sender, receiver) = mpsc::channel::<()>();
    let (ids_sender, ids) = mpsc::channel();
    let thread = thread::spawn(move || {
        let mut output = std::io::stdout().lock();
        ids_sender.send(thread_id()).unwrap();
        receiver.recv().unwrap();
        writeln!(output, "of the thread").unwrap();
    });
    let id = ids.recv().unwrap();
    wait_until_in(id, libc::SYS_futex);
    let thread = Mutex::new(Some(thread));
    in_both(|| {
        sender.send(()).unwrap();
        println!("of the caller");
        thread.lock().unwrap().take().unwrap().join().unwrap();
    });
}
