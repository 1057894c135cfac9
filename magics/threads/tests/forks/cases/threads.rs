//! Threads in forks: their number, names, ids and ends.

use std::cell::Cell;
use std::ffi::c_void;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};

use super::harness::Case;
use super::process::{
    Ended, end, fork_alone, in_both, in_fork, stop, thread_id, thread_ids, wait, wait_until,
};

pub(crate) const CASES: &[Case] = &[
    ("a fork has all threads, with their names", names),
    ("a thread is joined in the fork and in the parent", join),
    (
        "a thread that ends in the fork runs its destructors",
        destructors,
    ),
    ("a detached thread ends in the fork", detached),
    (
        "a scope waits for its threads in the fork and in the parent",
        scoped,
    ),
    ("the fork starts threads of its own", new_threads),
    (
        "any thread may fork, and the main thread goes on",
        caller_is_not_main,
    ),
    ("the caller can be joined in the fork", caller_is_joined),
    (
        "a process whose main thread has ended can be forked",
        main_has_ended,
    ),
    ("threads are signalled by their new ids", pthread_kill),
    ("a thread is cancelled in the fork", cancelled),
    ("a thread of no library is named", foreign_thread),
    ("handlers of pthread_atfork do not run", atfork),
];

/// A thread that waits for a number and returns it.
pub(crate) fn waiting(name: &str) -> (Sender<u32>, JoinHandle<u32>) {
    let (sender, receiver) = mpsc::channel();
    let builder = thread::Builder::new().name(name.to_owned());
    let thread = builder.spawn(move || receiver.recv().unwrap()).unwrap();
    (sender, thread)
}

fn thread_names() -> Vec<String> {
    let name = |id| std::fs::read_to_string(format!("/proc/self/task/{id}/comm")).unwrap();
    let names = thread_ids().into_iter().map(name);
    let mut names: Vec<String> = names.map(|name| name.trim().to_owned()).collect();
    names.sort();
    names
}

fn names() {
    let threads: Vec<_> = (0..5).map(|n| waiting(&format!("worker {n}"))).collect();
    wait_until("the threads have their names", || {
        thread_names()
            .iter()
            .filter(|name| name.starts_with("worker"))
            .count()
            == 5
    });
    let before = thread_names();
    in_both(|| assert_eq!(thread_names(), before));
    for (sender, thread) in threads {
        sender.send(1).unwrap();
        thread.join().unwrap();
    }
}

fn join() {
    let (sender, thread) = waiting("joined");
    let thread = Mutex::new(Some(thread));
    in_both(|| {
        sender.send(42).unwrap();
        let thread = thread.lock().unwrap().take().unwrap();
        assert_eq!(thread.join().unwrap(), 42);
        assert_eq!(thread_ids(), [thread_id()]);
    });
}

fn destructors() {
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    struct Noticed;
    impl Drop for Noticed {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, SeqCst);
        }
    }
    thread_local! {
        static NOTICED: Cell<Option<Noticed>> = const { Cell::new(None) };
    }
    let (sender, receiver) = mpsc::channel();
    let (ready, is_ready) = mpsc::channel();
    let thread = thread::spawn(move || {
        NOTICED.set(Some(Noticed));
        ready.send(()).unwrap();
        receiver.recv().unwrap();
    });
    is_ready.recv().unwrap();
    let thread = Mutex::new(Some(thread));
    in_both(|| {
        assert_eq!(DROPPED.load(SeqCst), 0);
        sender.send(()).unwrap();
        thread.lock().unwrap().take().unwrap().join().unwrap();
        assert_eq!(DROPPED.load(SeqCst), 1);
    });
}

fn detached() {
    let (sender, thread) = waiting("detached");
    drop(thread);
    in_both(|| {
        sender.send(1).unwrap();
        wait_until("the thread has ended", || thread_ids() == [thread_id()]);
    });
}

fn scoped() {
    let total = AtomicUsize::new(0);
    let gate = (Mutex::new(false), Condvar::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut open = gate.0.lock().unwrap();
                while !*open {
                    open = gate.1.wait(open).unwrap();
                }
                total.fetch_add(1, SeqCst);
            });
        }
        in_both(|| {
            *gate.0.lock().unwrap() = true;
            gate.1.notify_all();
            wait_until("the threads have counted", || total.load(SeqCst) == 4);
        });
    });
    assert_eq!(total.load(SeqCst), 4);
}

fn new_threads() {
    let _waiting = waiting("old");
    in_both(|| {
        let threads: Vec<_> = (0..20).map(|n| thread::spawn(move || n)).collect();
        let results = threads.into_iter().map(|thread| thread.join().unwrap());
        assert_eq!(results.sum::<u32>(), 190);
    });
}

fn caller_is_not_main() {
    let pid = Arc::new(AtomicI32::new(0));
    let (sender, receiver) = mpsc::channel();
    let forker = {
        let pid = Arc::clone(&pid);
        thread::spawn(move || {
            let (child, stopped) = fork_alone(stop(), |alone| {
                // Only the main thread ends the fork.
                alone.revive().unwrap();
                sender.send(true).unwrap();
                loop {
                    thread::park();
                }
            });
            pid.store(child, SeqCst);
            let ended = wait(child);
            drop(stopped);
            sender.send(false).unwrap();
            ended
        })
    };
    let is_fork = receiver.recv().unwrap();
    if is_fork {
        // SAFETY: the calls only return numbers.
        let (process, parent) = unsafe { (libc::getpid(), libc::getppid()) };
        assert_ne!(process, thread_id());
        assert_ne!(parent, 0);
        end(7);
    }
    assert_eq!(forker.join().unwrap(), Ended::Exited(7));
}

