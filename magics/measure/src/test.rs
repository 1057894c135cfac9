//! Runs the tests of a cell, each in a fork of the session, and shows the results as `cargo test` does.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use memit_session::abi::{Body, Ending, TestCase};

use crate::fork::{self, Limits, ProcessEnd};
use crate::host::Host;

/// Exit codes of a fork that has run a test to its end: none that a program would choose.
const PASSED: i32 = 0x71;
const FAILED: i32 = 0x72;

/// Runs the tests and prints how each of them ends. `filtered` is the number of other tests, `timeout` the
/// longest time of a test.
///
/// # Errors
///
/// If a test fails: the result in the first line, and below the output of each test that has failed.
pub(crate) fn run(
    host: &'static Host,
    tests: &[TestCase],
    filtered: u64,
    timeout: Option<Duration>,
) -> Result<(), String> {
    host.flush_output();
    let started = Instant::now();
    let plural = if tests.len() == 1 { "" } else { "s" };
    println!("\nrunning {} test{plural}", tests.len());
    let (mut passed, mut ignored) = (0, 0);
    let mut failures = String::new();
    let mut failed = 0;
    for test in tests {
        let name = test.name.as_str();
        let expects = if test.should_panic {
            " - should panic"
        } else {
            ""
        };
        print_at_once(&format!("test {name}{expects} ... "));
        if test.is_ignored {
            let reason = test.reason.as_str();
            let comma = if reason.is_empty() { "" } else { ", " };
            println!("ignored{comma}{reason}");
            ignored += 1;
            continue;
        }
        let output = output_file();
        let end = run_apart(host, test.body, timeout, &output);
        let printed = fs::read(&output).unwrap_or_default();
        let _ = fs::remove_file(&output);
        let why = match end {
            Ok(ProcessEnd::Exited(PASSED)) => {
                println!("ok");
                passed += 1;
                continue;
            }
            // The kernel says so.
            Ok(ProcessEnd::Interrupted) => {
                println!("interrupted");
                return Ok(());
            }
            Ok(ProcessEnd::Exited(FAILED)) => String::new(),
            Ok(ProcessEnd::Exited(code)) => {
                let status = ExitStatus::from_raw(code << 8);
                format!("the test ended its process ({status})\n")
            }
            Ok(ProcessEnd::Signalled(signal)) => {
                let status = ExitStatus::from_raw(signal);
                format!("the test was ended by a signal ({status})\n")
            }
            Ok(ProcessEnd::TimedOut) => {
                let seconds = timeout.unwrap_or_default().as_secs_f64();
                format!("the test took longer than {seconds} s\n")
            }
            Err(why) => format!("the session cannot be forked: {why}\n"),
        };
        println!("FAILED");
        failed += 1;
        let printed = String::from_utf8_lossy(&printed);
        let _ = write!(failures, "\n---- {name} stdout ----\n{printed}{why}");
    }
    let word = if failed == 0 { "ok" } else { "FAILED" };
    let result = format!(
        "test result: {word}. {passed} passed; {failed} failed; {ignored} ignored; 0 measured; {filtered} filtered \
         out; finished in {:.2}s",
        started.elapsed().as_secs_f64()
    );
    if failed == 0 {
        println!("\n{result}");
        Ok(())
    } else {
        Err(format!("{result}\n{failures}"))
    }
}

/// Prints a text that is seen before its line ends.
pub(crate) fn print_at_once(text: &str) {
    print!("{text}");
    let _ = io::Write::flush(&mut io::stdout());
}

/// The file that takes the output of a test.
fn output_file() -> PathBuf {
    std::env::temp_dir().join(format!("memit-test-{}", std::process::id()))
}

/// Runs a test in a fork, whose output is added to a file. The error says why there is no fork.
fn run_apart(
    host: &'static Host,
    body: Body,
    timeout: Option<Duration>,
    output: &Path,
) -> Result<ProcessEnd, String> {
    let limits = Limits {
        timeout,
        ..Limits::default()
    };
    let finished = fork::run(host.control(), limits, None, || {
        if print_to(output).is_err() {
            fork::silence();
        }
        // SAFETY: the caller of the entry point has promised that the body may run until the entry point
        // returns. The fork has a copy of everything that the body uses.
        match unsafe { body.run() } {
            Ending::Finished => PASSED,
            Ending::Returned | Ending::Panicked => FAILED,
        }
    });
    finished
        .map(|finished| finished.ending)
        .map_err(|why| why.to_string())
}

/// Sends the output of this process to a file from now on.
fn print_to(path: &Path) -> io::Result<()> {
    // Both outputs append, so that neither writes over the other.
    let file = File::options().create(true).append(true).open(path)?;
    rustix::stdio::dup2_stdout(&file)?;
    rustix::stdio::dup2_stderr(&file)?;
    Ok(())
}
