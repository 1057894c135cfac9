//! Making the threads of a stop anew, in a fork that has none but the caller.

use std::sync::atomic::Ordering::{Acquire, Release};

use crate::Error;

use super::glibc::Memory;
use super::loader;
use super::park::clone_onto;
use super::parked::{Parked, READY};
use super::stop::Stop;
use super::system::{Blocked, refused, wait_while};

/// What `pthread_create` asks for, but for what depends on the thread.
const SHARED: libc::c_int = libc::CLONE_VM
    | libc::CLONE_FS
    | libc::CLONE_FILES
    | libc::CLONE_SIGHAND
    | libc::CLONE_THREAD
    | libc::CLONE_SYSVSEM
    | libc::CLONE_SETTLS
    | libc::CLONE_PARENT_SETTID;

/// Makes the threads of a stop anew. None of them goes on before all have been made: `stop` is
/// still to be dropped. The calling thread had the id `caller.0` in the parent, and has the id
/// `caller.1`.
///
/// # Errors
///
/// If the system refuses a thread. Then threads are missing, and the caller can only end the
/// process.
///
/// # Safety
///
/// The process must be a fork of the one that has made the stop, and have no other thread.
/// `place_of_id` must be what [`Stop::place_of_id`] has returned.
pub(super) unsafe fn revive(
    stop: &Stop,
    place_of_id: usize,
    loader: Option<Memory>,
    caller: (u32, u32),
) -> Result<(), Error> {
    // A new thread inherits this, so that no signal reaches it before it is ready.
    let blocked = Blocked::all();
    READY.store(0, Release);
    let mut made = 0;
    for (slot, parked) in stop.parked() {
        // SAFETY: by the caller's contract, the thread of these notes does not exist in this
        // process.
        slot.set_id(unsafe { make(parked, place_of_id) }?);
        made += 1;
    }
    if let Some(loader) = loader {
        let new_id = |old| {
            let mut parked = stop.parked();
            let known = parked.find(|(_, parked)| parked.id == old);
            let known = known.map(|(slot, _)| slot.id());
            known.or_else(|| (caller.0 == old).then_some(caller.1))
        };
        // SAFETY: no thread goes on before the stop is dropped.
        unsafe { loader::hand_over(loader, new_id) };
    }
    drop(blocked);
    loop {
        let ready = READY.load(Acquire);
        if ready == made {
            return Ok(());
        }
        wait_while(&READY, ready, None);
    }
}

/// Makes a thread anew; returns its id.
///
/// # Safety
///
/// The thread of the notes must not exist in this process.
unsafe fn make(parked: &Parked, place_of_id: usize) -> Result<u32, Error> {
    let id_field = parked.thread_pointer + place_of_id;
    let cleared_at_end = parked.cleared_at_end.unwrap_or(id_field);
    let mut flags = SHARED;
    if cleared_at_end != 0 {
        flags |= libc::CLONE_CHILD_CLEARTID;
    }
    // SAFETY: the stack, the descriptor and the field belong to the thread that is made.
    let id = unsafe {
        clone_onto(
            flags as usize,
            parked.sp,
            id_field,
            cleared_at_end,
            parked.thread_pointer,
        )
    };
    if id > 0 {
        Ok(id as u32)
    } else {
        Err(refused("clone", id))
    }
}
