//! System calls in which threads are stopped: which go on, and which return `EINTR`.

use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::harness::Case;
use super::process::{in_fork, stop, thread_id, wait_until, wait_until_in};

pub(crate) const CASES: &[Case] = &[
    (
        "a sleep lasts as asked, in the fork and in the parent",
        sleep,
    ),
    ("a wait with a time limit lasts as asked", timed_wait),
    ("reading goes on", read),
    ("waiting for a lock goes on", futex),
    ("what Linux does not restart returns EINTR", interrupted),
    ("sockets serve the fork and then the parent", sockets),
];

/// A thread that makes a call; the thread has begun to wait in the system call `number`.
pub(crate) fn in_call<T: Send + 'static>(
    number: i64,
    call: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    let (sender, ids) = mpsc::channel();
    let thread = thread::spawn(move || {
        sender.send(thread_id()).unwrap();
        call()
    });
    wait_until_in(ids.recv().unwrap(), number);
    thread
}

fn sleep() {
    const ASKED: Duration = Duration::from_millis(300);
    let asleep = |_| {
        in_call(libc::SYS_clock_nanosleep, || {
            let begun = Instant::now();
            thread::sleep(ASKED);
            begun.elapsed()
        })
    };
    let threads: Vec<_> = (0..3).map(asleep).collect();
    let threads = Mutex::new(threads);
    let check = || {
        for thread in threads.lock().unwrap().drain(..) {
            let elapsed = thread.join().unwrap();
            assert!(elapsed >= ASKED, "{elapsed:?}");
            assert!(elapsed < ASKED * 20, "{elapsed:?}");
        }
    };
    // Stops, too, of which the fork has none.
    for _ in 0..5 {
        drop(stop());
    }
    in_fork(check);
    check();
}

fn timed_wait() {
    const ASKED: Duration = Duration::from_millis(300);
    let thread = in_call(libc::SYS_futex, || {
        let pair = (Mutex::new(()), Condvar::new());
        let begun = Instant::now();
        let guard = pair.0.lock().unwrap();
        let wait = pair.1.wait_timeout_while(guard, ASKED, |()| true);
        assert!(wait.unwrap().1.timed_out());
        begun.elapsed()
    });
    let thread = Mutex::new(Some(thread));
    let check = || {
        let elapsed = thread.lock().unwrap().take().unwrap().join().unwrap();
        assert!(elapsed >= ASKED, "{elapsed:?}");
    };
    in_fork(check);
    check();
}

fn read() {
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    let thread = in_call(libc::SYS_read, move || {
        let mut byte = [0];
        // `read` of std returns an interruption as an error.
        let read = reader.read(&mut byte).map_err(|error| error.to_string());
        (read, byte)
    });
    let thread = Mutex::new(Some(thread));
    let mut check = |byte: u8| {
        writer.write_all(&[byte]).unwrap();
        let thread = thread.lock().unwrap().take().unwrap();
        assert_eq!(thread.join().unwrap(), (Ok(1), [byte]));
    };
    in_fork(|| check(7));
    check(8);
}

fn futex() {
    static WORD: AtomicU32 = AtomicU32::new(0);
    let call = |operation: i32, value: u32| {
        // SAFETY: the word lives as long as the process, and there is no time limit.
        unsafe { libc::syscall(libc::SYS_futex, WORD.as_ptr(), operation, value, 0_usize) }
    };
    let thread = in_call(libc::SYS_futex, move || {
        let result = call(libc::FUTEX_WAIT, 0);
        (result, std::io::Error::last_os_error().raw_os_error())
    });
    let thread = Mutex::new(Some(thread));
    let check = || {
        // A copied thread begins its wait again, and may find the new value.
        WORD.store(1, SeqCst);
        let thread = thread.lock().unwrap().take().unwrap();
        wait_until("the thread has ended", || {
            call(libc::FUTEX_WAKE, 1);
            thread.is_finished()
        });
        let (result, errno) = thread.join().unwrap();
        assert!(result == 0 || errno == Some(libc::EAGAIN), "{errno:?}");
    };
    in_fork(check);
    check();
}

