//! Forks of the session process: measured runs and checkpoints.
//!
//! A measured run starts from a byte-for-byte copy of the session's state, and every change that
//! the run makes is gone when the run ends. The run leads a process group of its own, so that a
//! time limit or an interrupt also kills the children of the run, and the run dies with the
//! session.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use memit_measurement::Remark;
use memit_process::{Pace, process};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use crate::control::{Control, Interruptible};
use crate::copies::{Copied, NoCopy, Others, Single};
use crate::outside::Outside;

/// The settings of a run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limits {
    /// Time after which the run is killed.
    pub(crate) timeout: Option<Duration>,
    /// Discards the output of the run, because an earlier repetition has shown it.
    pub(crate) quiet: bool,
    /// Turns transparent huge pages off, so that a touched page counts as a page and not as 2 MiB.
    pub(crate) small_pages: bool,
    /// Leaves out the other threads of the session, and what sets a run apart from the files of the session: the
    /// body shields itself.
    pub(crate) alone: bool,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProcessEnd {
    Exited(i32),
    Signalled(i32),
    TimedOut,
    Interrupted,
}

/// A run that has ended.
#[derive(Debug, Clone)]
pub(crate) struct Finished {
    pub(crate) ending: ProcessEnd,
    /// `ru_maxrss` of the run in bytes: its highest resident set size, over its whole life.
    pub(crate) max_rss: u64,
    /// What the run has done to files, sockets and pipes of the session that cannot be undone.
    pub(crate) remarks: Vec<Remark>,
}

/// A shorter interval is waited for in a loop: the system wakes a thread too late and too regularly.
const BUSY: Duration = Duration::from_micros(20);

/// Looks at a run at an interval until the run ends.
pub(crate) struct Watcher<'a> {
    pub(crate) every: Duration,
    /// Called with the process id of the run.
    pub(crate) look: &'a mut dyn FnMut(u32),
}

/// Runs `body` in a fork and waits for the fork to end. The fork exits with the code that `body`
/// returns. The other threads of this process are stopped meanwhile, and their copies run in the fork:
/// the two processes do not take each other's wake-ups.
///
/// # Errors
///
/// If this process cannot be copied, or the system refuses to wait.
pub(crate) fn run(
    control: &Control,
    limits: Limits,
    watcher: Option<Watcher<'_>>,
    body: impl FnOnce() -> i32,
) -> Result<Finished, NoCopy> {
    if control.interrupted() {
        return Ok(Finished {
            ending: ProcessEnd::Interrupted,
            max_rss: 0,
            remarks: Vec::new(),
        });
    }
    let others = Others::stop()?;
    let outside = Outside::now()?;
    match others.copy()? {
        Copied::Copy(single) => {
            become_run(limits);
            let code = if limits.alone {
                // The threads do not go on in a process that does not make them again.
                std::mem::forget(single);
                body()
            } else {
                let apart = outside.set_run_apart();
                single.begin_others().map_or(NO_THREADS, |()| {
                    apart.watch();
                    body()
                })
            };
            // SAFETY: `_exit` has no preconditions. Destructors and exit handlers are the session's
            // to run.
            unsafe { libc::_exit(code) }
        }
        Copied::Original(pid, others) => {
            // The fork does this too. Whichever comes first, the group exists before anything uses
            // it.
            lead_group(Pid::from_raw(pid));
            control.set_interruptible(Interruptible::Fork(pid));
            if control.interrupted() {
                // The interrupt came before there was a fork to kill.
                kill_group(pid);
            }
            let finished = wait(control, pid, limits, watcher);
            control.set_interruptible(Interruptible::InPlace);
            let remarks = outside.take_back();
            drop(others);
            Ok(Finished {
                remarks,
                ..finished?
            })
        }
    }
}

/// The exit code of a fork whose threads could not be made: none that a program would choose.
pub(crate) const NO_THREADS: i32 = 0x6d;

fn become_run(limits: Limits) {
    lead_group(None);
    end_with_parent();
    #[cfg(target_os = "linux")]
    if limits.small_pages {
        // The run can do without this, so a failure is ignored.
        let _ = rustix::thread::disable_transparent_huge_pages(true);
    }
    if limits.quiet {
        silence();
    }
    without_backtraces();
    set_expendable(RUN_EXPENDABLE);
}

/// Finds the names of a backtrace no longer: `libstd` reads tens of MiB of debug information for it,
/// which would count as memory of the statements.
fn without_backtraces() {
    // SAFETY: no other thread of this process runs yet.
    unsafe { std::env::remove_var("RUST_BACKTRACE") };
}

/// The two processes behind a checkpoint.
pub enum Checkpoint {
    /// The process that goes on, with the id of the checkpoint.
    Left(libc::pid_t),
    /// The checkpoint. Its other threads begin when it becomes the session.
    Waiting(Single),
}

/// Forks the calling process. The fork is a checkpoint, which leads a process group of its own, so
/// that it outlives a session process that is killed.
///
/// # Errors
///
/// If this process cannot be copied.
pub fn checkpoint() -> Result<Checkpoint, NoCopy> {
    match Others::stop()?.copy()? {
        Copied::Copy(single) => {
            lead_group(None);
            set_expendable(0);
            Ok(Checkpoint::Waiting(single))
        }
        Copied::Original(pid, others) => {
            // The fork does this too, but maybe not before the cell kills its whole group.
            lead_group(Pid::from_raw(pid));
            drop(others);
            Ok(Checkpoint::Left(pid))
        }
    }
}

