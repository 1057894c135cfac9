//! Queues of the system by which threads are woken: `epoll`, `eventfd` and `timerfd`.
//!
//! A fork shares these queues with the process that it is a copy of. What one of the two takes from
//! a queue, watches no longer or watches anew, the other would miss, or would meet without knowing
//! it: a runtime such as tokio's keeps addresses of its own memory in an `epoll`. A copy of a
//! session therefore gets queues of its own, as they were when the session was copied.

use std::ffi::c_int;
use std::fs;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::FdFlags;

use super::descriptors;

/// Descriptors of queues that memit has opened, such as those of the kernel, which are not touched.
static OWN: Mutex<Vec<RawFd>> = Mutex::new(Vec::new());

/// Counts every queue that is open now as memit's own.
pub(super) fn set_own_aside() {
    let all = descriptors::numbers().into_iter();
    let queues = all.filter(|number| Content::of(*number).is_some());
    *OWN.lock().unwrap_or_else(PoisonError::into_inner) = queues.collect();
}

/// All queues of this process at one moment.
pub(crate) struct Queues(Vec<Queue>);

/// A queue.
struct Queue {
    /// The descriptors of the queue.
    numbers: Vec<RawFd>,
    content: Content,
}

/// What is in a queue.
enum Content {
    /// An `epoll`.
    Poll(Vec<Watched>),
    /// An `eventfd`.
    Counter {
        /// The number by which the system tells counters apart, where it does.
        id: Option<String>,
        count: u64,
        is_semaphore: bool,
    },
    /// A `timerfd`.
    Timer {
        clock: c_int,
        left: libc::itimerspec,
    },
}

/// What an `epoll` watches.
#[derive(Debug, PartialEq, Eq)]
struct Watched {
    number: RawFd,
    events: u32,
    data: u64,
    inode: u64,
}

impl Queues {
    /// The queues now.
    pub(crate) fn now() -> Self {
        let own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut queues: Vec<Queue> = Vec::new();
        for number in descriptors::numbers() {
            if own.contains(&number) {
                continue;
            }
            let Some(content) = Content::of(number) else {
                continue;
            };
            match queues.iter_mut().find(|queue| queue.is(number, &content)) {
                Some(known) => known.numbers.push(number),
                None => queues.push(Queue {
                    numbers: vec![number],
                    content,
                }),
            }
        }
        Self(queues)
    }

    /// Replaces the queues of this process, which is a copy, by queues of its own. A queue that the
    /// system refuses stays shared.
    pub(crate) fn set_apart(&self) {
        // An `epoll` watches the other queues, so all are replaced first.
        let own: Vec<_> = self.0.iter().filter(|queue| queue.replace()).collect();
        for queue in own {
            queue.watch();
        }
    }
}

impl Queue {
    /// Whether a descriptor with this content is one of this queue.
    fn is(&self, number: RawFd, content: &Content) -> bool {
        match (&self.content, content) {
            (Content::Poll(_), Content::Poll(_)) => are_one_poll(self.numbers[0], number),
            (
                Content::Counter { id: Some(id), .. },
                Content::Counter {
                    id: Some(other), ..
                },
            ) => id == other,
            // Nothing tells timers apart, and nobody is known to clone one.
            _ => false,
        }
    }

    /// Puts a new queue in the place of this one; true if the system lets it.
    fn replace(&self) -> bool {
        let Some(new) = self.content.create(self.numbers[0]) else {
            return false;
        };
        let put = |number: &RawFd| {
            let flags = if is_inherited(*number) {
                0
            } else {
                libc::O_CLOEXEC
            };
            // SAFETY: the number belongs to the queue of the session, and whoever uses the number
            // gets the new queue from now on.
            (unsafe { libc::dup3(new.as_raw_fd(), *number, flags) }) >= 0
        };
        self.numbers.iter().all(put)
    }

