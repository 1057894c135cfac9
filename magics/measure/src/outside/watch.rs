//! Notices when a run writes to a socket or pipe of the session, or reads from it.
//!
//! In the run, functions of this module take the place of libc's in the offset tables of all
//! libraries ([`crate::offset_tables`]). Programs that call the system without libc are not
//! noticed.

use std::os::fd::{BorrowedFd, RawFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

use super::calls;
use super::descriptors::{Descriptor, Id};
use crate::offset_tables::{self, Tables};
use crate::shared::Shared;

/// What is watched in this process, a run.
struct Watch {
    /// The identity of each descriptor; `None` if the run may do with it what it likes.
    watched: Vec<Option<Id>>,
    effects: &'static [AtomicU64],
    /// For each number of a descriptor: not looked at, not watched, or watched.
    known: [AtomicU8; NUMBERS],
}

/// Higher numbers are looked at every time.
const NUMBERS: usize = 1024;

/// The number has not been looked at since it was opened.
const UNKNOWN: u8 = 0;
const NOT_WATCHED: u8 = 1;
/// This and all above: the place in the list, plus this.
const WATCHED: u8 = 2;

static WATCH: OnceLock<Watch> = OnceLock::new();

/// Watches from now on the descriptors that are not private. The process must be a run, which ends
/// with its effects unread.
pub(super) fn begin(descriptors: &[Descriptor], is_private: &[bool], effects: &Shared<AtomicU64>) {
    if is_private.iter().all(|is_private| *is_private) {
        return;
    }
    let watched = descriptors.iter().zip(is_private);
    let watched = watched.map(|(each, is_private)| (!is_private).then_some(each.id));
    // SAFETY: the run ends by `_exit`, and until then nothing unmaps what it has of the effects.
    let effects = unsafe { std::slice::from_raw_parts(effects.as_ptr(), effects.len()) };
    let watch = Watch {
        watched: watched.collect(),
        effects,
        known: [const { AtomicU8::new(UNKNOWN) }; NUMBERS],
    };
    if WATCH.set(watch).is_ok() {
        offset_tables::replace(Tables::OfLibraries, &calls::replaced());
    }
}

/// The run has had an effect on a descriptor.
pub(super) fn note(number: RawFd, effect: u64) {
    let Some(watch) = WATCH.get() else { return };
    if let Some(at) = watch.place(number)
        && let Some(effects) = watch.effects.get(at)
    {
        effects.fetch_or(effect, Relaxed);
    }
}

/// The number will belong to another descriptor, or to none.
pub(super) fn forget(number: RawFd) {
    if let Some(known) = WATCH.get().and_then(|watch| watch.known(number)) {
        known.store(UNKNOWN, Relaxed);
    }
}

impl Watch {
    fn known(&self, number: RawFd) -> Option<&AtomicU8> {
        self.known.get(usize::try_from(number).ok()?)
    }

    /// The place of a watched descriptor in the list.
    fn place(&self, number: RawFd) -> Option<usize> {
        let known = self.known(number);
        match known.map_or(UNKNOWN, |known| known.load(Relaxed)) {
            UNKNOWN => {}
            NOT_WATCHED => return None,
            place => return Some(usize::from(place - WATCHED)),
        }
        // SAFETY: the descriptor is used for one call, which fails if nothing is open.
        let stat = rustix::fs::fstat(unsafe { BorrowedFd::borrow_raw(number) }).ok()?;
        let id = Some((stat.st_dev as u64, stat.st_ino as u64));
        let place = self.watched.iter().position(|watched| *watched == id);
        let mark = place.map_or(Some(NOT_WATCHED), |at| {
            u8::try_from(at).ok()?.checked_add(WATCHED)
        });
        if let (Some(known), Some(mark)) = (known, mark) {
            known.store(mark, Relaxed);
        }
        place
    }
}
