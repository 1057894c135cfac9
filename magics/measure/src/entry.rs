//! The functions that a cell calls. The executable exports the functions by name;
//! `memit_session::abi` declares them and says what each requires of its caller.
//!
//! The functions do nothing in a program that is not a session process. [`crate::lines::calls`]
//! defines the functions of line probes.

use std::ffi::c_void;
use std::time::Duration;

use memit_measurement::{Event, Panic, QuestionMark};
use memit_session::abi::{Body, Ending, Lazy, List, PhaseNumber, Plan, TestCase, Text};

use crate::host::Host;
use crate::lines::calls::{memit_close, memit_line, memit_open};
use crate::lines::counting;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
use crate::lines::line_saving::memit_line_saving;
use crate::surroundings::Script;
use crate::test::print_at_once;
use crate::{
    heap, host, measurements, measuring, once, panic, run, surroundings, test, timeline, variables,
};

/// Checks that each entry point has a definition with the declared type.
macro_rules! check {
    (
        functions {
            $($(#[$cfg:meta])? $safety:ident fn $name:ident(
                $($argument:ident: $type:ty),* $(,)?
            ) $(-> $result:ty)?;)*
        }
    ) => {
        $($(#[$cfg])? const _: check!(@type $safety ($($type),*) $(-> $result)?) = $name;)*
    };
    (@type safe ($($type:ty),*) $(-> $result:ty)?) => { extern "C" fn($($type),*) $(-> $result)? };
    (@type unsafe ($($type:ty),*) $(-> $result:ty)?) => {
        unsafe extern "C" fn($($type),*) $(-> $result)?
    };
}

memit_session::entry_points!(check);

#[unsafe(no_mangle)]
extern "C" fn memit_register(flush: extern "C" fn()) {
    if let Some(host) = host::current() {
        host.set_flush(flush);
    }
}

#[unsafe(no_mangle)]
extern "C" fn memit_panicked(message: Text<'_>, file: Text<'_>, line: u32, column: u32) -> bool {
    counting::note_panic();
    let Some(host) = host::current().filter(|_| panic::on_main_thread()) else {
        return false;
    };
    // The line that panics is not charged with the report.
    heap::leaving_thread_aside(|| report_panic(host, message, file, line, column));
    true
}

fn report_panic(host: &host::Host, message: Text<'_>, file: Text<'_>, line: u32, column: u32) {
    let panic = Panic {
        message: panic::shortened(message.as_str()),
        file: file.as_str().to_owned(),
        line,
        column,
    };
    if measuring::is_under_way() {
        panic::keep(panic);
    } else if host.is_elsewhere() {
        // As in any program, a panic of the main thread ends the process with the exit code 101.
        panic::print(&panic);
        host.leave(101);
    } else {
        host.send(&Event::Panicked(panic));
    }
}

#[unsafe(no_mangle)]
extern "C" fn memit_panic_was_not_caught() {
    let Some(host) = host::current() else { return };
    if host.is_elsewhere() {
        host.leave(101);
    }
    host.send(&Event::Uncaught);
}

#[unsafe(no_mangle)]
extern "C" fn memit_variable_lost(name: Text<'_>) {
    if let Some(host) = host::current() {
        host.send(&Event::VariableLost(name.as_str().to_owned()));
    }
}

#[unsafe(no_mangle)]
extern "C" fn memit_variable_named(name: Text<'_>, of: Text<'_>) {
    if let Some(host) = host::current() {
        host.send(&Event::VariableNamed {
            name: name.as_str().to_owned(),
            of: of.as_str().to_owned(),
        });
    }
}

#[unsafe(no_mangle)]
extern "C" fn memit_variable_leaked(name: Text<'_>) {
    if let Some(host) = host::current() {
        host.send(&Event::VariableLeaked(name.as_str().to_owned()));
    }
}

#[unsafe(no_mangle)]
extern "C" fn memit_failed(
    display: Text<'_>,
    debug: Text<'_>,
    file: Text<'_>,
    line: u32,
    column: u32,
) {
    let Some(host) = host::current() else { return };
    if host.is_elsewhere() {
        eprintln!(
            "memit: a copy of the process ended at a `?`: {}",
            display.as_str()
        );
        host.leave(1);
    }
    host.send(&Event::Failed(QuestionMark {
        display: panic::shortened(display.as_str()),
        debug: panic::shortened(debug.as_str()),
        file: file.as_str().to_owned(),
        line,
        column,
    }));
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memit_measure(plan: &Plan, body: Body) {
    if let Some(host) = host::current() {
        measurements::measure(host, *plan, body);
    }
}

#[unsafe(no_mangle)]
extern "C" fn memit_refusal() -> Text<'static> {
    let is_elsewhere = || host::current().is_none_or(Host::is_elsewhere);
    Text::new(if measuring::is_under_way() {
        "a measured statement cannot run a magic"
    } else if !panic::on_main_thread() {
        "a magic cannot run on another thread than the cell"
    } else if is_elsewhere() {
        "a magic cannot run in a copy of the session process"
    } else {
        ""
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memit_measure_placed(
    plan: &Plan,
    body: Body,
    magic: u32,
    place: Text<'_>,
) -> bool {
    let host = host::current();
    host.is_some_and(|host| measurements::measure_placed(host, *plan, body, magic, place.as_str()))
}

#[unsafe(no_mangle)]
extern "C" fn memit_measure_cell(plan: &Plan) {
    if let Some(host) = host::current() {
        measurements::measure_cell(host, *plan);
    }
}

#[unsafe(no_mangle)]
extern "C" fn memit_cell_measured() {
    once::finish();
}

#[unsafe(no_mangle)]
extern "C" fn memit_change_directory(to: Text<'_>, quiet: bool) -> Text<'static> {
    report(surroundings::change_directory(to.as_str()).map(|now| {
        if !quiet {
            print_at_once(&format!("{}\n", now.display()));
        }
    }))
}

#[unsafe(no_mangle)]
extern "C" fn memit_print_environment() {
    print_at_once(&surroundings::environment());
}

#[unsafe(no_mangle)]
extern "C" fn memit_run_script(
    name: Text<'_>,
    program: Text<'_>,
    script: Text<'_>,
    checked: bool,
) -> Text<'static> {
    let script = Script {
        name: name.as_str(),
        program: program.as_str(),
        text: script.as_str(),
    };
    report(host::current().map_or(Ok(()), |host| script.run(host, checked)))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memit_run_tests(
    tests: *const TestCase,
    count: usize,
    filtered: u64,
    seconds: f64,
) -> Text<'static> {
    // SAFETY: the caller's contract.
    let tests = unsafe { std::slice::from_raw_parts(tests, count) };
    let timeout = Duration::try_from_secs_f64(seconds).ok();
    let timeout = timeout.filter(|timeout| !timeout.is_zero());
    let run = |host| test::run(host, tests, filtered, timeout);
    report(host::current().map_or(Ok(()), run))
}

/// The text of an error. The cell ends with the error, and the session goes on as it was before.
fn report(result: Result<(), String>) -> Text<'static> {
    Text::new(result.err().map_or("", |error| error.leak()))
}

#[unsafe(no_mangle)]
extern "C" fn memit_set_store(store: *mut c_void) {
    variables::set_store(store);
}

#[unsafe(no_mangle)]
extern "C" fn memit_store() -> *mut c_void {
    variables::store()
}

#[unsafe(no_mangle)]
extern "C" fn memit_list_variables(list: List) {
    variables::set_list(list);
}

#[unsafe(no_mangle)]
extern "C" fn memit_counts_lines() -> bool {
    measuring::with(|measuring| measuring.counts_lines())
}

#[unsafe(no_mangle)]
extern "C" fn memit_begin() {
    measuring::with(|measuring| measuring.begin());
}

#[unsafe(no_mangle)]
extern "C" fn memit_value_alive() {
    measuring::with(|measuring| measuring.statements_done());
    run::wait_for_threads();
    measuring::with(|measuring| measuring.value_alive());
}

#[unsafe(no_mangle)]
extern "C" fn memit_value_dropped() {
    measuring::with(|measuring| measuring.value_dropped());
}

#[unsafe(no_mangle)]
extern "C" fn memit_next_run() -> u64 {
    run::wait_for_threads();
    measuring::with(|measuring| measuring.next_run())
}

#[unsafe(no_mangle)]
extern "C" fn memit_start_clock() {
    measuring::with(|measuring| measuring.start_clock());
}

#[unsafe(no_mangle)]
extern "C" fn memit_stop_clock() {
    measuring::with(|measuring| measuring.stop_clock());
}

#[unsafe(no_mangle)]
extern "C" fn memit_next_batch(left: u64, bytes: u64) -> u64 {
    measuring::with(|measuring| measuring.next_batch(left, bytes))
}

#[unsafe(no_mangle)]
extern "C" fn memit_stop_idling() {
    measuring::with(|measuring| measuring.stop_idling());
}

#[unsafe(no_mangle)]
extern "C" fn memit_returned(error: Text<'_>) {
    measuring::with(|measuring| measuring.board().set_text(error.as_str()));
}

#[unsafe(no_mangle)]
extern "C" fn memit_lazy(lazy: Lazy) {
    measuring::with(|measuring| measuring.board().set_lazy(lazy));
}

#[unsafe(no_mangle)]
extern "C" fn memit_leave(ending: Ending) {
    let board = measuring::with(|measuring| {
        measuring.leave();
        measuring.is_forked().then(|| measuring.board().clone())
    });
    let Some(board) = board else { return };
    run::conclude(&board, ending);
    // SAFETY: `_exit` has no preconditions.
    unsafe { libc::_exit(0) }
}

#[unsafe(no_mangle)]
extern "C" fn memit_begin_phase(label: Text<'_>) -> PhaseNumber {
    timeline::recorder::begin_span(label.as_str().as_bytes())
}

#[unsafe(no_mangle)]
extern "C" fn memit_end_phase(phase: PhaseNumber) {
    timeline::recorder::end_span(phase);
}

#[unsafe(no_mangle)]
extern "C" fn memit_timestamp(label: Text<'_>) {
    timeline::recorder::mark(label.as_str().as_bytes());
}

#[unsafe(no_mangle)]
extern "C" fn memit_resident() -> u64 {
    memit_process::resident()
}
