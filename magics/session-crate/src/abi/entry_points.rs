//! The functions that a cell calls in the session process.

/// Passes the declaration of every entry point to the macro `$then`.
///
/// A `safe` function may be called with any arguments of its types.
#[macro_export]
macro_rules! entry_points {
    ($then:ident) => {
        $then! {
            functions {
                // The session. The first cell passes a function that flushes standard output.
                safe fn memit_register(flush: extern "C" fn());
                // The panic hook. False if the hook must print the panic: the session process only
                // takes panics of the thread that runs cells.
                safe fn memit_panicked(
                    message: $crate::abi::Text<'_>,
                    file: $crate::abi::Text<'_>,
                    line: u32,
                    column: u32,
                ) -> bool;

                // The panic that was reported last ends the cell.
                safe fn memit_panic_was_not_caught();
                // A variable is missing, or has another type than the cell expects. The cell does not
                // run.
                safe fn memit_variable_lost(name: $crate::abi::Text<'_>);
                // A variable whose type only rustc knows, and rustc's name of the type.
                safe fn memit_variable_named(name: $crate::abi::Text<'_>, of: $crate::abi::Text<'_>);
                // The destructor of a variable that is given up has panicked.
                safe fn memit_variable_leaked(name: $crate::abi::Text<'_>);
                // A `?` met an error and ends the cell: its `Display` and its `Debug` text.
                safe fn memit_failed(
                    display: $crate::abi::Text<'_>,
                    debug: $crate::abi::Text<'_>,
                    file: $crate::abi::Text<'_>,
                    line: u32,
                    column: u32,
                );

                // Measures as the plan says, and reports to the kernel. The body must be callable as
                // often as the plan asks.
                unsafe fn memit_measure(plan: &$crate::abi::Plan, body: $crate::abi::Body);
                // Why no measurement can be made in a block that runs now; empty if one can be made.
                safe fn memit_refusal() -> $crate::abi::Text<'static>;
                // Measures as the plan says, for the magic with this number in a block of a cell. The text
                // says for which values of variables. False if the measurement has failed. The body
                // must be callable as often as the plan asks.
                unsafe fn memit_measure_placed(
                    plan: &$crate::abi::Plan,
                    body: $crate::abi::Body,
                    magic: u32,
                    place: $crate::abi::Text<'_>,
                ) -> bool;
                // Measures the cell that calls this, from the call to the end of the cell.
                safe fn memit_measure_cell(plan: &$crate::abi::Plan);
                // The measured statements of the cell have ended; their value is still to be shown.
                safe fn memit_cell_measured();

                // Runs a script by a program that takes `-c SCRIPT`. Returns an empty text, or why the script has
                // failed. If not `checked`, an exit code other than 0 is no failure.
                safe fn memit_run_script(
                    name: $crate::abi::Text<'_>,
                    program: $crate::abi::Text<'_>,
                    script: $crate::abi::Text<'_>,
                    checked: bool,
                ) -> $crate::abi::Text<'static>;
                // Changes the working directory, and prints the new one unless quiet. Returns an empty text, or why
                // not.
                safe fn memit_change_directory(
                    to: $crate::abi::Text<'_>,
                    quiet: bool,
                ) -> $crate::abi::Text<'static>;
                // Prints the environment.
                safe fn memit_print_environment();
                // Runs so many tests, each in a fork of the session. `filtered` is the number of other tests. A time
                // of 0 is no limit. Returns an empty text, or a report of the tests that have failed. The tests must
                // be callable until the call returns.
                unsafe fn memit_run_tests(
                    tests: *const $crate::abi::TestCase,
                    count: usize,
                    filtered: u64,
                    seconds: f64,
                ) -> $crate::abi::Text<'static>;

                // The store of variables has been made; and the store, or null if there is none. Only the
                // thread that runs cells may use the store.
                safe fn memit_set_store(store: *mut ::std::ffi::c_void);
                safe fn memit_store() -> *mut ::std::ffi::c_void;
                // The variables of the session, from the body of a measurement of variables. The values must
                // live until the measurement has ended.
                safe fn memit_list_variables(list: $crate::abi::List);
                // Whether the measurement in progress counts lines.
                safe fn memit_counts_lines() -> bool;
                // Callbacks of a measured body: the statements start; their value exists; their
                // value has been dropped.
                safe fn memit_begin();
                safe fn memit_value_alive();
                safe fn memit_value_dropped();
                // Callbacks of a timed body: the loops of the next run, 0 after the last run; the
                // loop starts; the loop has ended.
                safe fn memit_next_run() -> u64;
                safe fn memit_start_clock();
                safe fn memit_stop_clock();
                // Callbacks of executions that have a set-up of their own: how many of the executions
                // that are left the next batch has, given the size of one in bytes; a batch of nothing
                // has ended, for which the clock was started.
                safe fn memit_next_batch(left: u64, bytes: u64) -> u64;
                safe fn memit_stop_idling();
                // A `?` in the statements met an error; the text describes it.
                safe fn memit_returned(error: $crate::abi::Text<'_>);
                // The value of the statements stands for work that has not been done.
                safe fn memit_lazy(lazy: $crate::abi::Lazy);
                // Ends a run that is a fork, before the fork drops its copies of session variables:
                // their destructors are the session's to run. Returns in a run in place.
                safe fn memit_leave(ending: $crate::abi::Ending);

                // Phases.
                safe fn memit_begin_phase(label: $crate::abi::Text<'_>) -> $crate::abi::PhaseNumber;
                safe fn memit_end_phase(phase: $crate::abi::PhaseNumber);
                safe fn memit_timestamp(label: $crate::abi::Text<'_>);
                // Resident set size of the process in bytes; 0 where the system does not tell.
                safe fn memit_resident() -> u64;

                // Line probes. A line starts, and counts so many hits, in the counters of this thread.
                safe fn memit_line(
                    own: $crate::lines::counters::Table<'static>,
                    index: u32,
                    hits: u32,
                );
                // `memit_line`, but it preserves every register. Only inline assembly may call it.
                #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
                unsafe fn memit_line_saving();
                // A body starts, and counts so many calls. Stores the counters of this thread.
                safe fn memit_open(
                    function: $crate::lines::counters::Table<'static>,
                    calls: u32,
                    outer: &$crate::lines::counters::Outer,
                );
                // A body ends.
                safe fn memit_close(outer: &$crate::lines::counters::Outer);
            }
        }
    };
}

macro_rules! declare {
    (
        functions {
            $($(#[$cfg:meta])? $safety:ident fn $name:ident(
                $($argument:ident: $type:ty),* $(,)?
            ) $(-> $result:ty)?;)*
        }
    ) => {
        #[allow(missing_docs, reason = "the list says what each of them does")]
        mod declared {
            unsafe extern "C" {
                $($(#[$cfg])? pub $safety fn $name($($argument: $type),*) $(-> $result)?;)*
            }
        }

        /// The names that the executable of a session process must export.
        pub const NAMES: &[&str] = &[$(stringify!($name)),*];

        /// The declaration of each function as Rust, in the order of [`NAMES`].
        const DECLARATIONS: &[&str] = &[$(
            stringify!($safety fn $name($($argument: $type),*) $(-> $result)?),
        )*];
    };
}

crate::entry_points!(declare);

pub use declared::*;

/// The declaration of an entry point as Rust, for code that calls the entry point without this crate;
/// `None` if no function has this name.
pub fn declaration(name: &str) -> Option<&'static str> {
    let at = NAMES.iter().position(|known| *known == name)?;
    DECLARATIONS.get(at).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_is_found_by_its_name() {
        assert_eq!(DECLARATIONS.len(), NAMES.len());
        // `stringify!` chooses the blanks.
        let found = |name| declaration(name).map(|text| text.replace(' ', ""));
        assert_eq!(found("memit_begin").as_deref(), Some("safefnmemit_begin()"));
        assert_eq!(
            found("memit_next_run").as_deref(),
            Some("safefnmemit_next_run()->u64")
        );
        assert_eq!(declaration("malloc"), None);
    }
}
