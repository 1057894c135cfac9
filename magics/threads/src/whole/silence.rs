//! Why a thread does not stop.

use crate::{Error, Silence, Thread};

use super::proc::{mask, read_about, state};

/// Whether a thread has ended and is still listed: the main thread can end before the others.
pub(super) fn has_ended(id: u32) -> bool {
    matches!(letter(id), Some(b'Z' | b'X'))
}

/// What keeps a thread from answering the signal that it has been sent.
///
/// The handler blocks the signal, too. A thread that has begun to answer has no signal left, and one
/// that has answered and is asked again blocks all signals: so do threads of glibc when they begin
/// and end. Other programs cannot block all, since glibc leaves its own signals out.
pub(super) fn reason(id: u32, signal: i32) -> Silence {
    let mut buffer = [0; 4096];
    let status = read_about(id, "status", &mut buffer);
    let mask = |name| status.and_then(|status| mask(status, name)).unwrap_or(0);
    let (pending, blocked) = (mask("SigPnd"), mask("SigBlk"));
    let has = |mask: u64, signal: i32| mask >> (signal - 1) & 1 == 1;
    match letter(id) {
        Some(b'D') => Silence::Uninterruptible,
        Some(b't') => Silence::Traced,
        _ if !(has(pending, signal) && has(blocked, signal)) => Silence::Unknown,
        _ if has(blocked, SIGNAL_OF_GLIBC) => Silence::NotNow,
        _ => Silence::Blocks(signal),
    }
}

/// The signal by which glibc cancels threads.
const SIGNAL_OF_GLIBC: i32 = 32;

/// The error that a thread has not stopped.
pub(super) fn error(id: u32, why: Silence) -> Error {
    Error::NoAnswer {
        thread: thread(id),
        why,
    }
}

/// A thread with its name.
pub(super) fn thread(id: u32) -> Thread {
    let mut name = [0; Thread::NAME];
    let bytes = read_about(id, "comm", &mut name).map_or(0, <[u8]>::len);
    // The name ends with a line break.
    name[bytes.saturating_sub(1)..].fill(0);
    Thread { id, name }
}

fn letter(id: u32) -> Option<u8> {
    state(read_about(id, "stat", &mut [0; 512])?)
}
