//! Stopping all other threads: each is sent a signal and answers. Threads that begin meanwhile are
//! found when the list of threads is looked through again.
//!
//! All threads have stopped when a look finds stopped threads only, and as many as the process has.
//! The number is needed because a thread that ends in the middle of a look can hide others.

use std::ffi::c_int;
use std::sync::atomic::Ordering::{AcqRel, Acquire};
use std::time::{Duration, Instant};

use crate::{Error, Peculiarity, Silence, StopOptions, Unsupported};

use super::awaited::{Awaited, Mutex, mutex_at};
use super::deaf;
use super::descriptor::{self, Places};
use super::list::List;
use super::parked::{ANSWERS, EPOCH, Parked, set_may_stop, ticket};
use super::signal;
use super::silence;
use super::slots::{self, Slot, State};
use super::system::{process_id, thread_id, wait_while, wake_all};

/// Threads that are stopped, until this value is dropped.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) epoch: u32,
    /// Slots that have been used, the first ones.
    used: usize,
}

/// Wait for answers before the next look.
const PAUSE: Duration = Duration::from_millis(1);
/// Wait before a thread is asked again that must not stop where it was.
const SHORTEST_PAUSE: Duration = Duration::from_micros(20);
/// Time of the first attempt. Each has twice the time of the one before.
const FIRST_ATTEMPT: Duration = Duration::from_millis(2);
/// A thread that does neither block the signal nor wait in the system stops as soon as it is on a
/// processor and may stop, so it gets this many times the limit.
pub(super) const PATIENCE: u32 = 20;

impl Stop {
    /// Stops all other threads.
    ///
    /// A thread may block the signal while it waits for a lock of a thread that has stopped
    /// already: threads of glibc do so when they begin and end. So the threads go on after a short
    /// time, and are stopped again. A thread that has blocked the signal all that time is looked
    /// at before the next stop.
    ///
    /// # Errors
    ///
    /// If a thread does not stop in time, or the system refuses something. The threads go on then.
    pub(super) fn all_others(options: &StopOptions) -> Result<Self, Error> {
        let begun = Instant::now();
        let signal = signal::install()?;
        if let Some(error) = deaf::still_blocks(signal) {
            return Err(error);
        }
        set_may_stop(options.may_stop);
        let list = List::open()?;
        let mut time = FIRST_ATTEMPT.min(options.limit);
        let patience = options.limit * PATIENCE;
        loop {
            let left = patience.saturating_sub(begun.elapsed());
            let attempt = Self::attempt(&list, signal, time, left);
            let attempt = attempt.and_then(Self::without_waiters);
            let may_pass = matches!(
                attempt,
                Err(Error::NoAnswer { .. }
                    | Error::Peculiar {
                        how: Peculiarity::Mutex,
                        ..
                    })
            );
            let limit = match attempt {
                Err(Error::NoAnswer {
                    why: Silence::NotNow,
                    ..
                }) => patience,
                _ => options.limit,
            };
            if !may_pass || begun.elapsed() >= limit {
                return attempt.inspect_err(deaf::remember);
            }
            std::thread::sleep(time / 2);
            time *= 2;
        }
    }

    /// Tries once, not longer than `time` if a thread cannot stop now, and not longer than
    /// `patience`.
    fn attempt(
        list: &List,
        signal: c_int,
        time: Duration,
        patience: Duration,
    ) -> Result<Self, Error> {
        let begun = Instant::now();
        let mut stop = Self {
            epoch: EPOCH.load(Acquire),
            used: 0,
        };
        let mut pause = SHORTEST_PAUSE;
        let mut has_been_busy = false;
        loop {
            let answers = ANSWERS.load(Acquire);
            let look = stop.look(list, signal)?;
            if look.missing.is_none() && look.threads == list.count()? {
                return Ok(stop);
            }
            has_been_busy |= look.again;
            let elapsed = begun.elapsed();
            if elapsed > time {
                stop.check_missing(signal)?;
            }
            if elapsed > patience {
                // Without a missing thread, threads have ended in every look.
                let missing = look.missing.unwrap_or(process_id());
                let why = if has_been_busy {
                    Silence::NotNow
                } else {
                    Silence::Unknown
                };
                return Err(silence::error(missing, why));
            }
            if look.missing.is_some() && !look.again {
                stop.wait_for_answers(answers);
            } else {
                std::thread::sleep(pause);
                pause = (pause * 2).min(PAUSE);
            }
        }
    }

    /// # Errors
    ///
    /// If a thread waits for a mutex that notes the id of its owner.
    fn without_waiters(self) -> Result<Self, Error> {
        let owns = |id| id == thread_id() || self.parked().any(|(_, parked)| parked.id == id);
        let is_owned = |mutex: Mutex| mutex.has_owner() && owns(mutex.owner);
        let waits = |parked: &Parked| match parked.awaited {
            _ if parked.is_changing_robust => true,
            Awaited::Nothing => false,
            Awaited::Inheriting => true,
            Awaited::Futex(address) => mutex_at(address).is_some_and(is_owned),
        };
        if let Some((_, parked)) = self.parked().find(|(_, parked)| waits(parked)) {
            return Err(peculiar(parked, Peculiarity::Mutex));
        }
        Ok(self)
    }

