//! What a measurement needs of the session process that it runs in.

use std::fs::File;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use memit_measurement::{Event, Measured};
use memit_process::process;

use crate::control::{Control, Interruptible};
use crate::protocol::Frame as _;

/// The session process, as the entry points and the measurements see it.
pub struct Host {
    control: Control,
    /// To the supervisor.
    reports: Mutex<File>,
    /// The process that runs cells. A fork that a cell makes is another process.
    pid: AtomicU32,
    /// Path of the library of the running cell.
    cell: Mutex<String>,
    /// Flushes standard output, part of which the `libstd` of the cells may hold back.
    flush: Mutex<Option<extern "C" fn()>>,
}

static HOST: OnceLock<Host> = OnceLock::new();

/// The session process that this process is; `None` in any other program.
pub fn current() -> Option<&'static Host> {
    HOST.get()
}

/// Makes this process a session process, which reports to `reports`.
pub fn install(control: Control, reports: File) -> &'static Host {
    HOST.get_or_init(|| Host {
        control,
        reports: Mutex::new(reports),
        pid: AtomicU32::default(),
        cell: Mutex::default(),
        flush: Mutex::default(),
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

    /// The cell in the library at this path is about to be loaded.
    pub fn set_cell(&self, library: &str) {
        library.clone_into(&mut lock(&self.cell));
    }

    /// This process runs the cell.
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

    /// Whether this process is not the one that runs cells, but a fork that a cell has made.
    pub fn is_elsewhere(&self) -> bool {
        self.pid.load(Relaxed) != std::process::id()
    }

    /// Ends a fork that a cell has made.
    pub fn leave(&self, code: i32) -> ! {
        self.flush_output();
        // SAFETY: no preconditions. Destructors and exit handlers are the session's.
        unsafe { libc::_exit(code) }
    }

    /// Threads of this process. A process that cannot tell counts as having one.
    pub fn threads(&self) -> u32 {
        process::threads(std::process::id()).unwrap_or(1)
    }

    /// Measures, and sends the outcome to the kernel.
    pub(crate) fn measure(&self, measure: impl FnOnce() -> Measured) {
        self.control.set_interruptible(Interruptible::InPlace);
        let measured = measure();
        self.control.set_interruptible(Interruptible::Cell);
        self.send(&Event::Measured(measured));
    }

    /// Sends an event to the supervisor. Without a supervisor nobody is left to tell, and the cell
    /// cannot help it: a failure is ignored.
    pub fn send(&self, event: &Event) {
        let _ = event.write(&mut *lock(&self.reports));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
