//! The signal by which threads are stopped: a real-time signal that nobody else uses.
//!
//! The handler stays installed, since a thread that blocks the signal gets it later. The flags:
//!
//! - `SA_ONSTACK`, because some runtimes have stacks without room for a handler, and ask for it.
//! - `SA_RESTART`, so that system calls go on, as far as Linux lets them (see the page of the
//!   crate).
//! - All other signals wait until the handler is done. An alternate stack may have no room for a
//!   second handler.

use std::ffi::c_int;
use std::sync::atomic::{AtomicI32, Ordering::Relaxed};

use crate::Error;

use super::parked::on_signal;
use super::system::{ask, process_id, refused};

/// The signal, or 0 before the first stop.
static SIGNAL: AtomicI32 = AtomicI32::new(0);

/// The signal, with our handler installed.
///
/// # Errors
///
/// If all real-time signals have a handler of somebody else, or are ignored.
pub(super) fn install() -> Result<c_int, Error> {
    let known = SIGNAL.load(Relaxed);
    if known != 0 && handler_of(known) == handler() {
        return Ok(known);
    }
    let mut signals = (libc::SIGRTMIN()..=libc::SIGRTMAX()).rev();
    let signal = signals
        .find(|signal| handler_of(*signal) == libc::SIG_DFL)
        .ok_or(Error::NoSignal)?;
    // SAFETY: all zeros is a valid `sigaction`, a plain C struct.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler();
    action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
    action.sa_mask = all();
    // SAFETY: the handler makes system calls only, and may run at any time.
    if unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) } == -1 {
        return Err(refused("sigaction", -(libc::EINVAL as isize)));
    }
    SIGNAL.store(signal, Relaxed);
    Ok(signal)
}

fn handler() -> libc::sighandler_t {
    on_signal as *const () as libc::sighandler_t
}

fn handler_of(signal: c_int) -> libc::sighandler_t {
    // SAFETY: all zeros is a valid `sigaction`, a plain C struct.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: reads the action of a valid signal.
    unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut action) };
    action.sa_sigaction
}

/// All signals, also those of glibc, which `sigfillset` leaves out.
fn all() -> libc::sigset_t {
    // SAFETY: a `sigset_t` of glibc is an array of words with a bit for each signal.
    unsafe { std::mem::transmute([u64::MAX; 16]) }
}

/// `siginfo_t` of Linux, as far as it is sent.
#[repr(C)]
struct Message {
    signal: c_int,
    errno: c_int,
    code: c_int,
    padding: c_int,
    sender: u32,
    user: u32,
    value: usize,
    rest: [u64; 12],
}

const _: () = assert!(size_of::<Message>() == size_of::<libc::siginfo_t>());

/// Sends the signal with a value to a thread of this process; false if the thread has ended.
///
/// # Errors
///
/// If the system refuses: the queue of signals may be full.
pub(super) fn send(signal: c_int, thread: u32, value: usize) -> Result<bool, Error> {
    let message = Message {
        signal,
        errno: 0,
        code: libc::SI_QUEUE,
        padding: 0,
        sender: process_id(),
        user: 0,
        value,
        rest: [0; 12],
    };
    let arguments = [
        process_id() as usize,
        thread as usize,
        signal as usize,
        (&raw const message).expose_provenance(),
        0,
        0,
    ];
    let name = "rt_tgsigqueueinfo";
    // SAFETY: the message is of the type that the call reads.
    match unsafe { ask(name, libc::SYS_rt_tgsigqueueinfo, arguments) } {
        Ok(_) => Ok(true),
        Err(Error::Refused(refused)) if refused.errno == libc::ESRCH => Ok(false),
        Err(error) => Err(error),
    }
}
