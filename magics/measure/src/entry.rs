//! What the code of a cell calls. The executable exports these names, so that a plain
//! `extern "C"` block in a cell finds them.
//!
//! In a program that is no session they do nothing.

use std::ffi::c_void;
use std::time::Duration;

use crate::lines::{level, measure};
use crate::link::Event;
use crate::measurement::{Clock, Panic};
use crate::probe::Probe;
use crate::run::{self, Body};
use crate::{memory, panic, probe, sampler, session, time, timeline};

/// The session's first cell passes a function that flushes its `libstd`'s standard output.
#[unsafe(no_mangle)]
extern "C" fn memit_register(flush: extern "C" fn()) {
    if let Some(session) = session::current() {
        session.set_flush(flush);
    }
}

/// The panic hook of the session. Returns 0 if the hook must print the panic itself, which is
/// so for threads other than the one that runs cells.
///
/// # Safety
///
/// Both pairs must describe UTF-8 text.
#[unsafe(no_mangle)]
unsafe extern "C" fn memit_panicked(
    message: *const u8,
    message_length: usize,
    file: *const u8,
    file_length: usize,
    line: u32,
    column: u32,
) -> u32 {
    let Some(session) = session::current().filter(|_| panic::on_main_thread()) else {
        return 0;
    };
    // SAFETY: the caller's contract.
    let message = unsafe { text(message, message_length) };
    // SAFETY: the caller's contract.
    let file = unsafe { text(file, file_length) };
    let panic = Panic {
        message,
        file,
        line,
        column,
    };
    if probe::is_installed() {
        panic::keep(panic);
    } else if session.is_elsewhere() {
        // As in a program: the panic of a process's main thread ends it with this code.
        panic::print(&panic);
        session.leave(101);
    } else {
        session.send(&Event::Panicked(panic));
    }
    1
}

/// A `?` in a snippet met an error; the text describes it.
///
/// # Safety
///
/// The pair must describe UTF-8 text.
#[unsafe(no_mangle)]
unsafe extern "C" fn memit_returned(error: *const u8, length: usize) {
    // SAFETY: the caller's contract.
    let error = unsafe { text(error, length) };
    probe::with(|probe| probe.board().set_text(&error));
}

/// Measures the memory of a snippet; see [`memory::Plan`]. Times are in nanoseconds, 0 for none.
///
/// # Safety
///
/// `call` must be callable with `data` as often as the plan asks.
#[unsafe(no_mangle)]
unsafe extern "C" fn memit_measure_memory(
    repeat: u32,
    timeout_ns: u64,
    interval_ns: u64,
    children: bool,
    isolated: bool,
    call: unsafe extern "C" fn(*mut c_void) -> u32,
    data: *mut c_void,
) {
    let Some(session) = session::current() else {
        return;
    };
    let duration = |ns| (ns > 0).then(|| Duration::from_nanos(ns));
    let plan = memory::Plan {
        repeat,
        timeout: duration(timeout_ns),
        interval: duration(interval_ns),
        children,
        isolated,
    };
    memory::measure(session, plan, Body { call, data });
}

/// Measures the time of a snippet; see [`time::Plan`]. `loops` 0 chooses them.
///
/// # Safety
///
/// As [`memit_measure_memory`].
#[unsafe(no_mangle)]
unsafe extern "C" fn memit_measure_time(
    loops: u64,
    repeat: u32,
    cpu_clock: bool,
    fresh: bool,
    isolated: bool,
    call: unsafe extern "C" fn(*mut c_void) -> u32,
    data: *mut c_void,
) {
    let Some(session) = session::current() else {
        return;
    };
    let plan = time::Plan {
        loops: (loops > 0).then_some(loops),
        repeat,
        clock: if cpu_clock { Clock::Cpu } else { Clock::Wall },
        fresh,
        isolated,
    };
    time::measure(session, plan, Body { call, data });
}

/// Measures the lines of profiled functions while a snippet runs; see [`measure::Plan`]. `charge`
/// is the number of a [`measure::Charge`], `backend` that of a [`crate::lines::counters::backend`], `limit` in
/// bytes and `timeout_ns` are 0 for none.
///
/// # Safety
///
/// As [`memit_measure_memory`].
#[unsafe(no_mangle)]
unsafe extern "C" fn memit_measure_lines(
    charge: u32,
    backend: u32,
    children: bool,
    limit: u64,
    isolated: bool,
    call: unsafe extern "C" fn(*mut c_void) -> u32,
    data: *mut c_void,
) {
    let Some(session) = session::current() else {
        return;
    };
    let plan = measure::Plan {
        charge: measure::Charge::from_number(charge),
        backend: level::backend_of(backend),
        children,
        limit: (limit > 0).then_some(limit),
        isolated,
    };
    measure::measure(session, plan, Body { call, data });
}

/// Watches the memory of a snippet over time; see [`timeline::measure::Plan`].
///
/// # Safety
///
/// As [`memit_measure_memory`].
#[unsafe(no_mangle)]
unsafe extern "C" fn memit_measure_timeline(
    interval_ns: u64,
    children: bool,
    isolated: bool,
    call: unsafe extern "C" fn(*mut c_void) -> u32,
    data: *mut c_void,
) {
    let Some(session) = session::current() else {
        return;
    };
    let plan = timeline::measure::Plan {
        interval: Duration::from_nanos(interval_ns),
        children,
        isolated,
    };
    timeline::measure::measure(session, plan, Body { call, data });
}