    /// Watches what the queue has watched, unless it is no longer open.
    fn watch(&self) {
        let Content::Poll(watched) = &self.content else {
            return;
        };
        for each in watched {
            if inode(each.number) == Some(each.inode) {
                let flags = EventFlags::from_bits_retain(each.events);
                let data = EventData::new_u64(each.data);
                // What the system refuses is not watched, as if it had been closed.
                let _ = epoll::add(borrow(self.numbers[0]), borrow(each.number), data, flags);
            }
        }
    }
}

impl Content {
    /// What is in the queue of a descriptor; `None` if the descriptor is none of a queue.
    fn of(number: RawFd) -> Option<Self> {
        // Queues are files of no type.
        let mode = rustix::fs::fstat(borrow(number)).ok()?.st_mode;
        if mode & libc::S_IFMT != 0 {
            return None;
        }
        let link = fs::read_link(format!("/proc/self/fd/{number}")).ok()?;
        let of = match link.to_str()? {
            "anon_inode:[eventpoll]" => |_, info: &str| {
                let watched = info.lines().filter_map(Watched::of);
                Some(Self::Poll(watched.collect()))
            },
            "anon_inode:[eventfd]" => Self::counter,
            "anon_inode:[timerfd]" => Self::timer,
            _ => return None,
        };
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{number}")).ok()?;
        of(number, &info)
    }

    fn counter(_: RawFd, info: &str) -> Option<Self> {
        Some(Self::Counter {
            id: field(info, "eventfd-id").map(str::to_owned),
            count: u64::from_str_radix(field(info, "eventfd-count")?, 16).ok()?,
            // Linux 6.4 and older do not tell, and semaphores are rare.
            is_semaphore: field(info, "eventfd-semaphore") == Some("1"),
        })
    }

    fn timer(number: RawFd, info: &str) -> Option<Self> {
        // SAFETY: all zeros is a valid value of a plain C struct.
        let mut left: libc::itimerspec = unsafe { std::mem::zeroed() };
        // SAFETY: the call writes to the local.
        if unsafe { libc::timerfd_gettime(number, &raw mut left) } == -1 {
            return None;
        }
        if field(info, "ticks")? != "0" {
            // The timer has expired, and nobody has read it: the new timer expires at once.
            left.it_value = libc::timespec {
                tv_sec: 0,
                tv_nsec: 1,
            };
        }
        Some(Self::Timer {
            clock: field(info, "clockid")?.parse().ok()?,
            left,
        })
    }

    /// A new queue, as that of the descriptor `like`, which watches nothing yet.
    fn create(&self, like: RawFd) -> Option<OwnedFd> {
        let status = rustix::fs::fcntl_getfl(borrow(like)).ok()?;
        let waits = !status.contains(rustix::fs::OFlags::NONBLOCK);
        match self {
            Self::Poll(_) => epoll::create(CreateFlags::CLOEXEC).ok(),
            Self::Counter {
                count,
                is_semaphore,
                ..
            } => {
                let mut flags = EventfdFlags::CLOEXEC;
                flags.set(EventfdFlags::NONBLOCK, !waits);
                flags.set(EventfdFlags::SEMAPHORE, *is_semaphore);
                let counter = eventfd(0, flags).ok()?;
                if *count > 0 {
                    rustix::io::write(&counter, &count.to_ne_bytes()).ok()?;
                }
                Some(counter)
            }
            Self::Timer { clock, left } => new_timer(*clock, waits, left),
        }
    }
}

impl Watched {
    /// From a line of what the system tells about an `epoll`.
    fn of(line: &str) -> Option<Self> {
        let words: Vec<_> = line.split_whitespace().collect();
        let ["tfd:", number, "events:", events, "data:", data, rest @ ..] = words.as_slice() else {
            return None;
        };
        let inode = rest.iter().find_map(|word| word.strip_prefix("ino:"))?;
        Some(Self {
            number: number.parse().ok()?,
            events: u32::from_str_radix(events, 16).ok()?,
            data: u64::from_str_radix(data, 16).ok()?,
            inode: u64::from_str_radix(inode, 16).ok()?,
        })
    }
}

