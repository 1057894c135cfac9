//! Runs a `#[test]` function of a cell in a fork of the session. The session process makes the forks.

use std::ffi::c_void;
use std::io::Write as _;
use std::panic::{self, PanicHookInfo};
use std::process::{ExitCode, Termination};

use crate::abi::entry_points::memit_run_tests;
use crate::abi::{Body, Ending, TestCase};
use crate::surroundings::Refusal;

/// A test.
pub struct Test {
    /// The path of the function.
    pub name: &'static str,
    /// Runs the function, and says whether its value is a success.
    pub run: fn() -> bool,
    /// The reason in `#[ignore = "…"]`, or an empty text; `None` if the test is to run.
    pub ignored: Option<&'static str>,
    /// The message that a panic must contain, or an empty text; `None` if the test must not panic.
    pub should_panic: Option<&'static str>,
}

/// Whether the value that a test has returned is a success. Prints an error.
pub fn succeeds(returned: impl Termination) -> bool {
    returned.report() == ExitCode::SUCCESS
}

/// Runs tests, and prints how each of them ends. `filtered` is the number of other tests, `seconds` the
/// longest time of a test; 0 is no limit.
///
/// # Errors
///
/// If a test fails: the result in the first line, and below the output of each test that has failed.
pub fn run_tests(tests: &[Test], filtered: u64, seconds: f64) -> Result<(), Refusal> {
    let cases: Vec<TestCase> = tests.iter().map(case).collect();
    // SAFETY: the functions take the tests, which live until the call returns.
    let report = unsafe { memit_run_tests(cases.as_ptr(), cases.len(), filtered, seconds) };
    Refusal::unless_empty(report)
}

fn case(test: &Test) -> TestCase {
    let data = (&raw const *test).cast_mut().cast::<c_void>();
    TestCase {
        name: test.name.into(),
        is_ignored: test.ignored.is_some(),
        reason: test.ignored.unwrap_or_default().into(),
        should_panic: test.should_panic.is_some(),
        body: Body::new(run_here, data),
    }
}

/// Runs a test in this process, which is a fork.
///
/// # Safety
///
/// The data must be a [`Test`].
unsafe extern "C" fn run_here(data: *mut c_void) -> Ending {
    // SAFETY: the caller's contract.
    let test = unsafe { &*data.cast::<Test>() };
    panic::set_hook(Box::new(print_panic));
    let passed = match (panic::catch_unwind(test.run), test.should_panic) {
        (Ok(passed), None) => passed,
        (Ok(_), Some(_)) => {
            println!("note: test did not panic as expected");
            false
        }
        (Err(_), None) => false,
        (Err(panic), Some(expected)) => {
            let literal = panic.downcast_ref::<&str>().copied();
            let message = literal.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
            let message = message.unwrap_or_default();
            let is_expected = contains(message.as_bytes(), expected.as_bytes());
            if !is_expected {
                println!("note: panic did not contain expected string");
                println!("      panic message: {message:?}\n expected substring: {expected:?}");
            }
            is_expected
        }
    };
    let _ = std::io::stdout().flush();
    if passed {
        Ending::Finished
    } else {
        Ending::Returned
    }
}

/// Whether `part` is within `text`. Sessions compile this crate, and the search of `str` would take a tenth of
/// the time.
fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|within| within == part)
}

fn print_panic(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("the payload is not text");
    if let Some(at) = panic.location() {
        eprintln!("panicked at {at}:\n{message}");
    }
}
