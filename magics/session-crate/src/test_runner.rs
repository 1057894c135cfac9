//! Runs the `#[test]` functions of a cell, each in a fork of the session, as `cargo test` shows them.

use std::ffi::c_void;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::panic::{self, PanicHookInfo};
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus, Termination};
use std::time::{Duration, Instant};

use crate::abi::entry_points::memit_test;
use crate::abi::{Body, Ending, TestEnd, TestEndKind};
use crate::print_at_once;
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
pub fn run_tests(tests: &[Test], filtered: usize, seconds: f64) -> Result<(), Refusal> {
    let started = Instant::now();
    let timeout = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO);
    let plural = if tests.len() == 1 { "" } else { "s" };
    print_at_once(format_args!("\nrunning {} test{plural}\n", tests.len()));
    let (mut passed, mut ignored) = (0, 0);
    let mut failures = Vec::new();
    for test in tests {
        let name = test.name;
        let expects = if test.should_panic.is_some() {
            " - should panic"
        } else {
            ""
        };
        print_at_once(format_args!("test {name}{expects} ... "));
        if let Some(reason) = test.ignored {
            let comma = if reason.is_empty() { "" } else { ", " };
            print_at_once(format_args!("ignored{comma}{reason}\n"));
            ignored += 1;
            continue;
        }
        let (end, output) = run_apart(test, timeout);
        match end.kind {
            TestEndKind::Passed => {
                print_at_once(format_args!("ok\n"));
                passed += 1;
            }
            // The kernel says so.
            TestEndKind::Interrupted => {
                print_at_once(format_args!("interrupted\n"));
                return Ok(());
            }
            _ => {
                print_at_once(format_args!("FAILED\n"));
                failures.push((name, output + &told(end, timeout)));
            }
        }
    }
    let word = if failures.is_empty() { "ok" } else { "FAILED" };
    let result = format!(
        "test result: {word}. {passed} passed; {} failed; {ignored} ignored; 0 measured; {filtered} filtered out; \
         finished in {:.2}s\n",
        failures.len(),
        started.elapsed().as_secs_f64()
    );
    if failures.is_empty() {
        print_at_once(format_args!("\n{result}"));
        return Ok(());
    }
    let mut report = result;
    for (name, output) in failures {
        let _ = write!(report, "\n---- {name} stdout ----\n{output}");
    }
    Err(Refusal::new(report))
}

/// What happened to a test, if its output does not say so.
fn told(end: TestEnd, timeout: Duration) -> String {
    match end.kind {
        TestEndKind::Exited => {
            let status = ExitStatus::from_raw(end.number << 8);
            format!("the test ended its process ({status})\n")
        }
        TestEndKind::Signalled => {
            let status = ExitStatus::from_raw(end.number);
            format!("the test was ended by a signal ({status})\n")
        }
        TestEndKind::TimedOut => {
            format!("the test took longer than {} s\n", timeout.as_secs_f64())
        }
        _ => String::new(),
    }
}

/// Runs a test in a fork of the session. Returns how the fork ended, and what it has printed.
fn run_apart(test: &Test, timeout: Duration) -> (TestEnd, String) {
    let output = output_file();
    let data = (&raw const *test).cast_mut().cast::<c_void>();
    let nanoseconds = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
    let path = output.to_string_lossy();
    // SAFETY: the function takes the test, which lives until the call returns.
    let end = unsafe { memit_test(Body::new(run_here, data), nanoseconds, (&*path).into()) };
    let printed = fs::read(&output).unwrap_or_default();
    let _ = fs::remove_file(&output);
    (end, String::from_utf8_lossy(&printed).into_owned())
}

/// The file that takes the output of a test.
fn output_file() -> PathBuf {
    std::env::temp_dir().join(format!("memit-test-{}", std::process::id()))
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
            let is_expected = message.contains(expected);
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

fn print_panic(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("the payload is not text");
    let thread = std::thread::current();
    let thread = match thread.name() {
        Some("main") | None => String::new(),
        Some(name) => format!("thread '{name}' "),
    };
    match panic.location() {
        Some(at) => eprintln!("{thread}panicked at {at}:\n{message}"),
        None => eprintln!("{thread}panicked:\n{message}"),
    }
}
