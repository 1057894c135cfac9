//! The session process: loads each compiled cell, runs it, and holds the variables.
//!
//! Before a cell it forks, and the fork waits as a checkpoint: if the cell ends the process, or is
//! stopped, or panics, the checkpoint becomes the session, and nothing has happened. That the cell
//! runs in the old process, not in the fork, keeps its process id, its children and its locks.

use std::ffi::{CString, c_void};
use std::fs::File;
use std::io::{BufRead, BufReader, PipeReader};
use std::os::fd::{BorrowedFd, OwnedFd};

use memit_measure::control::Control;
use memit_measure::copies::{self, Single};
use memit_measure::cost::CostMeter;
use memit_measure::fork::{self, Checkpoint};
use memit_measure::host::{self, Host};
use memit_measure::lines::counting;
use memit_measure::once;
use memit_measure::outside::{self, Positions};
use memit_measure::shared_statics::SharedStatics;
use memit_measure::timeline;
use memit_measurement::{Checkpointed, Event};
use rustix::io::{fcntl_dupfd_cloexec, fcntl_getfd};
use rustix::process::{Pid, WaitOptions, waitpid};
use rustix::stdio;

/// What the supervisor asks of a process of the session, one line each.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// evcxr's `LOAD_AND_RUN <library> <function>`, after leaving a checkpoint that listens at a
    /// slot.
    Run { slot: usize, arguments: String },
    /// The same without a checkpoint and without a word about it.
    Prepare { arguments: String },
    /// To a checkpoint: be the host.
    Resume,
}

impl Command {
    /// The line, with its end.
    pub(crate) fn line(&self) -> String {
        match self {
            Self::Run { slot, arguments } => format!("RUN {slot} {arguments}\n"),
            Self::Prepare { arguments } => format!("PREPARE {arguments}\n"),
            Self::Resume => "RESUME\n".to_owned(),
        }
    }

    fn parse(line: &str) -> Option<Self> {
        let line = line.trim_end_matches('\n');
        if line == "RESUME" {
            return Some(Self::Resume);
        }
        if let Some(arguments) = line.strip_prefix("PREPARE ") {
            let arguments = arguments.to_owned();
            return Some(Self::Prepare { arguments });
        }
        let (slot, arguments) = line.strip_prefix("RUN ")?.split_once(' ')?;
        Some(Self::Run {
            slot: slot.parse().ok()?,
            arguments: arguments.to_owned(),
        })
    }
}

/// Runs cells as the supervisor commands at `slots[slot]`, until it closes its end.
pub(crate) fn run(control: Control, slots: &[PipeReader], slot: usize, reports: File) -> ! {
    let host = host::install(control, reports);
    // The trial copies this process, which is small now.
    copies::prepare();
    let standard = StandardStreams::keep();
    outside::set_own_aside();
    let mut positions = None;
    let mut single: Option<Single> = None;
    let mut variables = std::ptr::null_mut();
    let mut statics = SharedStatics::default();
    let mut children = Checkpoints::default();
    let mut commands = BufReader::new(&slots[slot]);
    loop {
        let mut line = String::new();
        if !matches!(commands.read_line(&mut line), Ok(1..)) {
            // SAFETY: no preconditions. Destructors and exit handlers are not for a process that
            // may be one of several copies.
            unsafe { libc::_exit(0) };
        }
        match Command::parse(&line) {
            Some(Command::Resume) => {
                fork::become_session();
                // The cell that has failed may have read from the files of the session.
                positions.take().as_ref().map(Positions::restore);
                if let Some(Err(error)) = single.take().map(Single::begin_others) {
                    eprintln!("memit: the threads of the session are lost: {error}");
                    // SAFETY: as above.
                    unsafe { libc::_exit(1) };
                }
            }
            Some(Command::Run { slot, arguments }) => {
                positions = Some(Positions::now());
                single = children.leave(host, slot);
                if single.is_some() {
                    // The checkpoint: it has its own place to listen.
                    commands = BufReader::new(&slots[slot]);
                    continue;
                }
                variables = load_and_run(host, &arguments, variables, &mut statics);
                standard.reopen();
                host.flush_output();
                host.send(&Event::Completed);
            }
            Some(Command::Prepare { arguments }) => {
                variables = load_and_run(host, &arguments, variables, &mut statics);
            }
            None => eprintln!("memit: unknown command {line:?}"),
        }
    }
}

