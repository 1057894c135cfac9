//! The supervisor: the process that evcxr starts. It never runs user code.
//!
//! It forks the session process and stands between it and the kernel. evcxr's commands go in,
//! evcxr's own lines come back out; user output, panics and measurements go to the kernel as
//! [`Event`]s. When the session process ends the supervisor says how and ends too; when the
//! kernel goes away, it ends the session.

use std::fs::File;
use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use crate::control::{Control, Measuring};
use crate::link::{COLON, Ended, Event, Request, SOCKET_VARIABLE, Started};
use crate::markers::{PANIC_LINE, Piece, Scanner};
use crate::measurement::Panic;
use crate::{fork, panic, process, session};

/// evcxr starts its child with this variable set.
pub const CHILD_VARIABLE: &str = "EVCXR_IS_RUNTIME";

/// How a line begins that asks evcxr, and through it the user, for a line of input.
const QUESTION: &[u8] = b"EVCXR_INPUT_REQUEST";

const COMPLETE_LINE: &[u8] = b"EVCXR_EXECUTION_COMPLETE\n";

/// Variables that are the kernel's and evcxr's business and would mislead user code.
const PRIVATE_VARIABLES: [&str; 3] = [CHILD_VARIABLE, SOCKET_VARIABLE, "RUST_BACKTRACE"];

/// Runs a session until its end. Must be called at the start of `main`, in the only thread, of a
/// process that evcxr has started.
pub fn run() -> ExitCode {
    match supervise() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("memit: the session could not go on: {error}");
            ExitCode::FAILURE
        }
    }
}

fn supervise() -> io::Result<()> {
    let socket = std::env::var_os(SOCKET_VARIABLE).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::NotFound,
            format!("{SOCKET_VARIABLE} is not set"),
        )
    })?;
    let kernel = UnixStream::connect(socket)?;
    for name in PRIVATE_VARIABLES {
        // SAFETY: there is only one thread.
        unsafe { std::env::remove_var(name) };
    }
    // A terminal's Ctrl-C is for the program in front, which decides what it means.
    // SAFETY: no preconditions; fails harmlessly if we lead a group already.
    unsafe { libc::setpgid(0, 0) };

    let control = Control::new()?;
    let (commands_out, commands_in) = io::pipe()?;
    let (reports_out, reports_in) = io::pipe()?;
    let (input_out, input_in) = io::pipe()?;
    let (stdout_out, stdout_in) = io::pipe()?;
    let (stderr_out, stderr_in) = io::pipe()?;

    // SAFETY: there is only one thread, so no lock is held by one that the fork lacks.
    let pid = unsafe { libc::fork() };
    if pid == -1 {
        return Err(io::Error::last_os_error());
    }
    if pid == 0 {
        drop((
            kernel,
            commands_in,
            reports_out,
            input_in,
            stdout_out,
            stderr_out,
        ));
        become_session(&input_out, &stdout_in, &stderr_in);
        drop((input_out, stdout_in, stderr_in));
        session::run(
            control,
            File::from(OwnedFd::from(commands_out)),
            into_file(reports_in),
        );
    }
    drop((commands_out, reports_in, input_out, stdout_in, stderr_in));
    let mut supervisor = Supervisor {
        control,
        session: pid,
        end: process::pidfd(pid)?,
        kernel,
        evcxr: BufReader::new(into_file_dup(libc::STDIN_FILENO)?),
        commands: commands_in,
        reports: reports_out,
        input: input_in,
        stdout: stdout_out,
        stderr: stderr_out,
        scanner: Scanner::default(),
        running: false,
        questions: 0,
        panicked: false,
        panic: None,
    };
    supervisor.send(&Event::Started(Started {
        pid: pid.unsigned_abs(),
    }))?;
    let result = supervisor.serve();
    fork::kill_group(pid);
    // SAFETY: `pid` is our child and has not been waited for.
    unsafe { libc::kill(pid, libc::SIGKILL) };
    result
}

fn into_file(writer: PipeWriter) -> File {
    File::from(OwnedFd::from(writer))
}

/// Standard input as a file of its own, without the buffer of [`io::stdin`].
fn into_file_dup(fd: RawFd) -> io::Result<File> {
    use std::os::fd::BorrowedFd;
    // SAFETY: standard input is open: evcxr has made it a pipe.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    Ok(File::from(fd.try_clone_to_owned()?))
}