/// The calls of which signal(7) says that they return `EINTR` whatever the flags of the handler
/// are.
fn interrupted() {
    let nanosleep: fn() -> i32 = || {
        let time = libc::timespec {
            tv_sec: 600,
            tv_nsec: 0,
        };
        // SAFETY: the time is a live local, and the rest of the time is not asked for.
        unsafe { libc::nanosleep(&raw const time, std::ptr::null_mut()) }
    };
    // SAFETY: there are no descriptors.
    let poll: fn() -> i32 = || unsafe { libc::poll(std::ptr::null_mut(), 0, -1) };
    let epoll: fn() -> i32 = || {
        let mut event = libc::epoll_event { events: 0, u64: 0 };
        // SAFETY: there is room for one event.
        unsafe { libc::epoll_wait(libc::epoll_create1(0), &raw mut event, 1, -1) }
    };
    let select: fn() -> i32 = || {
        let none = std::ptr::null_mut();
        // SAFETY: there are no descriptors and no time limit.
        unsafe { libc::select(0, none, none, none, std::ptr::null_mut()) }
    };
    for (name, numbers, call) in [
        (
            "nanosleep",
            [libc::SYS_clock_nanosleep, libc::SYS_nanosleep],
            nanosleep,
        ),
        ("poll", [libc::SYS_poll, libc::SYS_ppoll], poll),
        (
            "epoll_wait",
            [libc::SYS_epoll_wait, libc::SYS_epoll_pwait],
            epoll,
        ),
        ("select", [libc::SYS_pselect6, libc::SYS_select], select),
    ] {
        let (sender, ids) = mpsc::channel();
        let thread = thread::spawn(move || {
            sender.send(thread_id()).unwrap();
            let result = call();
            (result, std::io::Error::last_os_error().raw_os_error())
        });
        let id = ids.recv().unwrap();
        wait_until(name, || {
            let text = std::fs::read_to_string(format!("/proc/self/task/{id}/syscall")).unwrap();
            numbers
                .iter()
                .any(|number| text.starts_with(&format!("{number} ")))
        });
        let thread = Mutex::new(Some(thread));
        let check = || {
            let thread = thread.lock().unwrap().take().unwrap();
            assert_eq!(thread.join().unwrap(), (-1, Some(libc::EINTR)), "{name}");
        };
        in_fork(check);
        check();
    }
}

/// A server on an epoll with an eventfd to wake it, as asynchronous runtimes have it, and a client.
fn sockets() {
    use std::net::{TcpListener, TcpStream};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let served = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&served);
    // SAFETY: the calls have no pointers but to live locals.
    let (epoll, waker) = unsafe { (libc::epoll_create1(0), libc::eventfd(0, 0)) };
    for descriptor in [waker, listener.as_raw_fd()] {
        let mut event = libc::epoll_event {
            events: libc::EPOLLIN as u32,
            u64: descriptor as u64,
        };
        // SAFETY: as above.
        let added =
            unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, descriptor, &raw mut event) };
        assert_eq!(added, 0);
    }
    let rings = Arc::new(AtomicI32::new(0));
    let rung = Arc::clone(&rings);
    thread::spawn(move || {
        loop {
            let mut event = libc::epoll_event { events: 0, u64: 0 };
            // SAFETY: as above.
            if unsafe { libc::epoll_wait(epoll, &raw mut event, 1, -1) } < 1 {
                continue;
            }
            if event.u64 == waker as u64 {
                let mut count = 0_u64;
                // SAFETY: as above.
                unsafe { libc::read(waker, (&raw mut count).cast(), 8) };
                rung.fetch_add(1, SeqCst);
                continue;
            }
            let (mut stream, _) = listener.accept().unwrap();
            let mut text = [0; 4];
            stream.read_exact(&mut text).unwrap();
            stream.write_all(&text).unwrap();
            counter.fetch_add(1, SeqCst);
        }
    });
    let ask = || {
        let before = served.load(SeqCst);
        for _ in 0..10 {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(b"ping").unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            assert_eq!(text, "ping");
        }
        wait_until("all are served", || served.load(SeqCst) == before + 10);
        let before = rings.load(SeqCst);
        let one = 1_u64;
        // SAFETY: as above.
        unsafe { libc::write(waker, (&raw const one).cast(), 8) };
        wait_until("the server is woken", || rings.load(SeqCst) == before + 1);
    };
    ask();
    for _ in 0..20 {
        in_fork(ask);
        ask();
    }
}
