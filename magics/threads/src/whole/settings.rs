//! What Linux keeps for each thread beside its registers: name, processors, priority, timer slack,
//! and the base of a segment.
//!
//! A new thread inherits these from the thread that makes it, so a thread made anew sets its own.
//! Linux keeps the alternate signal stack and the blocked signals, too, but the end of the signal
//! handler sets these.
//!
//! One setting is left as in every fork, at nothing: the signal at the end of the parent
//! (`PR_SET_PDEATHSIG`). The parent of the fork is another process.

use crate::Thread;

use super::descriptor;
use super::system::call;

/// The settings of a thread.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    name: [u8; Thread::NAME],
    processors: Option<Processors>,
    scheduling: Option<Scheduling>,
    /// In nanoseconds.
    timer_slack: usize,
    second_base: usize,
}

/// A bit for each processor that a thread may run on.
type Processors = [usize; 128 / size_of::<usize>()];

/// `struct sched_attr` of Linux.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Scheduling {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    times: [u64; 3],
    utilisation: [u32; 2],
}

impl Settings {
    /// The settings of the calling thread.
    pub(super) fn of_this_thread() -> Self {
        let mut name = [0; Thread::NAME];
        let address = name.as_mut_ptr().expose_provenance();
        control(libc::PR_GET_NAME, address);
        Self {
            name,
            processors: processors(),
            scheduling: scheduling(),
            timer_slack: control(libc::PR_GET_TIMERSLACK, 0).unsigned_abs(),
            second_base: descriptor::second_base(),
        }
    }

    /// Gives the calling thread these settings. What the system refuses stays as inherited: a
    /// thread may have a priority that it could not give itself.
    pub(super) fn restore(&self) {
        let inherited = Self::of_this_thread();
        if self.name != inherited.name {
            control(libc::PR_SET_NAME, self.name.as_ptr().expose_provenance());
        }
        // A thread whose processors have been set keeps them when processors are added, so that
        // this is not done without need.
        if self.processors != inherited.processors
            && let Some(processors) = &self.processors
        {
            let address = processors.as_ptr().expose_provenance();
            let arguments = [0, size_of::<Processors>(), address, 0, 0, 0];
            // SAFETY: the address is that of a mask of the size of the second argument.
            unsafe { call(libc::SYS_sched_setaffinity, arguments) };
        }
        if self.scheduling != inherited.scheduling
            && let Some(scheduling) = &self.scheduling
        {
            let address = std::ptr::from_ref(scheduling).expose_provenance();
            // SAFETY: the structure contains its size.
            unsafe { call(libc::SYS_sched_setattr, [0, address, 0, 0, 0, 0]) };
        }
        if self.timer_slack != inherited.timer_slack {
            control(libc::PR_SET_TIMERSLACK, self.timer_slack);
        }
        if self.second_base != inherited.second_base {
            descriptor::set_second_base(self.second_base);
        }
    }
}

fn control(operation: libc::c_int, argument: usize) -> isize {
    let arguments = [operation as usize, argument, 0, 0, 0, 0];
    // SAFETY: the operations of this file read or write at most a name of a thread at the argument.
    unsafe { call(libc::SYS_prctl, arguments) }
}

fn processors() -> Option<Processors> {
    let mut processors = [0; _];
    let address = (&raw mut processors).expose_provenance();
    let arguments = [0, size_of::<Processors>(), address, 0, 0, 0];
    // SAFETY: the call writes at most as many bytes as the second argument says.
    let written = unsafe { call(libc::SYS_sched_getaffinity, arguments) };
    (written > 0).then_some(processors)
}

fn scheduling() -> Option<Scheduling> {
    let mut scheduling = Scheduling::default();
    let address = (&raw mut scheduling).expose_provenance();
    let arguments = [0, address, size_of::<Scheduling>(), 0, 0, 0];
    // SAFETY: the call writes at most as many bytes as the third argument says.
    let result = unsafe { call(libc::SYS_sched_getattr, arguments) };
    (result == 0).then_some(scheduling)
}