fn become_session(input: &PipeReader, stdout: &PipeWriter, stderr: &PipeWriter) {
    // SAFETY: system calls on descriptors that are open. A group of its own lets an interrupt
    // end what cells have started; the session dies with the supervisor, even in an endless loop.
    unsafe {
        libc::setpgid(0, 0);
        #[cfg(target_os = "linux")]
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        libc::dup2(input.as_raw_fd(), libc::STDIN_FILENO);
        libc::dup2(stdout.as_raw_fd(), libc::STDOUT_FILENO);
        libc::dup2(stderr.as_raw_fd(), libc::STDERR_FILENO);
    }
}

struct Supervisor {
    control: Control,
    session: libc::pid_t,
    /// Readable when the session process has ended.
    end: OwnedFd,
    kernel: UnixStream,
    evcxr: BufReader<File>,
    commands: PipeWriter,
    reports: PipeReader,
    input: PipeWriter,
    stdout: PipeReader,
    stderr: PipeReader,
    scanner: Scanner,
    /// A cell runs.
    running: bool,
    /// Questions that evcxr has not answered. It answers each with one line, in order, even if
    /// the cell that asked has ended.
    questions: usize,
    /// evcxr's notice of a panic has been seen in this cell.
    panicked: bool,
    /// The last panic that the session process has told of.
    panic: Option<Panic>,
}

impl Supervisor {
    /// Until the kernel closes its end (`Ok`), or the session process ends.
    fn serve(&mut self) -> io::Result<()> {
        loop {
            let fds = [
                self.stdout.as_raw_fd(),
                self.stderr.as_raw_fd(),
                self.reports.as_raw_fd(),
                self.kernel.as_raw_fd(),
                self.evcxr.get_ref().as_raw_fd(),
                self.end.as_raw_fd(),
            ];
            let [stdout, stderr, report, kernel, evcxr, ended] = process::readable(&fds, None)?;
            if stdout {
                self.forward_stdout()?;
            }
            if stderr {
                self.forward_stderr()?;
            }
            if report {
                self.take_report()?;
            }
            if kernel && !self.take_request()? {
                return Ok(());
            }
            if evcxr && !self.take_commands()? {
                return Ok(());
            }
            if ended {
                return self.session_ended();
            }
        }
    }

    fn send(&mut self, event: &Event) -> io::Result<()> {
        event.write(&mut self.kernel)
    }

    /// Reads what there is of standard output; false if there was nothing.
    fn forward_stdout(&mut self) -> io::Result<bool> {
        let mut bytes = vec![0; 1 << 16];
        let length = self.stdout.read(&mut bytes)?;
        for piece in self.scanner.feed(&bytes[..length]) {
            self.forward(piece)?;
        }
        Ok(length > 0)
    }

    fn forward(&mut self, piece: Piece) -> io::Result<()> {
        match piece {
            Piece::Output(bytes) => self.send(&Event::Stdout(bytes)),
            Piece::Protocol(line) if line.starts_with(QUESTION) => {
                self.questions += 1;
                tell_evcxr(&with_one_colon(&line))
            }
            Piece::Protocol(lines) => tell_evcxr(&lines),
            Piece::Panicked => {
                self.panicked = true;
                tell_evcxr(PANIC_LINE)
            }
        }
    }

    fn forward_stderr(&mut self) -> io::Result<bool> {
        let mut bytes = vec![0; 1 << 16];
        let length = self.stderr.read(&mut bytes)?;
        bytes.truncate(length);
        if length > 0 {
            self.send(&Event::Stderr(bytes))?;
        }
        Ok(length > 0)
    }

    /// Forwards what the pipes hold now. Bytes that threads go on writing come later.
    fn drain(&mut self) -> io::Result<()> {
        let fds = [self.stdout.as_raw_fd(), self.stderr.as_raw_fd()];
        for _ in 0..PIPE_READS {
            let [stdout, stderr] = process::readable(&fds, Some(std::time::Duration::ZERO))?;
            let forwarded =
                (stdout && self.forward_stdout()?) | (stderr && self.forward_stderr()?);
            if !forwarded {
                break;
            }
        }
        if let Some(piece) = self.scanner.flush() {
            self.forward(piece)?;
        }
        Ok(())
    }

