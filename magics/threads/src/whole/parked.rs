//! What a thread does when it is asked to stop: it notes what a fork cannot copy, and waits. If a
//! fork makes the thread anew, the new thread begins here.
//!
//! All of this runs in a signal handler, at any moment of the thread's life, so it makes system
//! calls and does nothing else. The notes are on the stack of the thread.

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::sync::atomic::{
    AtomicPtr, AtomicU32,
    Ordering::{AcqRel, Acquire, Release},
};

use crate::Peculiarity;

use super::awaited::Awaited;
use super::descriptor::{self, Places};
use super::glibc::Glibc;
use super::owners;
use super::park::{ANEW, park};
use super::robust::RobustList;
use super::rseq::{self, Registration, Rseq};
use super::settings::Settings;
use super::slots;
use super::system::{self, thread_id};

/// The number of the stop that comes or goes on. Threads wait until the number changes.
pub(super) static EPOCH: AtomicU32 = AtomicU32::new(0);
/// Number of answers of threads, ever. The one who stops them waits here.
pub(super) static ANSWERS: AtomicU32 = AtomicU32::new(0);
/// Number of threads that have been made anew and wait for the others.
pub(super) static READY: AtomicU32 = AtomicU32::new(0);
/// Asked by each thread whether it may stop where it is: a [`MayStop`], or null.
static MAY_STOP: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

/// Returns whether the calling thread may stop where it is. Runs in a signal handler.
pub(super) type MayStop = fn() -> bool;

/// What a stopped thread has left.
#[derive(Debug)]
pub(super) struct Parked {
    epoch: u32,
    slot: usize,
    /// The id of the thread that has stopped.
    pub(super) id: u32,
    /// See [`park`].
    pub(super) sp: usize,
    pub(super) thread_pointer: usize,
    /// Where the id is in glibc's descriptor.
    pub(super) places: Places,
    /// See [`descriptor::cleared_at_end`].
    pub(super) cleared_at_end: Option<usize>,
    robust: RobustList,
    pub(super) is_changing_robust: bool,
    rseq: Option<Rseq>,
    registration: Registration,
    has_shadow_stack: bool,
    pub(super) awaited: Awaited,
    settings: Settings,
}

impl Parked {
    fn this_thread(epoch: u32, slot: usize, context: &libc::ucontext_t) -> Self {
        let rseq = Glibc::known().and_then(|glibc| glibc.rseq);
        let id = thread_id();
        let thread_pointer = descriptor::thread_pointer();
        let places = Places::of_this_thread(thread_pointer, id);
        let robust = RobustList::of_this_thread();
        // The area is at an offset from a descriptor of glibc only.
        let own_rseq = rseq.as_ref().filter(|_| !places.is_empty());
        Self {
            epoch,
            slot,
            id,
            sp: 0,
            thread_pointer,
            places,
            cleared_at_end: descriptor::cleared_at_end(),
            is_changing_robust: robust.is_changing(),
            robust,
            rseq,
            registration: rseq::registration(own_rseq, thread_pointer),
            has_shadow_stack: descriptor::has_shadow_stack(),
            awaited: Awaited::by_context(context),
            settings: Settings::of_this_thread(),
        }
    }

    /// What keeps the thread from being made anew.
    pub(super) fn peculiarity(&self) -> Option<Peculiarity> {
        if self.places.is_empty() {
            Some(Peculiarity::Descriptor)
        } else if self.registration == Registration::Foreign {
            Some(Peculiarity::RestartableSequences)
        } else if self.has_shadow_stack {
            Some(Peculiarity::ShadowStack)
        } else {
            None
        }
    }

    /// Makes the calling thread what the thread of these notes was, and waits until all others are.
    fn become_anew(&self) {
        owners::remember(self.id);
        self.settings.restore();
        if let (Registration::Glibc, Some(rseq)) = (self.registration, &self.rseq) {
            rseq.register(self.thread_pointer);
        }
        self.robust.register();
        // SAFETY: the calling thread is the copy of the list's thread.
        unsafe { self.robust.hand_over(self.id, thread_id()) };
        READY.fetch_add(1, AcqRel);
        system::wake_all(&READY);
        wait_for_end(self.epoch);
    }
}

/// Sets the question that each thread answers before it stops.
pub(super) fn set_may_stop(may_stop: Option<MayStop>) {
    let may_stop = may_stop.map_or(std::ptr::null_mut(), |may_stop| may_stop as *mut c_void);
    MAY_STOP.store(may_stop, Release);
}

fn may_stop() -> bool {
    let may_stop = MAY_STOP.load(Acquire);
    // SAFETY: a function of this type, or null, which is `None`.
    let may_stop = unsafe { std::mem::transmute::<*mut c_void, Option<MayStop>>(may_stop) };
    may_stop.is_none_or(|may_stop| may_stop())
}

/// The number that a signal carries.
pub(super) fn ticket(epoch: u32, slot: usize) -> usize {
    (epoch as usize) << 32 | slot
}

/// Runs on the signal by which threads are stopped.
pub(super) extern "C" fn on_signal(_: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the system passes a valid pointer.
    let info = unsafe { &*info };
    if info.si_code != libc::SI_QUEUE {
        return;
    }
    // SAFETY: a signal with this code has a sender and a value.
    let (sender, value) = unsafe { (info.si_pid(), info.si_value()) };
    let ticket = value.sival_ptr.addr();
    let (epoch, index) = ((ticket >> 32) as u32, ticket & u32::MAX as usize);
    if sender.cast_unsigned() != system::process_id() || EPOCH.load(Acquire) != epoch {
        return;
    }
    if may_stop() {
        // SAFETY: the system passes a valid pointer to a context.
        stop_here(epoch, index, unsafe { &*context.cast() });
    } else if let Some(slot) = slots::slot(index)
        && slot.answer(epoch, None)
    {
        notify();
    }
}

fn stop_here(epoch: u32, index: usize, context: &libc::ucontext_t) {
    let mut parked = MaybeUninit::new(Parked::this_thread(epoch, index, context));
    let parked = parked.as_mut_ptr();
    // SAFETY: `parked` is initialised, and everything is accessed through this pointer. `wait`
    // expects it.
    unsafe {
        if park(&raw mut (*parked).sp, wait, parked) == ANEW {
            (*parked).become_anew();
        }
    }
}

/// Waits until the stop is over.
///
/// # Safety
///
/// `parked` must be valid until the function returns.
unsafe extern "C" fn wait(parked: *mut Parked) {
    // SAFETY: the caller's contract.
    let (epoch, index) = unsafe { ((*parked).epoch, (*parked).slot) };
    let Some(slot) = slots::slot(index) else {
        return;
    };
    if slot.answer(epoch, Some(parked)) {
        notify();
        wait_for_end(epoch);
    }
}

fn notify() {
    ANSWERS.fetch_add(1, AcqRel);
    system::wake_all(&ANSWERS);
}

fn wait_for_end(epoch: u32) {
    while EPOCH.load(Acquire) == epoch {
        system::wait_while(&EPOCH, epoch, None);
    }
}
