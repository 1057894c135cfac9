"""Locks of C that a thread holds while the session is copied: the thread of the copy releases them."""

import pytest

# The types of glibc on x86-64, and a thread that makes calls in turn and answers with their results.
LOCKS = """
use std::sync::mpsc::{Receiver, Sender, channel};

unsafe extern "C" {
    fn pthread_mutex_init(mutex: *mut [u64; 5], attributes: *const [u32; 1]) -> i32;
    fn pthread_mutex_lock(mutex: *mut [u64; 5]) -> i32;
    fn pthread_mutex_trylock(mutex: *mut [u64; 5]) -> i32;
    fn pthread_mutex_unlock(mutex: *mut [u64; 5]) -> i32;
    fn pthread_mutexattr_init(attributes: *mut [u32; 1]) -> i32;
    fn pthread_mutexattr_settype(attributes: *mut [u32; 1], kind: i32) -> i32;
    fn pthread_mutexattr_setprotocol(attributes: *mut [u32; 1], protocol: i32) -> i32;
    fn pthread_cond_timedwait(condition: *mut [u64; 6], mutex: *mut [u64; 5], until: *const [i64; 2]) -> i32;
    fn pthread_rwlock_wrlock(lock: *mut [u64; 7]) -> i32;
    fn pthread_rwlock_tryrdlock(lock: *mut [u64; 7]) -> i32;
    fn pthread_rwlock_unlock(lock: *mut [u64; 7]) -> i32;
    fn tmpfile() -> *mut u8;
    fn flockfile(file: *mut u8);
    fn ftrylockfile(file: *mut u8) -> i32;
    fn funlockfile(file: *mut u8);
    fn dl_iterate_phdr(each: extern "C" fn(*const u8, usize, *mut u8) -> i32, data: *mut u8) -> i32;
}

#[derive(Clone, Copy)]
struct Lock(usize);

impl Lock {
    fn new(kind: i32, protocol: i32) -> Self {
        let mutex = Box::leak(Box::new([0u64; 5]));
        let mut attributes = [0u32; 1];
        unsafe {
            pthread_mutexattr_init(&mut attributes);
            pthread_mutexattr_settype(&mut attributes, kind);
            pthread_mutexattr_setprotocol(&mut attributes, protocol);
            assert_eq!(pthread_mutex_init(mutex, &attributes), 0);
        }
        Self(mutex as *mut _ as usize)
    }
    fn lock(self) -> i32 { unsafe { pthread_mutex_lock(self.0 as *mut _) } }
    fn trylock(self) -> i32 { unsafe { pthread_mutex_trylock(self.0 as *mut _) } }
    fn unlock(self) -> i32 { unsafe { pthread_mutex_unlock(self.0 as *mut _) } }
    /// Waits for a condition whose time is over. The wait releases the mutex and takes it again.
    fn wait(self) -> i32 { unsafe { pthread_cond_timedwait(&mut [0; 6], self.0 as *mut _, &[1, 0]) } }
}

type Call = Box<dyn FnOnce() -> i32 + Send>;

struct Other { calls: Sender<Call>, results: Receiver<i32> }

impl Other {
    fn start() -> Self {
        let (calls, received) = channel::<Call>();
        let (sender, results) = channel();
        std::thread::spawn(move || for call in received { sender.send(call()).unwrap() });
        Self { calls, results }
    }
    fn make(&self, call: impl FnOnce() -> i32 + Send + 'static) -> i32 {
        self.calls.send(Box::new(call)).unwrap();
        self.results.recv().unwrap()
    }
}
let other = Other::start();
"""
ETIMEDOUT, EBUSY, EPERM = 110, 16, 1


@pytest.fixture(scope="module", autouse=True)
def locks(module_kernel):
    module_kernel.run(LOCKS)


@pytest.fixture
def kernel(module_kernel):
    yield module_kernel
    assert "protected:    yes" in module_kernel.run("%session").text
    module_kernel.check_nothing_is_left()


def copied(kernel):
    """Makes the session a copy of what it was."""
    kernel.fails("std::process::abort()", "ProcessEnded")


KINDS = {"recursive": (1, 0), "checked": (2, 0), "inherits": (0, 1), "recursive_inherits": (1, 1)}