fn new_timer(clock: c_int, waits: bool, left: &libc::itimerspec) -> Option<OwnedFd> {
    let flags = libc::TFD_CLOEXEC | if waits { 0 } else { libc::TFD_NONBLOCK };
    // SAFETY: the call has no pointers.
    let timer = unsafe { libc::timerfd_create(clock, flags) };
    if timer == -1 {
        return None;
    }
    // SAFETY: a new descriptor, which nobody else owns.
    let timer = unsafe { OwnedFd::from_raw_fd(timer) };
    // SAFETY: the call reads the reference.
    let set = unsafe { libc::timerfd_settime(timer.as_raw_fd(), 0, left, std::ptr::null_mut()) };
    (set == 0).then_some(timer)
}

/// Whether two descriptors are of one `epoll`: one `epoll` does not watch a thing twice.
fn are_one_poll(one: RawFd, other: RawFd) -> bool {
    let Ok(probe) = eventfd(0, EventfdFlags::CLOEXEC) else {
        return false;
    };
    let add = |to| {
        epoll::add(
            borrow(to),
            &probe,
            EventData::new_u64(0),
            EventFlags::empty(),
        )
    };
    if add(one).is_err() {
        return false;
    }
    let added = add(other);
    // The probe is watched no longer when it is closed.
    added == Err(rustix::io::Errno::EXIST)
}

/// The value of a line `name: value`.
fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    let lines = info.lines().filter_map(|line| line.split_once(':'));
    let mut named = lines.filter(|(key, _)| *key == name);
    named.next().map(|(_, value)| value.trim())
}

fn is_inherited(number: RawFd) -> bool {
    rustix::io::fcntl_getfd(borrow(number)).is_ok_and(|flags| !flags.contains(FdFlags::CLOEXEC))
}

fn inode(number: RawFd) -> Option<u64> {
    Some(rustix::fs::fstat(borrow(number)).ok()?.st_ino)
}

