//! Forks of the session process: measured runs and checkpoints.
//!
//! A measured run starts from a byte-for-byte copy of the session's state, and every change that
//! the run makes is gone when the run ends. The run leads a process group of its own, so that a
//! time limit or an interrupt also kills the children of the run, and the run dies with the
//! session.

use std::io;
use std::time::{Duration, Instant};

use memit_process::process;

use crate::control::{Control, Interruptible};

/// The settings of a run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limits {
    /// Time after which the run is killed.
    pub(crate) timeout: Option<Duration>,
    /// Discards the output of the run, because an earlier repetition has shown it.
    pub(crate) quiet: bool,
    /// Turns transparent huge pages off, so that a touched page counts as a page and not as 2 MiB.
    pub(crate) small_pages: bool,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Exited(i32),
    Signalled(i32),
    TimedOut,
    Interrupted,
}

/// A run that has ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finished {
    pub(crate) ending: Ending,
    /// `ru_maxrss` of the run in bytes: its highest resident set size, over its whole life.
    pub(crate) max_rss: u64,
}

/// Looks at a run at an interval until the run ends.
pub(crate) struct Watcher<'a> {
    pub(crate) every: Duration,
    /// Called with the process id of the run.
    pub(crate) look: &'a mut dyn FnMut(u32),
}

/// Runs `body` in a fork and waits for the fork to end. The fork exits with the code that `body`
/// returns.
///
/// The caller must be the only thread of the process.
///
/// # Errors
///
/// If the system refuses to fork or to wait.
pub(crate) fn run(
    control: &Control,
    limits: Limits,
    watcher: Option<Watcher<'_>>,
    body: impl FnOnce() -> i32,
) -> io::Result<Finished> {
    if control.interrupted() {
        return Ok(Finished {
            ending: Ending::Interrupted,
            max_rss: 0,
        });
    }
    // SAFETY: no other thread exists that could hold a lock which the fork would need.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            become_run(limits);
            let code = body();
            // SAFETY: `_exit` has no preconditions. Destructors and exit handlers are the session's
            // to run.
            unsafe { libc::_exit(code) }
        }
        pid => {
            // The fork does this too. Whichever comes first, the group exists before anything uses
            // it.
            // SAFETY: `pid` is our child, not yet waited for.
            unsafe { libc::setpgid(pid, pid) };
            control.set_interruptible(Interruptible::Fork(pid));
            if control.interrupted() {
                // The interrupt came before there was a fork to kill.
                kill_group(pid);
            }
            let finished = wait(control, pid, limits, watcher);
            control.set_interruptible(Interruptible::InPlace);
            finished
        }
    }
}

fn become_run(limits: Limits) {
    // SAFETY: plain system calls that affect only the calling process. The run can do without each
    // of them, so failures are ignored.
    unsafe {
        libc::setpgid(0, 0);
        #[cfg(target_os = "linux")]
        {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            if limits.small_pages {
                libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0);
            }
        }
    }
    if limits.quiet {
        silence();
    }
    set_expendable(RUN_EXPENDABLE);
}

/// Forks the calling process. The fork gets `None` and is a checkpoint; the caller gets the process
/// id of the fork. A checkpoint leads a process group of its own, so that it outlives a session
/// process that is killed.
///
/// The caller must be the only thread of the process.
///
/// # Errors
///
/// If the system refuses to fork.
pub fn checkpoint() -> io::Result<Option<libc::pid_t>> {
    // SAFETY: no other thread exists that could hold a lock which the fork would need.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            // SAFETY: a plain system call that affects only the calling process.
            unsafe { libc::setpgid(0, 0) };
            set_expendable(0);
            Ok(None)
        }
        pid => {
            // The fork does this too, but maybe not before the cell kills its whole group.
            // SAFETY: `pid` is our child, not yet waited for.
            unsafe { libc::setpgid(pid, pid) };
            Ok(Some(pid))
        }
    }
}

/// Makes the calling process the session process, which runs cells. The session process ends with
/// its parent, the supervisor, even in an endless loop, and leads a process group of its own.
pub fn become_session() {
    // SAFETY: plain system calls that affect only the calling process.
    unsafe {
        libc::setpgid(0, 0);
        #[cfg(target_os = "linux")]
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
    }
    set_expendable(SESSION_EXPENDABLE);
}

/// Sets how readily Linux kills this process when memory runs out. Linux first kills a measured
/// run, then the session process, and only then checkpoints and everything else.
fn set_expendable(score: u32) {
    let _ = std::fs::write("/proc/self/oom_score_adj", score.to_string());
}

const SESSION_EXPENDABLE: u32 = 500;
const RUN_EXPENDABLE: u32 = 1000;

