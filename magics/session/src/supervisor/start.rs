//! How a session begins: the supervisor forks the session process.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::OwnedFd;

use memit_measure::control::Control;
use memit_measure::fork;
use memit_measurement::{Event, Process};

use super::processes::FIRST_SLOT;
use super::{Left, Supervisor};
use crate::session_loop::{self, Command};

impl Supervisor {
    /// Starts a session process. In that process, the answer is [`Left::ForSession`].
    pub(super) fn start_session(&mut self) -> io::Result<Option<Left>> {
        // SAFETY: there is only one thread, so no lock is held by a thread that the fork lacks.
        let pid = match unsafe { libc::fork() } {
            -1 => return Err(io::Error::last_os_error()),
            0 => return Ok(Some(Left::ForSession)),
            pid => pid,
        };
        self.processes.start(pid)?;
        if let Some(arguments) = self.prelude.clone() {
            self.wires
                .command(FIRST_SLOT, &Command::Prepare { arguments })?;
        }
        let pid = pid.cast_unsigned();
        self.peers.kernel.send(&Event::Started(Process { pid }))?;
        Ok(None)
    }

    /// Makes this process, a fork of the supervisor, the session process.
    pub(super) fn become_session(self) -> ! {
        let Ends {
            control,
            commands,
            reports,
            input,
            stdout,
            stderr,
        } = self.into_ends();
        // SAFETY: the default action runs no code of this process.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
        let _ = rustix::stdio::dup2_stdin(input);
        let _ = rustix::stdio::dup2_stdout(stdout);
        let _ = rustix::stdio::dup2_stderr(stderr);
        fork::become_session();
        let reports = File::from(OwnedFd::from(reports));
        session_loop::run(control, &commands, FIRST_SLOT, reports)
    }

    /// Keeps the ends of the session's side and closes everything else.
    fn into_ends(self) -> Ends {
        let Self { wires, output, .. } = self;
        Ends {
            control: wires.control,
            commands: wires.slots.into_iter().map(|slot| slot.reader).collect(),
            reports: wires.reports.writer,
            input: wires.input,
            stdout: output.stdout.writer,
            stderr: output.stderr.writer,
        }
    }
}

/// What the session process has of the wires and of the output.
struct Ends {
    control: Control,
    commands: Vec<PipeReader>,
    reports: PipeWriter,
    input: PipeReader,
    stdout: PipeWriter,
    stderr: PipeWriter,
}
