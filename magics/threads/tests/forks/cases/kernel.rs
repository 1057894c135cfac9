//! What Linux keeps for each thread.

use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::process::Command;
use std::sync::{Mutex, mpsc};
use std::thread::{self, JoinHandle};

use memit_threads::{Error, Peculiarity, StopOptions, check};

use super::harness::Case;
use super::process::{Ended, end, fork_alone, in_both, stop, thread_id, wait};

pub(crate) const CASES: &[Case] = &[
    ("restartable sequences are registered", rseq),
    (
        "restartable sequences of another library are named",
        foreign_rseq,
    ),
    ("the processors of a thread stay", processors),
    ("priority and timer slack of a thread stay", priority),
    ("the signals that a thread blocks stay", mask),
    ("the alternate stack of a thread stays", alternate_stack),
    (
        "a thread may be stopped on its alternate stack",
        on_alternate_stack,
    ),
    ("a stack overflow is reported in the fork", overflow),
    ("floating-point registers and modes stay", floating_point),
];

/// A thread that calls functions and returns their results.
struct Worker<T> {
    calls: mpsc::Sender<fn() -> T>,
    results: mpsc::Receiver<T>,
    _thread: JoinHandle<()>,
}

impl<T: Send + 'static> Worker<T> {
    fn start() -> Self {
        let (calls, receiver) = mpsc::channel::<fn() -> T>();
        let (sender, results) = mpsc::channel();
        let thread = thread::spawn(move || {
            for call in receiver {
                sender.send(call()).unwrap();
            }
        });
        Self {
            calls,
            results,
            _thread: thread,
        }
    }

    fn call(&self, call: fn() -> T) -> T {
        self.calls.send(call).unwrap();
        self.results.recv().unwrap()
    }
}

fn symbol<T: Copy>(name: &std::ffi::CStr) -> Option<T> {
    // SAFETY: the name is a C string.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    // SAFETY: glibc's variables have the types that the callers name.
    (!address.is_null()).then(|| unsafe { *address.cast::<T>() })
}

/// Whether glibc's area of the calling thread is registered, found out by ending the registration,
/// and the processor that the area names.
fn registration() -> Option<(bool, i32)> {
    const UNREGISTER: usize = 1;
    const SIGNATURE: u32 = 0x5305_3053;
    let offset: isize = symbol(c"__rseq_offset")?;
    let size: u32 = symbol(c"__rseq_size")?;
    if size == 0 {
        return None;
    }
    let size = size.max(32) as usize;
    // SAFETY: the area is that of the calling thread, and the calls check their arguments.
    unsafe {
        let area = (libc::pthread_self() as usize).wrapping_add_signed(offset) as *mut u32;
        let processor = area.add(1).read_volatile() as i32;
        let ended = libc::syscall(libc::SYS_rseq, area, size, UNREGISTER, SIGNATURE) == 0;
        *area.add(1) = u32::MAX;
        let again = libc::syscall(libc::SYS_rseq, area, size, 0_usize, SIGNATURE) == 0;
        Some((ended && again, processor))
    }
}

fn rseq() {
    let worker = Worker::start();
    in_both(|| {
        let Some((is_registered, processor)) = worker.call(registration) else {
            println!("this system has no restartable sequences");
            return;
        };
        assert!(is_registered);
        assert!(processor >= 0);
        assert!(registration().unwrap().0);
    });
}

/// A process in which glibc leaves restartable sequences to others.
fn foreign_rseq() {
    const TUNABLES: &str = "GLIBC_TUNABLES";
    if std::env::var_os(TUNABLES).is_none() {
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.env(TUNABLES, "glibc.pthread.rseq=0");
        assert!(again.status().unwrap().success());
        return;
    }
    let worker = Worker::start();
    in_both(|| assert!(worker.call(|| registration().is_none())));
    let is_registered = worker.call(|| {
        #[repr(align(32))]
        struct Area([u32; 8]);
        let area = Box::leak(Box::new(Area([0; 8])));
        // SAFETY: the area lives as long as the process.
        unsafe {
            libc::syscall(
                libc::SYS_rseq,
                &raw mut area.0,
                32,
                0_usize,
                0x5305_3053_u32,
            ) == 0
        }
    });
    if is_registered {
        let error = check().unwrap().stop(&StopOptions::default()).unwrap_err();
        let Error::Peculiar { how, .. } = error else {
            panic!("{error}");
        };
        assert_eq!(how, Peculiarity::RestartableSequences);
    }
}

