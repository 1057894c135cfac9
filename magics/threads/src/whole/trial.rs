//! A trial in a process of its own: whether a thread can be stopped, copied, made anew and waited
//! for here.
//!
//! This shows that glibc notices the end of a thread that has been made anew, for which Linux must
//! clear the word at which `pthread_join` waits.

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::{Duration, Instant};

use crate::{Error, Step, StopOptions, Unsupported};

use super::fork::{Checked, Forked};
use super::system::{refused, wait_while, wake_all};
use super::turn::Turn;

/// A machine that needs longer is not asked again.
const LIMIT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_micros(100);

/// What the thread of the trial returns.
const RESULT: usize = 42;

static BEGUN: AtomicU32 = AtomicU32::new(0);
static MAY_END: AtomicU32 = AtomicU32::new(0);

/// Tries in a fork of this process.
///
/// # Errors
///
/// The step that has failed, or that the system cannot fork at all.
pub(super) fn run(checked: Checked) -> Result<(), Error> {
    // Nobody else may be stopping threads when the process is copied.
    let turn = Turn::take(Instant::now() + LIMIT)?;
    // SAFETY: glibc's `fork` gives the fork of a process with threads a usable `malloc` and
    // `pthread_create`. Nothing else is used.
    match unsafe { libc::fork() } {
        -1 => Err(last_refused("fork")),
        0 => {
            end_with_parent();
            // SAFETY: destructors and exit handlers are the parent's to run.
            unsafe { libc::_exit(code(in_trial(checked, turn))) }
        }
        trial => match wait(trial)? {
            OK => Ok(()),
            code => Err(Error::Unsupported(Unsupported::Trial(step(code)))),
        },
    }
}

fn in_trial(checked: Checked, turn: Turn) -> Result<(), Step> {
    let thread = start()?;
    let options = StopOptions::default().limit(LIMIT / 4);
    let stopped = checked.stop_in_turn(&options, turn);
    let stopped = stopped.map_err(|_| Step::Stop)?;
    // SAFETY: the thread waits at a variable of this process, and shares nothing.
    match unsafe { stopped.fork() }.map_err(|_| Step::Fork)? {
        Forked::Child(alone) => {
            end_with_parent();
            alone.revive().map_err(|_| Step::Revive)?;
            join(thread)
        }
        Forked::Parent(child, stopped) => {
            match wait(child) {
                Ok(OK) => {}
                Ok(code) => return Err(step(code)),
                Err(_) => return Err(Step::Unknown),
            }
            drop(stopped);
            join(thread)
        }
    }
}

/// Starts a thread and waits until it runs.
fn start() -> Result<libc::pthread_t, Step> {
    let mut thread = 0;
    // SAFETY: the function has the type of a thread's, and needs no argument.
    let error = unsafe {
        libc::pthread_create(
            &raw mut thread,
            std::ptr::null(),
            body,
            std::ptr::null_mut(),
        )
    };
    if error != 0 {
        return Err(Step::Start);
    }
    while BEGUN.load(SeqCst) == 0 {
        wait_while(&BEGUN, 0, None);
    }
    Ok(thread)
}

extern "C" fn body(_: *mut c_void) -> *mut c_void {
    BEGUN.store(1, SeqCst);
    wake_all(&BEGUN);
    while MAY_END.load(SeqCst) == 0 {
        wait_while(&MAY_END, 0, None);
    }
    std::ptr::without_provenance_mut(RESULT)
}

fn join(thread: libc::pthread_t) -> Result<(), Step> {
    MAY_END.store(1, SeqCst);
    wake_all(&MAY_END);
    let mut result = std::ptr::null_mut();
    // SAFETY: the thread is joined once in each process.
    let error = unsafe { libc::pthread_join(thread, &raw mut result) };
    if error == 0 && result.addr() == RESULT {
        Ok(())
    } else {
        Err(Step::Join)
    }
}

/// Waits for the end of a process of the trial, and ends it if it takes too long; returns its exit
/// code.
fn wait(process: libc::pid_t) -> Result<c_int, Error> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let mut status = 0;
        // SAFETY: the status is a live local.
        match unsafe { libc::waitpid(process, &raw mut status, libc::WNOHANG) } {
            0 => {}
            -1 => return Err(last_refused("waitpid")),
            _ if libc::WIFEXITED(status) => return Ok(libc::WEXITSTATUS(status)),
            _ => return Ok(UNKNOWN),
        }
        if Instant::now() >= deadline {
            // SAFETY: the process is a child that has not been waited for.
            unsafe { libc::kill(process, libc::SIGKILL) };
        }
        std::thread::sleep(PAUSE);
    }
}

fn end_with_parent() {
    // SAFETY: the call has no pointers.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

fn last_refused(call: &'static str) -> Error {
    // SAFETY: glibc's variable of this thread.
    refused(call, -(unsafe { *libc::__errno_location() } as isize))
}

const OK: c_int = 0;
const UNKNOWN: c_int = 1;
const STEPS: [(c_int, Step); 5] = [
    (2, Step::Start),
    (3, Step::Stop),
    (4, Step::Fork),
    (5, Step::Revive),
    (6, Step::Join),
];

fn code(result: Result<(), Step>) -> c_int {
    match result {
        Ok(()) => OK,
        Err(step) => STEPS
            .iter()
            .find(|(_, known)| *known == step)
            .map_or(UNKNOWN, |(code, _)| *code),
    }
}

fn step(code: c_int) -> Step {
    STEPS
        .iter()
        .find(|(known, _)| *known == code)
        .map_or(Step::Unknown, |(_, step)| *step)
}