/// Watches the memory of the cell that runs, from here to its end.
#[unsafe(no_mangle)]
extern "C" fn memit_keep_timeline(interval_ns: u64, children: bool) {
    let Some(session) = session::current() else {
        return;
    };
    let plan = timeline::measure::Plan {
        interval: Duration::from_nanos(interval_ns),
        children,
        isolated: false,
    };
    timeline::measure::keep(session, plan);
}

/// A phase begins; what it returns is for [`memit_end_phase`].
///
/// # Safety
///
/// The pair must describe UTF-8 text.
#[unsafe(no_mangle)]
unsafe extern "C" fn memit_begin_phase(label: *const u8, length: usize) -> u64 {
    // SAFETY: the caller's contract.
    timeline::recorder::begin_span(unsafe { bytes(label, length) })
}

/// A phase ends.
#[unsafe(no_mangle)]
extern "C" fn memit_end_phase(phase: u64) {
    timeline::recorder::end_span(phase);
}

/// A moment has a name.
///
/// # Safety
///
/// The pair must describe UTF-8 text.
#[unsafe(no_mangle)]
unsafe extern "C" fn memit_timestamp(label: *const u8, length: usize) {
    // SAFETY: the caller's contract.
    timeline::recorder::mark(unsafe { bytes(label, length) });
}

/// Resident set size of this process in bytes; 0 where the system does not tell.
#[unsafe(no_mangle)]
extern "C" fn memit_resident() -> u64 {
    sampler::resident()
}

/// The snippet starts.
#[unsafe(no_mangle)]
extern "C" fn memit_begin() {
    probe::with(|probe| match probe {
        Probe::Memory(memory) => memory.begin(),
        Probe::Lines(lines) => lines.begin(),
        Probe::Timeline(timeline) => timeline.begin(),
        Probe::Time(_) | Probe::Count(_) => {}
    });
}

/// The snippet is done and its value is still alive.
#[unsafe(no_mangle)]
extern "C" fn memit_peak() {
    probe::with(|probe| match probe {
        Probe::Memory(memory) => memory.peak(),
        Probe::Lines(lines) => lines.end(),
        Probe::Time(_) | Probe::Count(_) | Probe::Timeline(_) => {}
    });
}

/// The snippet's value has been dropped.
#[unsafe(no_mangle)]
extern "C" fn memit_dropped() {
    probe::with(|probe| match probe {
        Probe::Memory(memory) => memory.dropped(),
        Probe::Timeline(timeline) => timeline.end(),
        Probe::Time(_) | Probe::Count(_) | Probe::Lines(_) => {}
    });
}

/// Loops of the next timed run; 0 when there are enough.
#[unsafe(no_mangle)]
extern "C" fn memit_next_run() -> u64 {
    probe::with(|probe| match probe {
        Probe::Time(time) => time.next_run(),
        Probe::Count(count) => count.next_run(),
        Probe::Memory(_) | Probe::Lines(_) | Probe::Timeline(_) => 0,
    })
}

/// The loop starts.
#[unsafe(no_mangle)]
extern "C" fn memit_start_clock() {
    probe::with(|probe| match probe {
        Probe::Time(time) => time.start_clock(),
        Probe::Count(count) => count.start_clock(),
        Probe::Memory(_) | Probe::Lines(_) | Probe::Timeline(_) => {}
    });
}

/// The loop is over.
#[unsafe(no_mangle)]
extern "C" fn memit_stop_clock() {
    probe::with(|probe| match probe {
        Probe::Time(time) => time.stop_clock(),
        Probe::Count(count) => count.stop_clock(),
        Probe::Memory(_) | Probe::Lines(_) | Probe::Timeline(_) => {}
    });
}

/// Ends a measured run that is a fork, before the copies of session variables that it works on
/// would be dropped: their destructors are the session's to run. `code` says how the snippet
/// ended. Returns in place, where variables are borrowed.
#[unsafe(no_mangle)]
extern "C" fn memit_leave(code: u32) {
    let board = probe::with(|probe| {
        if let Probe::Timeline(timeline) = probe {
            // After a panic or a `?` it is not at its end yet.
            timeline.end();
        }
        probe.is_forked().then(|| probe.board().clone())
    });
    let Some(board) = board else { return };
    run::conclude(&board, code);
    // SAFETY: `_exit` has no preconditions.
    unsafe { libc::_exit(0) }
}

/// # Safety
///
/// The pair must describe initialised bytes, or nothing.
unsafe fn text(start: *const u8, length: usize) -> String {
    // SAFETY: the caller's contract.
    String::from_utf8_lossy(unsafe { bytes(start, length) }).into_owned()
}

/// # Safety
///
/// As [`text`]; the bytes must live as long as what is returned.
unsafe fn bytes<'a>(start: *const u8, length: usize) -> &'a [u8] {
    if start.is_null() {
        return &[];
    }
    // SAFETY: the caller's contract.
    unsafe { std::slice::from_raw_parts(start, length) }
}