/// The processors that a thread may run on.
fn allowed() -> Vec<usize> {
    // SAFETY: all zeros is a valid set, and the pointer is to it.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        assert_eq!(
            libc::sched_getaffinity(0, size_of_val(&set), &raw mut set),
            0
        );
        (0..1024)
            .filter(|cpu| libc::CPU_ISSET(*cpu, &set))
            .collect()
    }
}

fn processors() {
    let all = allowed();
    let pinned = Worker::start();
    let free = Worker::start();
    let expected = vec![*all.last().unwrap()];
    let last = pinned.call(|| {
        let last = *allowed().last().unwrap();
        // SAFETY: all zeros is a valid set, and the pointer is to it.
        unsafe {
            let mut set: libc::cpu_set_t = std::mem::zeroed();
            libc::CPU_SET(last, &mut set);
            assert_eq!(
                libc::sched_setaffinity(0, size_of_val(&set), &raw const set),
                0
            );
        }
        allowed()
    });
    assert_eq!(last, expected);
    in_both(|| {
        assert_eq!(pinned.call(allowed), expected);
        assert_eq!(free.call(allowed), all);
        assert_eq!(allowed(), all);
    });
}

/// Niceness, and timer slack in nanoseconds.
fn priorities() -> (i32, i32) {
    // SAFETY: the calls have no pointers.
    unsafe {
        let id = thread_id().unsigned_abs();
        (
            libc::getpriority(libc::PRIO_PROCESS, id),
            libc::prctl(libc::PR_GET_TIMERSLACK),
        )
    }
}

fn priority() {
    let worker = Worker::start();
    let usual = priorities();
    let set = worker.call(|| {
        // SAFETY: the calls have no pointers.
        unsafe {
            libc::setpriority(libc::PRIO_PROCESS, thread_id().unsigned_abs(), 5);
            libc::prctl(libc::PR_SET_TIMERSLACK, 777);
        }
        priorities()
    });
    assert_eq!(set, (5, 777));
    in_both(|| {
        assert_eq!(worker.call(priorities), set);
        assert_eq!(priorities(), usual);
    });
}

/// Whether the calling thread blocks `SIGUSR1`.
fn is_blocking() -> bool {
    // SAFETY: all zeros is a valid set, and the pointers are to it.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), &raw mut set);
        libc::sigismember(&raw const set, libc::SIGUSR1) == 1
    }
}

fn mask() {
    let blocking = Worker::start();
    let other = Worker::start();
    blocking.call(|| {
        // SAFETY: all zeros is a valid set, and the pointers are to it.
        unsafe {
            let mut set = std::mem::zeroed();
            libc::sigaddset(&raw mut set, libc::SIGUSR1);
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        }
        true
    });
    in_both(|| {
        assert!(blocking.call(is_blocking));
        assert!(!other.call(is_blocking));
        assert!(!is_blocking());
    });
}

/// Address, size and flags of the alternate stack.
fn stack() -> (usize, usize, i32) {
    // SAFETY: all zeros is a valid value, and the pointer is to it.
    unsafe {
        let mut stack: libc::stack_t = std::mem::zeroed();
        assert_eq!(libc::sigaltstack(std::ptr::null(), &raw mut stack), 0);
        (stack.ss_sp as usize, stack.ss_size, stack.ss_flags)
    }
}

/// Sets a large alternate stack; returns the same as [`stack`].
fn set_stack() -> (usize, usize, i32) {
    let memory = Box::leak(vec![0_u8; 100_000].into_boxed_slice());
    let new = libc::stack_t {
        ss_sp: memory.as_mut_ptr().cast(),
        ss_flags: 0,
        ss_size: memory.len(),
    };
    // SAFETY: the memory lives as long as the process.
    let error = unsafe { libc::sigaltstack(&raw const new, std::ptr::null_mut()) };
    assert_eq!(error, 0);
    stack()
}

fn alternate_stack() {
    let worker = Worker::start();
    let own = Worker::start();
    let usual = worker.call(stack);
    assert_eq!(usual.2, 0, "std has set one up");
    let set = own.call(set_stack);
    assert_eq!(set.1, 100_000);
    let main = stack();
    in_both(|| {
        assert_eq!(worker.call(stack), usual);
        assert_eq!(own.call(stack), set);
        assert_eq!(stack(), main);
    });
}

