//! `memit mprof run`: runs a program and records its memory.

use std::io;
use std::ops::ControlFlow;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::Context as _;
use memit_magics::{failure, visible};
use memit_measurement::{Backend, mprof_format};
use memit_process::{Program, Tree, end_by};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGTSTP};

use super::arguments::RunArgs;
use super::profile_file::ProfileFile;
use super::python;
use super::recording::{Finish, Recording, hold_signals, say_stopped, with_descendants};

/// Names the profile to the program, which may append its own functions and phases.
const FILE_VARIABLE: &str = "MEMIT_MPROF_FILE";

/// Exit codes of shells and `env` for a program that does not exist, or may not be started.
const NOT_FOUND: u8 = 127;
const NOT_STARTED: u8 = 126;
/// Shells add this to the number of the signal that ended a program.
const SIGNALLED: i32 = 128;

/// Runs the program, records its memory, and returns its exit code. A signal with which people end
/// programs ends memit too.
///
/// # Errors
///
/// If the profile cannot be recorded. A program that cannot be started is reported but not an
/// error; the exit code is then the one that a shell returns.
pub(super) fn run(arguments: &RunArgs) -> anyhow::Result<ExitCode> {
    // Before the program starts, so that an early signal still reaches it.
    let signals = hold_signals(&[SIGCHLD, SIGTSTP]).context("cannot receive signals")?;
    let mut output = ProfileFile::open(arguments.record.output.as_deref())?;
    let (shown, words) = python::command_line(arguments, &output.absolute_path());
    let shown: Vec<_> = shown.iter().map(|word| word.to_string_lossy()).collect();
    output.add(|lines| mprof_format::command(lines, &shown));
    output.flush()?;

    let (name, rest) = words.split_first().context("no program to run")?;
    let mut command = Command::new(name);
    command
        .args(rest)
        .env(FILE_VARIABLE, output.absolute_path());
    let program = match Program::start(&mut command, &signals) {
        Ok(program) => program,
        Err(error) => {
            output.discard();
            return Ok(not_started(&visible(&name.to_string_lossy()), &error));
        }
    };

    let backend = arguments.record.backend;
    let tree = Tree::started(program.pid(), backend, with_descendants(&arguments.record));
    let mut tree =
        tree.with_context(|| format!("cannot read the memory of {}", shown.join(" ")))?;
    if !arguments.no_trace && backend == Backend::Rss {
        tree.trace();
    }
    let mut recording = Recording::start(tree, &arguments.record, output)?;
    let finish = recording.record(program.ended(), &signals, arguments.timeout, |signal| {
        if signal.sent {
            program.signal(signal.number);
        }
        ControlFlow::Continue(())
    })?;
    if finish == Finish::TimeOver {
        let pid = program.pid();
        recording.output.flush()?;
        if !arguments.record.quiet {
            say_stopped(&visible(&name.to_string_lossy()), pid);
        }
        print_summary(arguments, &recording);
        return Ok(ExitCode::SUCCESS);
    }
    let ended = program.wait().context("cannot wait for the program")?;
    recording.end(&ended);
    recording.output.flush()?;
    print_summary(arguments, &recording);
    Ok(exit(arguments, ended.status))
}

fn print_summary(arguments: &RunArgs, recording: &Recording) {
    if arguments.record.quiet {
        return;
    }
    eprintln!("{}", recording.summary());
}

fn not_started(name: &str, error: &io::Error) -> ExitCode {
    match error.kind() {
        io::ErrorKind::NotFound if name.contains('/') => {
            eprintln!("memit: cannot run {name}: no such file");
            ExitCode::from(NOT_FOUND)
        }
        io::ErrorKind::NotFound => {
            eprintln!(
                "memit: cannot run {name}: no directory in PATH has such a program; to run one from \
                 this directory, write ./{name}"
            );
            ExitCode::from(NOT_FOUND)
        }
        io::ErrorKind::PermissionDenied => {
            eprintln!("memit: cannot run {name}: no permission; is it executable? (chmod +x)");
            ExitCode::from(NOT_STARTED)
        }
        _ => {
            eprintln!("memit: cannot run {name}: {error}");
            ExitCode::from(NOT_STARTED)
        }
    }
}

/// Ends memit the way the program ended.
fn exit(arguments: &RunArgs, status: ExitStatus) -> ExitCode {
    if let Some(signal) = status.signal() {
        if [SIGINT, SIGTERM, SIGHUP].contains(&signal) {
            // A waiting shell must see the signal, so that Ctrl-C ends its loops.
            end_by(signal);
        }
        eprintln!(
            "memit: the program was ended by {}",
            failure::signal(signal)
        );
        return ExitCode::from(u8::try_from(SIGNALLED + signal).unwrap_or(u8::MAX));
    }
    let code = status.code().unwrap_or_default();
    if arguments.exit_code && code != 0 {
        eprintln!("memit: the program ended with exit code {code}");
    }
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}