@pytest.mark.parametrize("kind, protocol", KINDS.values(), ids=KINDS.keys())
def test_a_mutex_that_a_thread_holds_is_released_in_the_copy(kernel, kind, protocol):
    kernel.run(f"let lock = Lock::new({kind}, {protocol});\nother.make(move || lock.lock());")
    copied(kernel)
    copied(kernel)
    assert kernel.value("lock.trylock()") == str(EBUSY)
    again = "+ lock.trylock() + lock.unlock()" if kind == 1 else ""
    release = f"other.make(move || lock.unlock() {again.replace('trylock', 'lock')})"
    if kind == 1:
        assert kernel.value(f"other.make(move || 0 {again})") == "0"
        release = "other.make(move || lock.lock() + lock.unlock() + lock.unlock())"
    # The same in a run, whose thread is a copy of the copy.
    run = kernel.run(f"%memit -r 2 assert_eq!({release} + lock.lock() + lock.unlock(), 0)")
    assert run.json["isolated"] is True
    assert kernel.value("lock.trylock()") == str(EBUSY)
    assert kernel.value(release) == "0"
    assert kernel.value("lock.lock() + lock.unlock()") == "0"


def test_a_mutex_of_the_main_thread_is_released_in_the_copy(kernel):
    kernel.run("let held = Lock::new(1, 0);\nheld.lock();")
    copied(kernel)
    assert kernel.value("held.lock() + held.unlock() + held.unlock()") == "0"
    assert kernel.value("other.make(move || held.lock() + held.unlock())") == "0"


def test_a_condition_is_waited_for_with_a_mutex_of_before(kernel):
    kernel.run("let waits = Lock::new(2, 0);\nother.make(move || waits.lock());")
    copied(kernel)
    assert kernel.value("other.make(move || waits.wait())") == str(ETIMEDOUT)
    assert kernel.value("other.make(move || waits.unlock())") == "0"
    assert kernel.value("other.make(move || waits.unlock())") == str(EPERM), "nobody holds the mutex"


def test_a_lock_held_for_writing_is_released_in_the_copy(kernel):
    kernel.run("let written = Box::leak(Box::new([0u64; 7])) as *mut _ as usize;")
    kernel.run("other.make(move || unsafe { pthread_rwlock_wrlock(written as *mut _) });")
    copied(kernel)
    read = "unsafe { pthread_rwlock_tryrdlock(written as *mut _) }"
    assert kernel.value(read) == str(EBUSY)
    assert kernel.value("other.make(move || unsafe { pthread_rwlock_unlock(written as *mut _) })") == "0"
    assert kernel.value(read) == "0"


def test_a_stream_of_c_is_released_in_the_copy(kernel):
    kernel.run("let file = unsafe { tmpfile() } as usize;")
    kernel.run("other.make(move || unsafe { flockfile(file as *mut _); 0 });")
    copied(kernel)
    attempt = "(unsafe { ftrylockfile(file as *mut _) }) == 0"
    assert kernel.value(attempt) == "false"
    kernel.run("other.make(move || unsafe { flockfile(file as *mut _); funlockfile(file as *mut _); "
               "funlockfile(file as *mut _); 0 });")
    assert kernel.value(attempt) == "true"


def test_a_run_begins_while_a_thread_is_in_the_dynamic_loader(kernel):
    # The function holds a lock of the loader, and leaves the loader in a copy. A run watches the socket that the
    # session has open. For this, the run looks through all libraries, with the same lock.
    kernel.run("""
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    static INSIDE: AtomicU32 = AtomicU32::new(0);
    static GOES_ON: AtomicU32 = AtomicU32::new(0);
    extern "C" fn stay(_: *const u8, _: usize, _: *mut u8) -> i32 {
        let process = std::process::id();
        INSIDE.store(1, SeqCst);
        while std::process::id() == process && GOES_ON.load(SeqCst) == 0 { std::thread::yield_now() }
        1
    }
    extern "C" fn count(_: *const u8, _: usize, number: *mut u8) -> i32 {
        unsafe { *number.cast::<i32>() += 1 };
        0
    }
    fn counted() -> i32 {
        let mut number = 0;
        unsafe { dl_iterate_phdr(count, (&raw mut number).cast()) };
        number
    }
    let open = std::os::unix::net::UnixStream::pair()?;
    """)
    # In a block, the magic is part of the cell, which is loaded already.
    cell = kernel.run("""
    {
        other.calls.send(Box::new(|| unsafe { dl_iterate_phdr(stay, std::ptr::null_mut()) }))?;
        while INSIDE.load(SeqCst) == 0 { std::thread::yield_now() }
        %memit -r 2 { assert_eq!(other.results.recv()?, 1); assert!(counted() > 1); }
        GOES_ON.store(1, SeqCst);
        other.results.recv()?;
    }
    """)
    assert cell.json["isolated"] is True
    assert kernel.value("counted() > 1 && other.make(|| counted().min(2)) == 2") == "true"