fn caller_is_joined() {
    let caller = thread::spawn(|| {
        // SAFETY: a fork of a test.
        match unsafe { stop().fork() }.unwrap() {
            memit_threads::Forked::Parent(pid, stopped) => {
                let ended = wait(pid);
                drop(stopped);
                Some(ended)
            }
            memit_threads::Forked::Child(alone) => {
                alone.revive().unwrap();
                None
            }
        }
    });
    match caller.join().unwrap() {
        Some(ended) => assert_eq!(ended, Ended::Exited(9)),
        None => end(9),
    }
}

fn main_has_ended() {
    let main = thread_id();
    thread::spawn(move || {
        wait_until("the main thread has ended", || {
            let stat = std::fs::read_to_string(format!("/proc/self/task/{main}/stat")).unwrap();
            stat.contains(") Z ")
        });
        let (sender, thread) = waiting("other");
        let thread = Mutex::new(Some(thread));
        in_both(|| {
            sender.send(3).unwrap();
            assert_eq!(thread.lock().unwrap().take().unwrap().join().unwrap(), 3);
        });
        end(0);
    });
    // SAFETY: ends the calling thread alone. Nothing of its stack is used any more.
    unsafe { libc::syscall(libc::SYS_exit, 0) };
}

fn pthread_kill() {
    static RECEIVER: AtomicI32 = AtomicI32::new(0);
    extern "C" fn note(_: i32) {
        RECEIVER.store(thread_id(), SeqCst);
    }
    // SAFETY: the handler stores a number.
    unsafe { libc::signal(libc::SIGUSR1, note as *const () as libc::sighandler_t) };
    let (id_sender, ids) = mpsc::channel();
    let (sender, receiver) = mpsc::channel();
    let thread = thread::spawn(move || {
        // SAFETY: the call only returns a number.
        id_sender.send(unsafe { libc::pthread_self() }).unwrap();
        while receiver.recv() == Ok(()) {
            id_sender.send(0).unwrap();
        }
    });
    let other = ids.recv().unwrap();
    in_both(|| {
        // SAFETY: the call only returns a number.
        for target in [other, unsafe { libc::pthread_self() }] {
            RECEIVER.store(0, SeqCst);
            // SAFETY: both threads exist.
            assert_eq!(unsafe { libc::pthread_kill(target, libc::SIGUSR1) }, 0);
            wait_until("the signal has arrived", || RECEIVER.load(SeqCst) != 0);
            let is_here = RECEIVER.load(SeqCst) == thread_id();
            assert_eq!(is_here, target != other);
            assert!(thread_ids().contains(&RECEIVER.load(SeqCst)));
        }
        sender.send(()).unwrap();
        ids.recv().unwrap();
    });
    drop(sender);
    thread.join().unwrap();
}

fn cancelled() {
    unsafe extern "C" {
        fn pthread_cancel(thread: libc::pthread_t) -> i32;
    }
    extern "C" fn wait_for_ever(_: *mut c_void) -> *mut c_void {
        loop {
            // SAFETY: no preconditions. There is no destructor that a cancellation would skip.
            unsafe { libc::pause() };
        }
    }
    let mut thread = 0;
    // SAFETY: the function has the type of a thread's.
    let error = unsafe {
        libc::pthread_create(
            &raw mut thread,
            std::ptr::null(),
            wait_for_ever,
            std::ptr::null_mut(),
        )
    };
    assert_eq!(error, 0);
    in_both(|| {
        let mut result = std::ptr::null_mut();
        // SAFETY: the thread is joined once in each process.
        unsafe {
            assert_eq!(pthread_cancel(thread), 0);
            assert_eq!(libc::pthread_join(thread, &raw mut result), 0);
        }
        // PTHREAD_CANCELED
        assert_eq!(result.addr(), usize::MAX);
    });
}

fn foreign_thread() {
    extern "C" fn body(_: *mut c_void) -> i32 {
        loop {
            // SAFETY: no preconditions. Returns with an error that stays unread.
            unsafe { libc::pause() };
        }
    }
    let mut stack = vec![0_u8; 65536];
    let flags = libc::CLONE_VM
        | libc::CLONE_SIGHAND
        | libc::CLONE_THREAD
        | libc::CLONE_FILES
        | libc::CLONE_FS;
    // SAFETY: the thread has a stack of its own, which lives as long as the process. The thread
    // shares the thread-local storage of this one, and both only call the system meanwhile.
    let id = unsafe {
        let top = stack.as_mut_ptr().add(stack.len());
        libc::clone(body, top.cast(), flags, std::ptr::null_mut())
    };
    assert!(id > 0);
    std::mem::forget(stack);
    let error = memit_threads::check()
        .unwrap()
        .stop(&memit_threads::StopOptions::default())
        .unwrap_err();
    let memit_threads::Error::Peculiar { thread, how } = error else {
        panic!("{error}");
    };
    assert_eq!(thread.id, id.unsigned_abs());
    assert_eq!(how, memit_threads::Peculiarity::Descriptor);
    end(0);
}

fn atfork() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    extern "C" fn count() {
        CALLS.fetch_add(1, SeqCst);
    }
    memit_threads::check().unwrap();
    let (_sender, _thread) = waiting("other");
    // SAFETY: the function counts.
    let error = unsafe { libc::pthread_atfork(Some(count), Some(count), Some(count)) };
    assert_eq!(error, 0);
    in_fork(|| assert_eq!(CALLS.load(SeqCst), 0));
    assert_eq!(CALLS.load(SeqCst), 0);
}