    fn take_report(&mut self) -> io::Result<()> {
        // The session process writes whole frames; a torn one means that it is about to end.
        let Ok(Some(event)) = Event::read(&mut self.reports) else {
            return Ok(());
        };
        match event {
            Event::Panicked(panic) => {
                self.panic = Some(panic);
                Ok(())
            }
            Event::Completed => self.complete(),
            other => {
                self.drain()?;
                self.send(&other)
            }
        }
    }

    /// The cell has run: all of its output goes out before evcxr is told.
    fn complete(&mut self) -> io::Result<()> {
        self.drain()?;
        let panic = self.panic.take();
        if std::mem::take(&mut self.panicked) {
            // Code that sets a panic hook of its own leaves us without the details.
            self.send(&Event::Panicked(panic.unwrap_or_default()))?;
        } else if let Some(caught) = panic {
            self.send(&Event::Stderr(panic::text(&caught).into_bytes()))?;
        }
        self.running = false;
        tell_evcxr(COMPLETE_LINE)
    }

    /// False when the kernel is gone.
    fn take_request(&mut self) -> io::Result<bool> {
        match Request::read(&mut self.kernel)? {
            None => return Ok(false),
            Some(Request::BeginCell) => self.control.set_interrupted(false),
            Some(Request::Interrupt) => self.interrupt(),
            Some(Request::Sync(number)) => {
                self.drain()?;
                self.send(&Event::Synced(number))?;
            }
        }
        Ok(true)
    }

    fn interrupt(&mut self) {
        let asked_before = self.control.interrupted();
        self.control.set_interrupted(true);
        match self.control.measuring() {
            Measuring::Fork(group) => fork::kill_group(group),
            // The runs look at the flag; a second interrupt means that they take too long.
            Measuring::Underway if !asked_before => {}
            Measuring::Underway | Measuring::Nothing if self.running => {
                fork::kill_group(self.session);
            }
            Measuring::Underway | Measuring::Nothing => {}
        }
    }

    /// Passes evcxr's lines on: commands, or input that a running cell has asked for. False when
    /// evcxr has closed its end.
    fn take_commands(&mut self) -> io::Result<bool> {
        loop {
            let mut line = Vec::new();
            if self.evcxr.read_until(b'\n', &mut line)? == 0 {
                return Ok(false);
            }
            // Writing fails if the session process has just ended, which is dealt with as such.
            if self.questions > 0 {
                self.questions -= 1;
                if self.running {
                    let _ = self.input.write_all(&line);
                }
            } else if self.control.interrupted() {
                // Interrupted while it was being compiled: to evcxr a cell that panicked at once.
                tell_evcxr(PANIC_LINE)?;
                tell_evcxr(COMPLETE_LINE)?;
            } else {
                self.running = true;
                let _ = self.commands.write_all(&line);
            }
            if self.evcxr.buffer().is_empty() {
                return Ok(true);
            }
        }
    }

    fn session_ended(&mut self) -> io::Result<()> {
        self.drain()?;
        let mut status = 0;
        // SAFETY: our own child, and a live local.
        unsafe { libc::waitpid(self.session, &raw mut status, 0) };
        let ended = if self.control.interrupted() {
            Ended::Interrupted
        } else if libc::WIFSIGNALED(status) {
            Ended::Signal(libc::WTERMSIG(status))
        } else {
            Ended::Exit(libc::WEXITSTATUS(status))
        };
        self.send(&Event::Ended(ended))
    }
}

/// A question whose prompt evcxr does not cut off.
fn with_one_colon(line: &[u8]) -> Vec<u8> {
    let mut colons = 0;
    line.iter()
        .map(|&byte| {
            colons += usize::from(byte == b':');
            if byte == b':' && colons > 1 {
                COLON
            } else {
                byte
            }
        })
        .collect()
}

/// More reads than a full pipe needs.
const PIPE_READS: usize = 64;

fn tell_evcxr(lines: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(lines)?;
    stdout.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colons_of_a_prompt_are_put_out_of_evcxrs_way() {
        assert_eq!(
            with_one_colon(b"EVCXR_INPUT_REQUEST:h:mm: \n"),
            b"EVCXR_INPUT_REQUEST:h\x1fmm\x1f \n"
        );
    }
}