    /// Looks through all threads, and asks those to stop that have not been asked.
    fn look(&mut self, list: &List, signal: c_int) -> Result<Look, Error> {
        let this = thread_id();
        let mut look = Look::default();
        list.look(|id| {
            look.threads += 1;
            if id == this {
                return Ok(());
            }
            let known = self.slots().find(|(_, slot)| slot.id() == id);
            let (index, slot) = match known {
                Some(known) => known,
                None => self.new_slot()?,
            };
            match slot.state() {
                State::Parked(_) => return Ok(()),
                State::Asked if has_ended(id) => return Ok(()),
                State::Asked => {}
                state @ (State::Free | State::NotNow) => {
                    look.again |= state == State::NotNow;
                    slot.ask(id, self.epoch);
                    match signal::send(signal, id, ticket(self.epoch, index)) {
                        Ok(true) => {}
                        // The thread has ended. The slot is for a later thread with this id.
                        Ok(false) => slot.clear(),
                        // A thread that blocks the signal has filled the queue of signals.
                        Err(error) => {
                            self.check_missing(signal)?;
                            return Err(error);
                        }
                    }
                }
            }
            look.missing = Some(id);
            Ok(())
        })?;
        Ok(look)
    }

    fn new_slot(&mut self) -> Result<(usize, &'static Slot), Error> {
        let index = self.used;
        let slot = slots::slot(index).ok_or(Error::TooMany(slots::MOST))?;
        slot.clear();
        self.used += 1;
        Ok((index, slot))
    }

    /// # Errors
    ///
    /// If there is a known reason why a thread does not stop.
    fn check_missing(&self, signal: c_int) -> Result<(), Error> {
        let reason = self
            .slots()
            .filter(|(_, slot)| slot.state() == State::Asked)
            .map(|(_, slot)| (slot.id(), silence::reason(slot.id(), signal)))
            .find(|(_, why)| *why != Silence::Unknown);
        reason.map_or(Ok(()), |(id, why)| Err(silence::error(id, why)))
    }

    /// Waits until every thread that has been asked has answered, but not long: a thread may have
    /// ended.
    fn wait_for_answers(&self, mut answers: u32) {
        let deadline = Instant::now() + PAUSE;
        while self.slots().any(|(_, slot)| slot.state() == State::Asked) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            wait_while(&ANSWERS, answers, Some(left));
            answers = ANSWERS.load(Acquire);
        }
    }

    fn slots(&self) -> impl Iterator<Item = (usize, &'static Slot)> + use<> {
        (0..self.used).filter_map(|index| Some((index, slots::slot(index)?)))
    }

    /// The stopped threads with their slots.
    pub(super) fn parked(&self) -> impl Iterator<Item = (&'static Slot, &Parked)> {
        self.slots().filter_map(|(_, slot)| match slot.state() {
            // SAFETY: what the thread has left is on its stack, and the thread waits as long as
            // `self` lives. In a fork, the copy of the stack is left alone until the thread has
            // been made anew.
            State::Parked(parked) => Some((slot, unsafe { &*parked })),
            _ => None,
        })
    }

    /// Where glibc's descriptor has the id of its thread, as an offset in bytes; checked for every
    /// thread.
    ///
    /// # Errors
    ///
    /// If a thread cannot be made anew.
    pub(super) fn place_of_id(&self) -> Result<usize, Error> {
        let mut places = Places::of_this_thread(descriptor::thread_pointer(), thread_id());
        for (_, parked) in self.parked() {
            if let Some(how) = parked.peculiarity() {
                return Err(peculiar(parked, how));
            }
            let common = places.common(parked.places);
            if common.is_empty() {
                return Err(peculiar(parked, Peculiarity::Descriptor));
            }
            places = common;
        }
        let unknown = Error::Unsupported(Unsupported::Descriptor);
        places.only().ok_or(unknown)
    }

    /// Ends the stop without a word to the threads: in a fork that has none.
    pub(super) fn forget(self) {
        std::mem::forget(self);
    }
}

impl Drop for Stop {
    /// Lets the threads go on.
    fn drop(&mut self) {
        // First the slots, so that a thread that comes late does not stay.
        for (_, slot) in self.slots() {
            slot.clear();
        }
        EPOCH.fetch_add(1, AcqRel);
        wake_all(&EPOCH);
    }
}

/// What a look through the threads has found.
#[derive(Default)]
struct Look {
    /// Number of threads, with the one that looks.
    threads: usize,
    /// A thread that has not stopped yet.
    missing: Option<u32>,
    /// A thread has answered that it must not stop where it was.
    again: bool,
}

/// Only the main thread is still listed when it has ended.
fn has_ended(id: u32) -> bool {
    id == process_id() && silence::has_ended(id)
}

fn peculiar(parked: &Parked, how: Peculiarity) -> Error {
    let thread = silence::thread(parked.id);
    Error::Peculiar { thread, how }
}