fn on_alternate_stack() {
    static READY: Mutex<Option<mpsc::Sender<()>>> = Mutex::new(None);
    static GATE: Mutex<()> = Mutex::new(());
    extern "C" fn wait_inside(_: i32) {
        // A handler should not do this, but nothing else is going on in the thread.
        READY.lock().unwrap().take().unwrap().send(()).unwrap();
        drop(GATE.lock());
    }
    // SAFETY: all zeros is a valid action, and the handler is one.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = wait_inside as *const () as libc::sighandler_t;
        action.sa_flags = libc::SA_ONSTACK;
        libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut());
    }
    let (sender, ready) = mpsc::channel();
    *READY.lock().unwrap() = Some(sender);
    let gate = GATE.lock().unwrap();
    let worker = Worker::start();
    // The stack of std has no room for two handlers where vector registers are large.
    let call = || {
        set_stack();
        // SAFETY: raises a signal that has a handler.
        unsafe { libc::raise(libc::SIGUSR1) }
    };
    worker.calls.send(call).unwrap();
    ready.recv().unwrap();
    let gate = Mutex::new(Some(gate));
    in_both(|| {
        drop(gate.lock().unwrap().take());
        assert_eq!(worker.results.recv().unwrap(), 0);
        assert_eq!(worker.call(|| stack().2), 0);
    });
}

fn overflow() {
    #[expect(unconditional_recursion, reason = "the stack shall overflow")]
    fn recurse(n: u64) -> u64 {
        let numbers = std::hint::black_box([n; 64]);
        recurse(n + 1) + numbers[1]
    }
    let thread = thread::Builder::new().name("deep".to_owned());
    let (sender, receiver) = mpsc::channel();
    let _thread = thread.spawn(move || {
        receiver.recv().unwrap();
        recurse(0)
    });
    let mut pipe = [0; 2];
    // SAFETY: the call stores two descriptors, which nobody else owns.
    let [from, to] = unsafe {
        assert_eq!(libc::pipe(pipe.as_mut_ptr()), 0);
        pipe.map(|descriptor| OwnedFd::from_raw_fd(descriptor))
    };
    let (pid, stopped) = fork_alone(stop(), |alone| {
        // SAFETY: standard error goes to the pipe.
        unsafe { libc::dup2(to.as_raw_fd(), libc::STDERR_FILENO) };
        alone.revive().unwrap();
        sender.send(()).unwrap();
        loop {
            thread::park();
        }
    });
    let ended = wait(pid);
    drop((stopped, to));
    let mut text = String::new();
    std::io::Read::read_to_string(&mut std::fs::File::from(from), &mut text).unwrap();
    assert_eq!(ended, Ended::Signalled(libc::SIGABRT), "{text}");
    assert!(text.contains("'deep'"), "{text}");
    assert!(text.contains("has overflowed its stack"), "{text}");
    // Programs can be started meanwhile.
    assert!(Command::new("true").status().unwrap().success());
    end(0);
}

fn floating_point() {
    use std::arch::asm;
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
    static GOES_ON: AtomicBool = AtomicBool::new(true);
    let (sender, ready) = mpsc::channel();
    let thread = thread::spawn(move || {
        // Rounds down, as no other thread does.
        const DOWN: u32 = 0x3f80;
        let mut modes = 0_u32;
        sender.send(()).unwrap();
        let sum: u64;
        let flag = GOES_ON.as_ptr();
        // SAFETY: sets and reads a mode of this thread, and puts it back. Waits with a number in a
        // vector register.
        unsafe {
            asm!(
                "stmxcsr [{modes}]",
                "mov {usual:e}, [{modes}]",
                "mov [{modes}], {down:e}",
                "ldmxcsr [{modes}]",
                "movq xmm7, {number}",
                "2:",
                "cmp byte ptr [{flag}], 0",
                "jne 2b",
                "stmxcsr [{modes}]",
                "movq {sum}, xmm7",
                "mov {down:e}, [{modes}]",
                "mov [{modes}], {usual:e}",
                "ldmxcsr [{modes}]",
                "mov [{modes}], {down:e}",
                modes = in(reg) &raw mut modes,
                usual = out(reg) _,
                down = inout(reg) u64::from(DOWN) => _,
                number = in(reg) 123_456_789_u64,
                flag = in(reg) flag,
                sum = out(reg) sum,
                out("xmm7") _,
            );
        }
        (sum, modes & 0xffc0 == DOWN)
    });
    ready.recv().unwrap();
    let thread = Mutex::new(Some(thread));
    in_both(|| {
        GOES_ON.store(false, SeqCst);
        let thread = thread.lock().unwrap().take().unwrap();
        assert_eq!(thread.join().unwrap(), (123_456_789, true));
    });
}