/// Standard input, output and error, which a cell may close, and later cells need.
struct StandardStreams {
    /// Copies, which programs that cells start do not inherit. `None` if the stream was not open.
    copies: [Option<OwnedFd>; 3],
}

impl StandardStreams {
    fn keep() -> Self {
        let copy = |stream: BorrowedFd<'_>| fcntl_dupfd_cloexec(stream, 3).ok();
        Self {
            copies: [stdio::stdin(), stdio::stdout(), stdio::stderr()].map(copy),
        }
    }

    /// Opens again the streams that have been closed. A stream that has been redirected stays so.
    fn reopen(&self) {
        let is_closed = |stream: BorrowedFd<'_>| fcntl_getfd(stream).is_err();
        let [stdin, stdout, stderr] = &self.copies;
        // A failure leaves the stream closed.
        if let Some(stdin) = stdin
            && is_closed(stdio::stdin())
        {
            let _ = stdio::dup2_stdin(stdin);
        }
        if let Some(stdout) = stdout
            && is_closed(stdio::stdout())
        {
            let _ = stdio::dup2_stdout(stdout);
        }
        if let Some(stderr) = stderr
            && is_closed(stdio::stderr())
        {
            let _ = stdio::dup2_stderr(stderr);
        }
    }
}

/// The checkpoints that are children of this process.
#[derive(Default)]
struct Checkpoints {
    pids: Vec<Pid>,
}

impl Checkpoints {
    /// Leaves a checkpoint behind; something in the checkpoint. The supervisor is told of the
    /// checkpoint, or why there is none.
    fn leave(&mut self, host: &Host, slot: usize) -> Option<Single> {
        // A checkpoint that has ended is reaped.
        self.pids
            .retain(|pid| matches!(waitpid(Some(*pid), WaitOptions::NOHANG), Ok(None)));
        match fork::checkpoint() {
            Ok(Checkpoint::Waiting(single)) => {
                self.pids.clear();
                return Some(single);
            }
            Ok(Checkpoint::Left(pid)) => {
                self.pids.extend(Pid::from_raw(pid));
                let pid = pid.unsigned_abs();
                host.send(&Event::Checkpointed(Checkpointed { slot, pid }));
            }
            Err(error) => host.send(&Event::Unprotected(error.to_string())),
        }
        None
    }
}

/// Runs one cell; returns the store of variables that the next cell is given. A cell that cannot
/// be loaded ends the process.
fn load_and_run(
    host: &Host,
    arguments: &str,
    variables: *mut c_void,
    statics: &mut SharedStatics,
) -> *mut c_void {
    match load(host, arguments, statics) {
        Ok(run_cell) => {
            host.begin_cell();
            let meter = CostMeter::start();
            let variables = run_cell(variables);
            let cost = meter.cost();
            drop(meter);
            if host.is_elsewhere() {
                // The end of the cell, in a fork of its making: there is one host.
                host.leave(0);
            }
            host.send(&Event::Ran(cost));
            if let Some(measured) = timeline::measure::end_cell(host).or_else(once::end_cell) {
                host.send(&Event::Kept(measured));
            }
            if let Some(counted) = counting::end_cell(|| host.threads()) {
                host.send(&Event::Counted(counted));
            }
            variables
        }
        Err(error) => {
            eprintln!("memit: {error}");
            std::process::exit(1);
        }
    }
}

type RunCell = extern "C" fn(*mut c_void) -> *mut c_void;

fn load(host: &Host, arguments: &str, statics: &mut SharedStatics) -> Result<RunCell, String> {
    let Some((library, function)) = arguments.rsplit_once(' ') else {
        return Err(format!("`{arguments}` names no library and function"));
    };
    host.set_cell(library);
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
    // SAFETY: the library is never unloaded, and its code has not run. The names of statics contain
    // a number for their definitions.
    unsafe { statics.share(handle, symbol) };
    // SAFETY: evcxr generates this function with exactly this type.
    Ok(unsafe { std::mem::transmute::<*mut c_void, RunCell>(symbol) })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_survives_its_line() {
        let run = Command::Run {
            slot: 3,
            arguments: "/tmp/a b/libcode_1.so run_user_code_1".to_owned(),
        };
        let prepare = Command::Prepare {
            arguments: "/tmp/libcode_1.so run_user_code_0".to_owned(),
        };
        for command in [run, prepare, Command::Resume] {
            assert_eq!(Command::parse(&command.line()), Some(command));
        }
        assert_eq!(Command::parse("RUN x y\n"), None);
    }
}
