//! Tests of a cell, each in a fork of the session.

use std::fs::{self, File};
use std::io;
use std::time::Duration;

use memit_session::abi::{Body, Ending, TestEnd, TestEndKind};

use crate::fork::{self, Limits, ProcessEnd};
use crate::host::Host;

/// Exit codes of a fork that has run a test to its end: none that a program would choose.
const PASSED: i32 = 0x71;
const FAILED: i32 = 0x72;

/// Runs a test in a fork, whose output goes to a file.
pub(crate) fn run(host: &'static Host, body: Body, timeout: Duration, output: &str) -> TestEnd {
    host.flush_output();
    let limits = Limits {
        timeout: Some(timeout).filter(|timeout| !timeout.is_zero()),
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
    let (kind, number) = match finished.map(|finished| finished.ending) {
        Ok(ProcessEnd::Exited(PASSED)) => (TestEndKind::Passed, 0),
        Ok(ProcessEnd::Exited(FAILED)) => (TestEndKind::Failed, 0),
        Ok(ProcessEnd::Exited(code)) => (TestEndKind::Exited, code),
        Ok(ProcessEnd::Signalled(signal)) => (TestEndKind::Signalled, signal),
        Ok(ProcessEnd::TimedOut) => (TestEndKind::TimedOut, 0),
        Ok(ProcessEnd::Interrupted) => (TestEndKind::Interrupted, 0),
        Err(why) => {
            let _ = fs::write(output, format!("the session cannot be forked: {why}\n"));
            (TestEndKind::NotRun, 0)
        }
    };
    TestEnd { kind, number }
}

/// Sends the output of this process to a file from now on.
fn print_to(path: &str) -> io::Result<()> {
    // Both outputs append, so that neither writes over the other.
    let file = File::options().create(true).append(true).open(path)?;
    rustix::stdio::dup2_stdout(&file)?;
    rustix::stdio::dup2_stderr(&file)?;
    Ok(())
}
