//! A slot for each thread that is asked to stop. The table is a static, because nothing may
//! allocate.
//!
//! The one who stops threads fills slots and sends each thread the number of its slot. A signal may
//! arrive late, when the stop has been given up, so the number contains the epoch, the number of
//! the stop, and so does a slot that waits for its thread: a thread of an earlier epoch finds no
//! slot, and goes on.

use std::sync::atomic::{
    AtomicU32, AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

use super::parked::Parked;

/// No process is copied with more threads.
pub(super) const MOST: usize = 4096;

static SLOTS: [Slot; MOST] = [const { Slot::free() }; MOST];

/// A slot.
pub(super) struct Slot {
    /// The thread.
    id: AtomicU32,
    /// Nothing, a state of the epoch, or the address of what a parked thread has left, which is
    /// even twice.
    state: AtomicUsize,
}

/// What is known of the thread of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The slot has no thread, or the thread has ended.
    Free,
    /// The thread has been asked to stop.
    Asked,
    /// The thread has answered that it must not stop where it is.
    NotNow,
    /// The thread waits.
    Parked(*const Parked),
}

const FREE: usize = 0;
const ASKED: usize = 1;
const NOT_NOW: usize = 2;
const KIND: usize = 3;

fn in_epoch(state: usize, epoch: u32) -> usize {
    (epoch as usize) << 2 | state
}

/// The slot of a number; `None` if there is no such slot.
pub(super) fn slot(index: usize) -> Option<&'static Slot> {
    SLOTS.get(index)
}

impl Slot {
    const fn free() -> Self {
        Self {
            id: AtomicU32::new(0),
            state: AtomicUsize::new(FREE),
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.id.load(Relaxed)
    }

    /// Notes the id of the thread that takes the place of the slot's thread.
    pub(super) fn set_id(&self, id: u32) {
        self.id.store(id, Relaxed);
    }

    pub(super) fn state(&self) -> State {
        match self.state.load(Acquire) {
            FREE => State::Free,
            state if state & KIND == ASKED => State::Asked,
            state if state & KIND == NOT_NOW => State::NotNow,
            parked => State::Parked(std::ptr::with_exposed_provenance(parked)),
        }
    }

    /// Prepares the slot for the answer of a thread.
    pub(super) fn ask(&self, id: u32, epoch: u32) {
        self.id.store(id, Relaxed);
        self.state.store(in_epoch(ASKED, epoch), Release);
    }

    /// The slot waits no longer for its thread.
    pub(super) fn clear(&self) {
        self.state.store(FREE, Release);
    }

    /// The answer of the thread, if the slot still waits for it: true.
    pub(super) fn answer(&self, epoch: u32, parked: Option<*const Parked>) -> bool {
        let answer = match parked {
            Some(parked) => parked.expose_provenance(),
            None => in_epoch(NOT_NOW, epoch),
        };
        let asked = in_epoch(ASKED, epoch);
        self.state
            .compare_exchange(asked, answer, AcqRel, Relaxed)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_once_and_in_its_epoch() {
        let slot = Slot::free();
        assert_eq!(slot.state(), State::Free);
        slot.ask(7, 3);
        assert_eq!((slot.id(), slot.state()), (7, State::Asked));
        assert!(!slot.answer(2, None));
        assert!(slot.answer(3, None));
        assert_eq!(slot.state(), State::NotNow);
        let parked = std::ptr::without_provenance(64);
        assert!(!slot.answer(3, Some(parked)));
        slot.ask(7, u32::MAX);
        assert!(slot.answer(u32::MAX, Some(parked)));
        assert_eq!(slot.state(), State::Parked(parked));
        slot.clear();
        assert!(!slot.answer(u32::MAX, Some(parked)));
    }
}