/// Discards the output of this process from now on.
pub(crate) fn silence() {
    // SAFETY: the name is a C string, and the descriptors belong to this process. A failure leaves
    // the output unchanged.
    unsafe {
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_WRONLY);
        if null >= 0 {
            libc::dup2(null, libc::STDOUT_FILENO);
            libc::dup2(null, libc::STDERR_FILENO);
            libc::close(null);
        }
    }
}

fn wait(
    control: &Control,
    pid: libc::pid_t,
    limits: Limits,
    mut watcher: Option<Watcher<'_>>,
) -> io::Result<Finished> {
    let deadline = limits.timeout.map(|timeout| Instant::now() + timeout);
    let watch = Watch::new(pid);
    if watcher.is_some() {
        set_timer_slack(1);
    }
    let mut pace = watcher.as_ref().map(|watcher| Pace::new(watcher.every));
    let mut timed_out = false;
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) && !timed_out {
            timed_out = true;
            kill_group(pid);
        }
        let left = if timed_out { None } else { left };
        let every = pace.as_mut().map(Pace::pause);
        let pause = match (left, every) {
            (Some(left), Some(every)) => Some(left.min(every)),
            (left, every) => left.or(every),
        };
        if watch.ended(pause)? {
            break;
        }
        if let Some(watcher) = &mut watcher {
            (watcher.look)(pid.unsigned_abs());
        }
    }
    if watcher.is_some() {
        set_timer_slack(0);
    }
    let mut status = 0;
    // SAFETY: all zeros is a valid `rusage`, a plain C struct.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live locals.
    while unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) } == -1 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    // Children that a run leaves behind when it is killed are part of it.
    let ending = if libc::WIFEXITED(status) {
        Ending::Exited(libc::WEXITSTATUS(status))
    } else {
        kill_group(pid);
        if timed_out {
            Ending::TimedOut
        } else if control.interrupted() {
            Ending::Interrupted
        } else {
            Ending::Signalled(libc::WTERMSIG(status))
        }
    };
    // Linux counts in KiB, macOS in bytes.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    let max_rss = u64::try_from(usage.ru_maxrss).unwrap_or(0) * unit;
    Ok(Finished { ending, max_rss })
}

/// Moments at equal distances, whatever is done between them.
pub(crate) struct Pace {
    every: Duration,
    next: Instant,
}

impl Pace {
    pub(crate) fn new(every: Duration) -> Self {
        let next = Instant::now();
        Self { every, next }
    }

    /// Time until the next moment. Moments that have passed are left out.
    pub(crate) fn pause(&mut self) -> Duration {
        let now = Instant::now();
        self.next = (self.next + self.every).max(now);
        self.next - now
    }
}

/// By how many nanoseconds this thread may be woken late; 0 for what is usual.
fn set_timer_slack(nanoseconds: libc::c_ulong) {
    #[cfg(target_os = "linux")]
    // SAFETY: a plain system call on the calling thread.
    unsafe {
        libc::prctl(libc::PR_SET_TIMERSLACK, nanoseconds)
    };
    #[cfg(not(target_os = "linux"))]
    let _ = nanoseconds;
}

/// Ends a run and all that it started.
pub fn kill_group(group: libc::pid_t) {
    // SAFETY: a signal to a process group; one that is gone is an error that can be ignored.
    unsafe { libc::kill(-group, libc::SIGKILL) };
}

/// Waits for the end of a child without reaping it.
struct Watch {
    pid: libc::pid_t,
    #[cfg(target_os = "linux")]
    pidfd: Option<std::os::fd::OwnedFd>,
}

impl Watch {
    fn new(pid: libc::pid_t) -> Self {
        Self {
            pid,
            #[cfg(target_os = "linux")]
            pidfd: process::pidfd(pid).ok(),
        }
    }

    /// Waits until the child has ended (true) or `pause` is over (false); for ever without one.
    fn ended(&self, pause: Option<Duration>) -> io::Result<bool> {
        #[cfg(target_os = "linux")]
        if let Some(pidfd) = &self.pidfd {
            use std::os::fd::AsRawFd;
            return process::readable(&[pidfd.as_raw_fd()], pause).map(|ready| ready[0]);
        }
        // Without a pidfd: ask now and then.
        let until = pause.map(|pause| Instant::now() + pause);
        loop {
            // SAFETY: all zeros is a valid `siginfo_t`.
            let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
            let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
            // SAFETY: `info` is a live local.
            let result =
                unsafe { libc::waitid(libc::P_PID, self.pid.unsigned_abs(), &raw mut info, flags) };
            if result == -1 {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: `waitid` has filled `info` in, or left it zero.
            if unsafe { info.si_pid() } == self.pid {
                return Ok(true);
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                return Ok(false);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
