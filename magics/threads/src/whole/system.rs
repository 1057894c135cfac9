//! System calls without libc: they touch neither `errno` nor any other memory of the thread, so a
//! signal handler may make them at any moment.

use std::arch::asm;
use std::ffi::c_int;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use crate::{Error, Refused};

/// Makes a system call; returns its result, which is an error number below zero if it has failed.
///
/// # Safety
///
/// As the system call asks for.
pub(super) unsafe fn call(number: libc::c_long, arguments: [usize; 6]) -> isize {
    let result;
    // SAFETY: the instruction changes `rax`, `rcx`, `r11` and the memory that the arguments point
    // to, about which the caller has promised.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") arguments[0],
            in("rsi") arguments[1],
            in("rdx") arguments[2],
            in("r10") arguments[3],
            in("r8") arguments[4],
            in("r9") arguments[5],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// As [`call`], for a call that can fail.
///
/// # Errors
///
/// What the system has refused: `what` is the name of the call.
///
/// # Safety
///
/// As [`call`].
pub(super) unsafe fn ask(
    what: &'static str,
    number: libc::c_long,
    arguments: [usize; 6],
) -> Result<usize, Error> {
    // SAFETY: the caller's contract.
    let result = unsafe { call(number, arguments) };
    usize::try_from(result).map_err(|_| refused(what, result))
}

/// The error of a system call whose result is an error number below zero.
pub(super) fn refused(call: &'static str, result: isize) -> Error {
    let errno = result.unsigned_abs().try_into().unwrap_or(i32::MAX);
    Error::Refused(Refused { call, errno })
}

/// The calling thread's id.
pub(super) fn thread_id() -> u32 {
    // SAFETY: the call only returns a number.
    let id = unsafe { call(libc::SYS_gettid, [0; 6]) };
    id as u32
}

/// The id of this process.
pub(super) fn process_id() -> u32 {
    // SAFETY: the call only returns a number.
    let id = unsafe { call(libc::SYS_getpid, [0; 6]) };
    id as u32
}

/// Waits until somebody wakes the waiters at `word`; returns at once if `word` is not `value`, and
/// may return early.
pub(super) fn wait_while(word: &AtomicU32, value: u32, limit: Option<Duration>) {
    let limit = limit.map(|limit| libc::timespec {
        tv_sec: limit.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: limit.subsec_nanos().into(),
    });
    let limit = limit
        .as_ref()
        .map_or(std::ptr::null(), std::ptr::from_ref::<libc::timespec>);
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the word and the limit live as long as the call.
    unsafe { call(libc::SYS_futex, futex(word, operation, value, limit.addr())) };
}

/// Wakes all that wait at `word`.
pub(super) fn wake_all(word: &AtomicU32) {
    let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the call does not touch the word.
    unsafe { call(libc::SYS_futex, futex(word, operation, i32::MAX as u32, 0)) };
}

fn futex(word: &AtomicU32, operation: c_int, value: u32, limit: usize) -> [usize; 6] {
    let word = word.as_ptr().expose_provenance();
    [word, operation as usize, value as usize, limit, 0, 0]
}

/// Blocks all signals of the calling thread while this exists, also those of glibc.
pub(super) struct Blocked {
    before: u64,
}

impl Blocked {
    pub(super) fn all() -> Self {
        Self {
            before: set_mask(u64::MAX),
        }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        set_mask(self.before);
    }
}

/// Sets the signals that the calling thread blocks, and returns those of before.
fn set_mask(mask: u64) -> u64 {
    let mut before = 0_u64;
    let arguments = [
        libc::SIG_SETMASK as usize,
        (&raw const mask).expose_provenance(),
        (&raw mut before).expose_provenance(),
        size_of::<u64>(),
        0,
        0,
    ];
    // SAFETY: both masks are of the size that the last argument says.
    unsafe { call(libc::SYS_rt_sigprocmask, arguments) };
    before
}