fn borrow<'a>(number: RawFd) -> BorrowedFd<'a> {
    // SAFETY: the descriptor is used for one call, which fails if it is not open. The threads of the
    // session are stopped, or do not exist yet.
    unsafe { BorrowedFd::borrow_raw(number) }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;
    use std::sync::MutexGuard;

    use super::*;

    /// A copy is made of the queues of one test: the threads of others are not stopped.
    fn alone() -> MutexGuard<'static, ()> {
        static TURN: Mutex<()> = Mutex::new(());
        TURN.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether `check` holds in a copy that is set apart.
    fn in_copy(check: impl FnOnce() -> bool) -> bool {
        let queues = Queues::now();
        // SAFETY: the child calls the system, allocates, which glibc allows after a fork, and exits.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            queues.set_apart();
            let code = i32::from(!check());
            // SAFETY: no preconditions.
            unsafe { libc::_exit(code) };
        }
        let mut status = 0;
        // SAFETY: our own child and a live local.
        unsafe { libc::waitpid(pid, &raw mut status, 0) };
        status == 0
    }

    /// The data of what is ready in an `epoll`, which reports changes only.
    fn ready(poll: &OwnedFd) -> Vec<u64> {
        let mut events = Vec::with_capacity(8);
        let now = rustix::event::Timespec::default();
        epoll::wait(
            poll,
            rustix::buffer::spare_capacity(&mut events),
            Some(&now),
        )
        .unwrap();
        let mut data: Vec<_> = events.iter().map(|event| event.data.u64()).collect();
        data.sort_unstable();
        data
    }

    fn watch(poll: &OwnedFd, what: impl std::os::fd::AsFd, data: u64) {
        let flags = EventFlags::IN | EventFlags::ET;
        epoll::add(poll, what, EventData::new_u64(data), flags).unwrap();
    }

    #[test]
    fn a_copy_takes_no_event_from_the_process() {
        let _turn = alone();
        let poll = epoll::create(CreateFlags::CLOEXEC).unwrap();
        let (mut near, mut far) = UnixStream::pair().unwrap();
        let counter = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).unwrap();
        watch(&poll, &near, 1 << 40 | 7);
        watch(&poll, &counter, 8);
        far.write_all(b"x").unwrap();
        rustix::io::write(&counter, &5_u64.to_ne_bytes()).unwrap();
        let taken = || {
            let mut count = [0; 8];
            let seen = ready(&poll);
            rustix::io::read(&counter, &mut count).unwrap();
            epoll::delete(&poll, &near).unwrap();
            (seen, u64::from_ne_bytes(count))
        };
        let all = (vec![8, 1 << 40 | 7], 5);
        for _ in 0..2 {
            assert!(in_copy(|| taken() == all));
        }
        assert_eq!(taken(), all);
        near.read_exact(&mut [0]).unwrap();
    }

    #[test]
    fn what_a_copy_watches_is_not_watched_by_the_process() {
        let _turn = alone();
        let poll = epoll::create(CreateFlags::CLOEXEC).unwrap();
        let (near, mut far) = UnixStream::pair().unwrap();
        // The file stays open, so the system would go on watching it.
        assert!(in_copy(|| {
            watch(&poll, &near, 9);
            true
        }));
        far.write_all(b"x").unwrap();
        assert!(ready(&poll).is_empty());
        watch(&poll, &near, 10);
        assert_eq!(ready(&poll), [10]);
    }

    #[test]
    fn clones_stay_clones() {
        let _turn = alone();
        let poll = epoll::create(CreateFlags::CLOEXEC).unwrap();
        let (clone, other) = (
            poll.try_clone().unwrap(),
            epoll::create(CreateFlags::CLOEXEC).unwrap(),
        );
        let counter = eventfd(1, EventfdFlags::CLOEXEC).unwrap();
        let counter_clone = counter.try_clone().unwrap();
        assert!(in_copy(|| {
            watch(&clone, &counter, 11);
            rustix::io::write(&counter_clone, &1_u64.to_ne_bytes()).unwrap();
            let seen = (ready(&poll), ready(&other));
            let mut count = [0; 8];
            rustix::io::read(&counter, &mut count).unwrap();
            seen == (vec![11], Vec::new()) && u64::from_ne_bytes(count) == 2
        }));
        assert!(ready(&clone).is_empty());
    }

    #[test]
    fn a_queue_that_watches_a_queue_watches_that_of_the_copy() {
        let _turn = alone();
        let (outer, inner) = (
            epoll::create(CreateFlags::CLOEXEC).unwrap(),
            epoll::create(CreateFlags::CLOEXEC).unwrap(),
        );
        let counter = eventfd(0, EventfdFlags::CLOEXEC).unwrap();
        watch(&inner, &counter, 12);
        watch(&outer, &inner, 13);
        assert!(in_copy(|| {
            rustix::io::write(&counter, &1_u64.to_ne_bytes()).unwrap();
            ready(&outer) == [13] && ready(&inner) == [12]
        }));
        assert!(ready(&outer).is_empty());
    }

    #[test]
    fn a_copy_has_timers_of_its_own() {
        let _turn = alone();
        let hour = libc::itimerspec {
            it_interval: libc::timespec {
                tv_sec: 60,
                tv_nsec: 0,
            },
            it_value: libc::timespec {
                tv_sec: 3600,
                tv_nsec: 0,
            },
        };
        let timer = new_timer(libc::CLOCK_MONOTONIC, false, &hour).unwrap();
        let left = || match Content::of(timer.as_raw_fd()) {
            Some(Content::Timer { left, clock }) => {
                (left.it_value.tv_sec, left.it_interval.tv_sec, clock)
            }
            _ => (0, 0, -1),
        };
        assert!(in_copy(|| {
            let before = left();
            // SAFETY: all zeros is a valid value, which stops the timer.
            let stopped: libc::itimerspec = unsafe { std::mem::zeroed() };
            // SAFETY: the call reads the local.
            unsafe {
                libc::timerfd_settime(
                    timer.as_raw_fd(),
                    0,
                    &raw const stopped,
                    std::ptr::null_mut(),
                )
            };
            (3000..=3600).contains(&before.0) && (before.1, before.2) == (60, libc::CLOCK_MONOTONIC)
        }));
        assert!((3000..=3600).contains(&left().0));
    }
}
