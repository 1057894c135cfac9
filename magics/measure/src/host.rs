//! The session process, as the entry points and the measurements use it.

use std::fs::File;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use memit_measurement::{Event, Measured, Remark};
use memit_process::process;

use crate::control::{Control, Interruptible};
use crate::protocol::Frame as _;

/// What this process knows as a session process.
pub struct Host {
    control: Control,
    /// Events for the supervisor.
    reports: Mutex<File>,
    /// Id of the process that runs the cell. A fork made by a cell has another id.
    pid: AtomicU32,
    /// Path of the library of the running cell.
    cell: Mutex<String>,
    /// Flushes standard output, which the `libstd` of the cells may buffer.
    flush: Mutex<Option<extern "C" fn()>>,
    /// What the figures of the measurement that is under way do not show.
    remarks: Mutex<Vec<Remark>>,
}

static HOST: OnceLock<Host> = OnceLock::new();

/// The host of this process; `None` if the process is not a session process.
pub fn current() -> Option<&'static Host> {
    HOST.get()
}

/// Whether the user has interrupted what this process measures.
pub(crate) fn is_interrupted() -> bool {
    current().is_some_and(|host| host.control().interrupted())
}

/// Makes this process a session process, which reports to `reports`.
pub fn install(control: Control, reports: File) -> &'static Host {
    HOST.get_or_init(|| Host {
        control,
        reports: Mutex::new(reports),
        pid: AtomicU32::default(),
        cell: Mutex::default(),
        flush: Mutex::default(),
        remarks: Mutex::default(),
    })
}

impl Host {
    pub(crate) fn control(&self) -> &Control {
        &self.control
    }

    /// Path of the library of the running cell.
    pub(crate) fn cell(&self) -> String {
        lock(&self.cell).clone()
    }

    /// Notes the path of the cell's library, before the library is loaded.
    pub fn set_cell(&self, library: &str) {
        library.clone_into(&mut lock(&self.cell));
    }

    /// Notes that this process runs the cell.
    pub fn begin_cell(&self) {
        self.pid.store(std::process::id(), Relaxed);
    }

    pub(crate) fn set_flush(&self, flush: extern "C" fn()) {
        *lock(&self.flush) = Some(flush);
    }

    /// Flushes the standard output of the cells.
    pub fn flush_output(&self) {
        let flush = *lock(&self.flush);
        if let Some(flush) = flush {
            flush();
        }
    }

    /// Whether this process is a fork made by a cell, and not the process that runs cells.
    pub fn is_elsewhere(&self) -> bool {
        self.pid.load(Relaxed) != std::process::id()
    }

    /// Ends a fork made by a cell.
    pub fn leave(&self, code: i32) -> ! {
        self.flush_output();
        // SAFETY: `_exit` has no preconditions. Destructors and exit handlers are the session's to
        // run.
        unsafe { libc::_exit(code) }
    }

    /// Number of threads of this process; 1 if the system does not tell.
    pub fn threads(&self) -> u32 {
        process::threads(std::process::id()).unwrap_or(1)
    }

    /// Measures. An interrupt ends the measurement, and not this process.
    pub(crate) fn measure(&self, measure: impl FnOnce() -> Measured) -> Measured {
        self.control.set_interruptible(Interruptible::InPlace);
        let measured = measure();
        self.control.set_interruptible(Interruptible::Cell);
        measured
    }

    /// Takes what the figures of the measurement do not show.
    pub(crate) fn take_remarks(&self) -> Vec<Remark> {
        std::mem::take(&mut *lock(&self.remarks))
    }

    /// Whether the measurement has changed something that the session has open.
    pub(crate) fn has_changed_outside(&self) -> bool {
        lock(&self.remarks).iter().any(Remark::is_change)
    }

    /// Keeps what the figures of the measurement do not show, once each.
    pub(crate) fn remark(&self, remarks: impl IntoIterator<Item = Remark>) {
        let mut kept = lock(&self.remarks);
        for remark in remarks {
            if !kept.contains(&remark) {
                kept.push(remark);
            }
        }
    }

    /// Sends an event to the supervisor. Ignores a failure: without a supervisor, nobody is left to
    /// hear of it.
    pub fn send(&self, event: &Event) {
        let _ = event.write(&mut *lock(&self.reports));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
