//! The session process: loads each compiled cell, runs it, and holds the variables.

use std::ffi::{CString, c_void};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::control::{Control, Measuring};
use crate::link::Event;
use crate::measurement::Measured;
use crate::{panic, process};

/// What the entry points need to know of the process they are called in.
pub(crate) struct Session {
    control: Control,
    /// To the supervisor.
    reports: Mutex<File>,
    /// Path of the library of the running cell.
    cell: Mutex<String>,
    /// Flushes what the cells' `libstd` holds back of standard output.
    flush: Mutex<Option<extern "C" fn()>>,
}

static SESSION: OnceLock<Session> = OnceLock::new();

/// The session that this process is; `None` in any other program.
pub(crate) fn current() -> Option<&'static Session> {
    SESSION.get()
}

impl Session {
    pub(crate) fn control(&self) -> &Control {
        &self.control
    }

    pub(crate) fn cell(&self) -> String {
        lock(&self.cell).clone()
    }

    pub(crate) fn set_flush(&self, flush: extern "C" fn()) {
        *lock(&self.flush) = Some(flush);
    }

    pub(crate) fn flush_output(&self) {
        let flush = *lock(&self.flush);
        if let Some(flush) = flush {
            flush();
        }
    }

    /// Threads of this process; a process that cannot tell counts as having one.
    #[expect(clippy::unused_self, reason = "a session is the process it is in")]
    pub(crate) fn threads(&self) -> u32 {
        process::threads(std::process::id()).unwrap_or(1)
    }

    /// Measures something and sends the outcome to the kernel.
    pub(crate) fn measure(&self, measure: impl FnOnce() -> Measured) {
        self.control.set_measuring(Measuring::Underway);
        let measured = measure();
        self.control.set_measuring(Measuring::Nothing);
        self.send(&Event::Measured(measured));
    }

    /// Without a supervisor there is nobody left to tell: a failure is not one of the cell.
    fn send(&self, event: &Event) {
        let _ = event.write(&mut *lock(&self.reports));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs cells until the stream of commands ends. A command is evcxr's line
/// `LOAD_AND_RUN <library> <function>`.
pub(crate) fn run(control: Control, commands: File, reports: File) -> ! {
    let session = SESSION.get_or_init(|| Session {
        control,
        reports: Mutex::new(reports),
        cell: Mutex::default(),
        flush: Mutex::default(),
    });
    let mut variables = std::ptr::null_mut();
    for command in BufReader::new(commands).lines() {
        let Ok(command) = command else { break };
        match load_and_run(session, &command, variables) {
            Ok(store) => variables = store,
            Err(error) => {
                eprintln!("memit: {error}");
                std::process::exit(1);
            }
        }
        session.flush_output();
        if let Some(panic) = panic::take() {
            session.send(&Event::Panicked(panic));
        }
        session.send(&Event::Completed);
    }
    std::process::exit(0)
}

/// Runs one cell; returns the store of variables that the next cell is given.
fn load_and_run(
    session: &Session,
    command: &str,
    variables: *mut c_void,
) -> Result<*mut c_void, String> {
    let arguments = command
        .strip_prefix("LOAD_AND_RUN ")
        .and_then(|rest| rest.rsplit_once(' '));
    let Some((library, function)) = arguments else {
        return Err(format!("unknown command `{command}`"));
    };
    library.clone_into(&mut lock(&session.cell));
    let c_string = |text: &str| CString::new(text).map_err(|error| error.to_string());
    let (library, function) = (c_string(library)?, c_string(function)?);
    // SAFETY: loading runs the library's initialisers, which are those of a cell that the user
    // asked to run. It is never unloaded: its values and thread-local destructors live on.
    let handle = unsafe { libc::dlopen(library.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if handle.is_null() {
        return Err(dl_error());
    }
    // SAFETY: the handle is valid and the name is a C string.
    let symbol = unsafe { libc::dlsym(handle, function.as_ptr()) };
    if symbol.is_null() {
        return Err(dl_error());
    }
    // SAFETY: evcxr generates this function with exactly this type.
    let run_cell: extern "C" fn(*mut c_void) -> *mut c_void =
        unsafe { std::mem::transmute(symbol) };
    Ok(run_cell(variables))
}

fn dl_error() -> String {
    // SAFETY: called right after a failed `dl…` call of this thread.
    let message = unsafe { libc::dlerror() };
    if message.is_null() {
        return "the cell could not be loaded".to_owned();
    }
    // SAFETY: a C string that is valid until the next `dl…` call.
    unsafe { std::ffi::CStr::from_ptr(message) }
        .to_string_lossy()
        .into_owned()
}