/// Makes the calling process the session process, which runs cells. The session process ends with
/// its parent, the supervisor, even in an endless loop, and leads a process group of its own.
pub fn become_session() {
    lead_group(None);
    end_with_parent();
    set_expendable(SESSION_EXPENDABLE);
}

/// Makes a child, or this process for `None`, lead a process group of its own.
fn lead_group(child: Option<Pid>) {
    let _ = rustix::process::setpgid(child, child);
}

/// Makes this process end when its parent does.
pub(crate) fn end_with_parent() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
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
    // A failure leaves the output unchanged.
    if let Ok(null) = File::options().write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdout(&null);
        let _ = rustix::stdio::dup2_stderr(&null);
    }
}

/// Discards the output of this process while this exists.
pub(crate) struct Silence {
    /// The outputs of before; nothing if the system has refused something.
    before: Option<[OwnedFd; 2]>,
}

impl Silence {
    /// Discards the output from now on.
    pub(crate) fn begin() -> Self {
        let copy = |output: BorrowedFd<'_>| output.try_clone_to_owned();
        let before = [
            copy(std::io::stdout().as_fd()),
            copy(std::io::stderr().as_fd()),
        ];
        let before = match before {
            [Ok(out), Ok(errors)] => Some([out, errors]),
            _ => None,
        };
        if before.is_some() {
            silence();
        }
        Self { before }
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        if let Some([out, errors]) = &self.before {
            let _ = rustix::stdio::dup2_stdout(out);
            let _ = rustix::stdio::dup2_stderr(errors);
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
    let child = Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidInput)?;
    let watch = ChildWatch::new(child);
    let mut looks = watcher.as_ref().map(|watcher| Looks::at(watcher.every));
    let mut timed_out = false;
    loop {
        let now = Instant::now();
        let left = deadline.map(|deadline| deadline.saturating_duration_since(now));
        if left == Some(Duration::ZERO) && !timed_out {
            timed_out = true;
            kill_group(pid);
        }
        let left = if timed_out { None } else { left };
        let until_look = looks.as_ref().map(|looks| match &watcher {
            Some(watcher) if watcher.every < BUSY => Duration::ZERO,
            _ => looks.pace.left(now),
        });
        let pause = [left, until_look].into_iter().flatten().min();
        if watch.ended(pause)? {
            break;
        }
        if let (Some(watcher), Some(looks)) = (&mut watcher, &mut looks)
            && looks.pace.is_due(Instant::now())
        {
            (watcher.look)(pid.unsigned_abs());
        }
    }
    let waited = process::wait(child)?;
    let ending = if let Some(code) = waited.status.code() {
        ProcessEnd::Exited(code)
    } else {
        // A killed run may leave children behind, which are part of the run.
        kill_group(pid);
        if timed_out {
            ProcessEnd::TimedOut
        } else if control.interrupted() {
            ProcessEnd::Interrupted
        } else {
            ProcessEnd::Signalled(waited.status.signal().unwrap_or(0))
        }
    };
    Ok(Finished {
        ending,
        max_rss: waited.max_rss,
        remarks: Vec::new(),
    })
}

/// The pace of a watcher. While this exists, the timers of the thread are precise.
struct Looks {
    pace: Pace,
}

impl Looks {
    fn at(interval: Duration) -> Self {
        #[cfg(target_os = "linux")]
        let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
        Self {
            pace: Pace::starting(Instant::now(), interval),
        }
    }
}

impl Drop for Looks {
    fn drop(&mut self) {
        #[cfg(target_os = "linux")]
        let _ = rustix::thread::set_current_timer_slack(None);
    }
}

/// Kills a run and every process that the run started.
pub fn kill_group(group: i32) {
    if let Some(group) = Pid::from_raw(group) {
        // A group that no longer exists is not an error.
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
}

/// Waits for the end of a child without reaping it.
pub(crate) struct ChildWatch {
    pid: Pid,
    #[cfg(target_os = "linux")]
    pidfd: Option<OwnedFd>,
}

impl ChildWatch {
    pub(crate) fn new(pid: Pid) -> Self {
        Self {
            pid,
            #[cfg(target_os = "linux")]
            pidfd: process::pidfd(pid.as_raw_pid()).ok(),
        }
    }

    /// Waits until the child has ended (true) or `pause` is over (false); without `pause`, waits
    /// for ever.
    pub(crate) fn ended(&self, pause: Option<Duration>) -> io::Result<bool> {
        #[cfg(target_os = "linux")]
        if let Some(pidfd) = &self.pidfd {
            let [ended] = process::poll::readable([pidfd.as_fd()], pause)?;
            return Ok(ended);
        }
        // Without a pidfd: ask now and then.
        let until = pause.map(|pause| Instant::now() + pause);
        loop {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            if rustix::process::waitid(WaitId::Pid(self.pid), options)?.is_some() {
                return Ok(true);
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                return Ok(false);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
