//! The supervisor: the process between the kernel and the session. It never runs user code.
//!
//! It forks the session process and stands between it and the kernel. evcxr's commands come in by
//! the [relay](crate::relay) and its answers go out there; user output, rich content, panics and
//! measurements go to the kernel as [`Event`]s. When a cell ends the session process, or panics,
//! or is interrupted, the supervisor goes on from the checkpoint that the cell left behind, and
//! evcxr is told that the cell failed. When the kernel goes away, it ends everything.

mod checkpoints;
mod gallery;
mod markers;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use self::checkpoints::{Checkpoint, Checkpoints, Slot, empty};
use self::gallery::Gallery;
use self::markers::{PANIC_LINE, Piece, Scanner};
use crate::control::{Control, Measuring};
use crate::link::{CLEAR_OUTPUT, COLON, Described, Ended, Event, Inbox, Process, Request, WAIT};
use crate::measurement::Panic;
use crate::session::Command;
use crate::{fork, panic, process, session};

/// The first argument of the process that is to be a supervisor.
pub const ARGUMENT: &str = "session";

/// A link to the directory where evcxr compiles, beside the socket where relays connect.
pub const COMPILED: &str = "evcxr";

/// How a line begins that asks evcxr, and through it the user, for a line of input.
const QUESTION: &[u8] = b"EVCXR_INPUT_REQUEST";

const COMPLETE_LINE: &[u8] = b"EVCXR_EXECUTION_COMPLETE\n";

/// What makes evcxr give a cell up without keeping anything of it: it reads lines of UTF-8, and
/// on an error of its input takes its state to be that from before the cell.
const FAILED_LINE: &[u8] = b"\xff\n";

/// An output waits this long for another representation of itself while the cell runs on.
const GALLERY_PATIENCE: Duration = Duration::from_millis(20);

/// A second interrupt within this time ends a session process that has no checkpoint.
const INSISTENCE: Duration = Duration::from_secs(5);

/// Runs a session until its kernel goes away. Must be called at the start of `main`, in the only
/// thread. Standard input is the socket where relays connect, standard output the connection to
/// the kernel.
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
    // SAFETY: plain system calls. A terminal's Ctrl-C is for the program in front, which decides
    // what it means; what the session's processes leave behind becomes ours to end; the handler
    // only leaves a note, but the end of a child breaks off a wait.
    unsafe {
        libc::setpgid(0, 0);
        #[cfg(target_os = "linux")]
        libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1);
        libc::signal(
            libc::SIGCHLD,
            child_ended as *const () as libc::sighandler_t,
        );
    }
    let mut supervisor = Supervisor {
        control: Control::new()?,
        relays: UnixListener::from(io::stdin().as_fd().try_clone_to_owned()?),
        kernel: UnixStream::from(io::stdout().as_fd().try_clone_to_owned()?),
        pipes: Pipes::new()?,
        slots: Slot::all()?,
        evcxr: None,
        session: None,
        checkpoints: Checkpoints::default(),
        prelude: None,
        keep_session: false,
        cell: Cell::default(),
        run: None,
        questions: 0,
        scanner: Scanner::default(),
        gallery: Gallery::default(),
        inbox: Inbox::default(),
        unprotected: None,
    };
    let result = supervisor.serve();
    supervisor.end_everything();
    remove_directories(&supervisor.relays);
    result
}

/// Removes what a kernel that was killed has left of the session's files.
fn remove_directories(relays: &UnixListener) {
    let address = relays.local_addr().ok();
    let path = address.as_ref().and_then(SocketAddr::as_pathname);
    let Some(directory) = path.and_then(Path::parent) else {
        return;
    };
    // An error says that the kernel was there before, as it is when it ends by itself.
    if let Ok(compiled) = fs::read_link(directory.join(COMPILED)) {
        let _ = fs::remove_dir_all(compiled);
    }
    let _ = fs::remove_dir_all(directory);
}

/// A child has ended since this was last looked at.
static CHILD_ENDED: AtomicBool = AtomicBool::new(false);

extern "C" fn child_ended(_: libc::c_int) {
    CHILD_ENDED.store(true, SeqCst);
}

/// Both ends of what the session's processes and the supervisor say to each other by, so that
/// every process of the session can be given its own.
struct Pipes {
    reports: (PipeReader, PipeWriter),
    input: (PipeReader, PipeWriter),
    stdout: (PipeReader, PipeWriter),
    stderr: (PipeReader, PipeWriter),
}

impl Pipes {
    fn new() -> io::Result<Self> {
        let pipes = Self {
            reports: io::pipe()?,
            input: io::pipe()?,
            stdout: io::pipe()?,
            stderr: io::pipe()?,
        };
        // What made one of them readable may have been read for another reason meanwhile.
        for reader in [&pipes.reports.0, &pipes.stdout.0, &pipes.stderr.0] {
            process::set_nonblocking(reader.as_raw_fd())?;
        }
        Ok(pipes)
    }
}

/// The session process's ends.
struct Ends {
    control: Control,
    commands: Vec<PipeReader>,
    reports: PipeWriter,
    input: PipeReader,
    stdout: PipeWriter,
    stderr: PipeWriter,
}

/// The process that runs cells.
struct SessionProcess {
    pid: libc::pid_t,
    slot: usize,
    /// Readable when it has ended.
    end: OwnedFd,
}

/// What the kernel said of the cell that it is at.
#[derive(Default)]
struct Cell {
    number: u64,
    /// What runs next changes nothing.
    passing: bool,
    /// What runs next is the prelude.
    prelude: bool,
    asked_to_stop: Option<Instant>,
}

/// A library of evcxr's that runs.
struct Run {
    /// Nothing of the session changes.
    passing: bool,
    /// The process of its checkpoint.
    checkpoint: Option<u32>,
    /// Processes that were there before.
    before: HashSet<u32>,
    /// evcxr's notice of a panic has been seen.
    panicked: bool,
    /// The last panic that the session process has told of.
    panic: Option<Panic>,
    /// What the kernel is told after all output of the cell.
    afterwards: Vec<Event>,
}

struct Supervisor {
    control: Control,
    relays: UnixListener,
    kernel: UnixStream,
    pipes: Pipes,
    slots: Vec<Slot>,
    /// evcxr, by its relay.
    evcxr: Option<BufReader<UnixStream>>,
    session: Option<SessionProcess>,
    checkpoints: Checkpoints,
    /// What every session process runs first.
    prelude: Option<String>,
    /// The next relay finds the session that there is.
    keep_session: bool,
    cell: Cell,
    run: Option<Run>,
    /// Questions that evcxr has not answered. It answers each with one line, in order, even if
    /// the cell that asked has ended.
    questions: usize,
    scanner: Scanner,
    gallery: Gallery,
    inbox: Inbox,
    /// Why the last run had no checkpoint.
    unprotected: Option<String>,
}

impl Supervisor {
    /// Until the kernel closes its end.
    fn serve(&mut self) -> io::Result<()> {
        loop {
            // While the kernel has more to read than it can take, output waits in its pipe, and
            // who writes it in the end waits too.
            let open = process::writable(self.kernel.as_raw_fd())?;
            let unless_full = |fd| if open { fd } else { -1 };
            let fds = [
                self.kernel.as_raw_fd(),
                self.relays.as_raw_fd(),
                self.evcxr
                    .as_ref()
                    .map_or(-1, |evcxr| evcxr.get_ref().as_raw_fd()),
                self.session
                    .as_ref()
                    .map_or(-1, |session| session.end.as_raw_fd()),
                unless_full(self.pipes.stdout.0.as_raw_fd()),
                unless_full(self.pipes.stderr.0.as_raw_fd()),
                unless_full(self.pipes.reports.0.as_raw_fd()),
            ];
            let patience = match (open, self.gallery.is_pending()) {
                (false, _) => Some(FULL_PATIENCE),
                (true, true) => Some(GALLERY_PATIENCE),
                (true, false) => None,
            };
            let ready = process::readable(&fds, patience)?;
            let [kernel, relay, evcxr, ended, stdout, stderr, report] = ready;
            if open && !ready.contains(&true) {
                self.show_pending(false)?;
            }
            if kernel && !self.take_request()? {
                return Ok(());
            }
            if stdout {
                self.forward_stdout()?;
            }
            if stderr {
                self.forward_stderr()?;
            }
            if report {
                self.take_reports()?;
            }
            if ended {
                self.session_ended()?;
            }
            if evcxr {
                self.take_commands()?;
            }
            if relay {
                self.accept_relay()?;
            }
            if CHILD_ENDED.swap(false, SeqCst) {
                self.reap();
            }
        }
    }

    fn send(&mut self, event: &Event) -> io::Result<()> {
        event.write(&mut self.kernel)
    }

    /// evcxr that has closed its end is told nothing.
    fn tell_evcxr(&mut self, lines: &[u8]) {
        let told = self
            .evcxr
            .as_mut()
            .map(|evcxr| evcxr.get_mut().write_all(lines));
        if let Some(Err(_)) = told {
            self.evcxr = None;
        }
    }

    /// evcxr has started its child, for the first time or anew.
    fn accept_relay(&mut self) -> io::Result<()> {
        let (evcxr, _) = self.relays.accept()?;
        self.evcxr = Some(BufReader::new(evcxr));
        if std::mem::take(&mut self.keep_session) && self.session.is_some() {
            return Ok(());
        }
        self.end_session()?;
        self.start_session()
    }

    fn start_session(&mut self) -> io::Result<()> {
        // SAFETY: there is only one thread, so no lock is held by one that the fork lacks.
        let pid = unsafe { libc::fork() };
        match pid {
            -1 => return Err(io::Error::last_os_error()),
            0 => self.become_session(),
            _ => {}
        }
        let end = process::pidfd(pid)?;
        self.session = Some(SessionProcess {
            pid,
            slot: FIRST_SLOT,
            end,
        });
        if let Some(arguments) = self.prelude.clone() {
            self.slots[FIRST_SLOT].send(&Command::Prepare { arguments })?;
        }
        let pid = pid.unsigned_abs();
        self.send(&Event::Started(Process { pid }))
    }

    fn become_session(&mut self) -> ! {
        // SAFETY: `self` is the caller's, which this process never goes back to.
        let Ends {
            control,
            commands,
            reports,
            input,
            stdout,
            stderr,
        } = unsafe { std::ptr::read(self) }.into_session_ends();
        // SAFETY: system calls on descriptors that are open.
        unsafe {
            libc::signal(libc::SIGCHLD, libc::SIG_DFL);
            libc::dup2(input.as_raw_fd(), libc::STDIN_FILENO);
            libc::dup2(stdout.as_raw_fd(), libc::STDOUT_FILENO);
            libc::dup2(stderr.as_raw_fd(), libc::STDERR_FILENO);
        }
        drop((input, stdout, stderr));
        fork::become_session();
        session::run(
            control,
            &commands,
            FIRST_SLOT,
            File::from(OwnedFd::from(reports)),
        )
    }

    /// Keeps what is the session's and closes everything else.
    fn into_session_ends(self) -> Ends {
        let Self {
            control,
            pipes,
            slots,
            ..
        } = self;
        Ends {
            control,
            commands: slots.into_iter().map(|slot| slot.reader).collect(),
            reports: pipes.reports.1,
            input: pipes.input.0,
            stdout: pipes.stdout.1,
            stderr: pipes.stderr.1,
        }
    }

    /// Reads what there is of standard output; false if there was nothing.
    fn forward_stdout(&mut self) -> io::Result<bool> {
        let bytes = read_some(&mut self.pipes.stdout.0)?;
        for piece in self.scanner.feed(&bytes) {
            self.forward(piece)?;
        }
        Ok(!bytes.is_empty())
    }

    fn forward(&mut self, piece: Piece) -> io::Result<()> {
        match piece {
            Piece::Output(bytes) => {
                self.show_pending(false)?;
                self.send(&Event::Stdout(bytes))
            }
            Piece::Content(mime, content) if mime == CLEAR_OUTPUT => {
                self.show_pending(false)?;
                self.send(&Event::ClearOutput(content.trim() == WAIT))
            }
            Piece::Content(mime, content) => match self.gallery.add(mime, content) {
                Some(output) => self.send(&Event::Displayed(output)),
                None => Ok(()),
            },
            Piece::Protocol(line) => {
                if line.starts_with(QUESTION) {
                    self.questions += 1;
                    self.tell_evcxr(&with_one_colon(&line));
                } else {
                    self.tell_evcxr(&line);
                }
                Ok(())
            }
            Piece::Panicked => {
                if let Some(run) = &mut self.run {
                    run.panicked = true;
                }
                Ok(())
            }
        }
    }

    fn show_pending(&mut self, last: bool) -> io::Result<()> {
        match self.gallery.take(last) {
            Some(output) => self.send(&Event::Displayed(output)),
            None => Ok(()),
        }
    }

    fn forward_stderr(&mut self) -> io::Result<bool> {
        let bytes = read_some(&mut self.pipes.stderr.0)?;
        let some = !bytes.is_empty();
        if some {
            self.send(&Event::Stderr(bytes))?;
        }
        Ok(some)
    }

    /// Forwards what the pipes hold now. Bytes that threads go on writing come later.
    fn drain(&mut self) -> io::Result<()> {
        let fds = [
            self.pipes.stdout.0.as_raw_fd(),
            self.pipes.stderr.0.as_raw_fd(),
        ];
        for _ in 0..PIPE_READS {
            let [stdout, stderr] = process::readable(&fds, Some(Duration::ZERO))?;
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

    /// Reads what the session process reports.
    fn take_reports(&mut self) -> io::Result<()> {
        self.inbox.add(&read_some(&mut self.pipes.reports.0)?);
        while let Some(event) = self.inbox.next()? {
            self.take_report(event)?;
        }
        Ok(())
    }

    fn take_report(&mut self, event: Event) -> io::Result<()> {
        match event {
            Event::Panicked(panic) => {
                let before = self.run.as_mut().and_then(|run| run.panic.replace(panic));
                self.show_caught(before)
            }
            Event::Checkpointed(reported) => {
                match Checkpoint::new(reported, self.cell.number) {
                    Ok(checkpoint) => {
                        self.checkpoints.push(checkpoint);
                        self.unprotected = None;
                        if let Some(run) = &mut self.run {
                            run.checkpoint = Some(reported.pid);
                        }
                    }
                    Err(error) => {
                        self.unprotected = Some(format!("its checkpoint has ended: {error}"));
                    }
                }
                Ok(())
            }
            Event::Unprotected(reason) => {
                self.unprotected = Some(reason);
                Ok(())
            }
            measured @ (Event::Counted(_) | Event::Kept(_)) => {
                if let Some(run) = &mut self.run {
                    run.afterwards.push(measured);
                }
                Ok(())
            }
            Event::Completed => self.complete(),
            other => {
                self.drain()?;
                self.show_pending(false)?;
                self.send(&other)
            }
        }
    }

    /// A panic that something caught is no error, only text.
    fn show_caught(&mut self, panic: Option<Panic>) -> io::Result<()> {
        let Some(caught) = panic else { return Ok(()) };
        self.drain()?;
        self.send(&Event::Stderr(panic::text(&caught).into_bytes()))
    }

    /// The cell has run: all of its output goes out before evcxr is told.
    fn complete(&mut self) -> io::Result<()> {
        self.drain()?;
        let Some(run) = self.run.take() else {
            return Ok(());
        };
        self.show_pending(!run.panicked)?;
        for event in &run.afterwards {
            self.send(event)?;
        }
        if run.panicked {
            // Code that sets a panic hook of its own leaves us without the details.
            self.send(&Event::Panicked(run.panic.unwrap_or_default()))?;
            if !self.recover(run.checkpoint, &run.before)? {
                self.tell_evcxr(PANIC_LINE);
                self.tell_evcxr(COMPLETE_LINE);
            }
            return Ok(());
        }
        self.show_caught(run.panic)?;
        self.tell_evcxr(COMPLETE_LINE);
        if run.checkpoint.is_some() {
            self.checkpoints.settle_newest(run.passing);
        }
        if let Some(session) = &self.session {
            self.checkpoints.bound(session.pid.unsigned_abs());
        }
        Ok(())
    }

    /// Goes on from the checkpoint of the run that has failed and tells evcxr; false if it has none.
    fn recover(&mut self, checkpoint: Option<u32>, before: &HashSet<u32>) -> io::Result<bool> {
        let checkpoint = checkpoint
            .and_then(|pid| self.checkpoints.take_newest(pid))
            .filter(Checkpoint::is_alive);
        let Some(checkpoint) = checkpoint else {
            return Ok(false);
        };
        self.resume(checkpoint, before)?;
        self.tell_evcxr(FAILED_LINE);
        Ok(true)
    }

    /// Ends the session process, if it has not ended, with what it has started since there were
    /// the processes `before`, and makes the checkpoint the session.
    fn resume(&mut self, checkpoint: Checkpoint, before: &HashSet<u32>) -> io::Result<()> {
        let (pid, slot) = (checkpoint.pid, checkpoint.slot);
        let kept: HashSet<u32> = self.checkpoints.pids().into_iter().chain([pid]).collect();
        // Those first whose parent is about to end: afterwards they would be found as ours.
        for process in our_descendants() {
            if !before.contains(&process) && !kept.contains(&process) {
                process::end(process);
            }
        }
        if let Some(session) = self.session.take() {
            process::end(session.pid.unsigned_abs());
            process::readable(&[session.end.as_raw_fd()], Some(END_PATIENCE))?;
            self.slots[session.slot].empty()?;
        }
        // What the ended process wrote and reported is of the failed cell, or torn.
        self.discard_reports()?;
        empty(&mut self.pipes.input.0)?;
        self.control.set_measuring(Measuring::Nothing);
        self.slots[slot].send(&Command::Resume)?;
        self.session = Some(SessionProcess {
            pid: pid.cast_signed(),
            slot,
            end: checkpoint.into_handle(),
        });
        self.send(&Event::Restored(Process { pid }))
    }

    fn discard_reports(&mut self) -> io::Result<()> {
        self.inbox.clear();
        empty(&mut self.pipes.reports.0)
    }

    /// False when the kernel is gone.
    fn take_request(&mut self) -> io::Result<bool> {
        match Request::read(&mut self.kernel)? {
            None => return Ok(false),
            Some(Request::BeginCell(number)) => {
                self.control.set_interrupted(false);
                self.cell = Cell {
                    number,
                    ..Cell::default()
                };
            }
            Some(Request::Passing) => self.cell.passing = true,
            Some(Request::Prelude) => self.cell.prelude = true,
            Some(Request::Interrupt) => self.interrupt()?,
            Some(Request::Sync(number)) => {
                self.drain()?;
                self.show_pending(false)?;
                self.send(&Event::Synced(number))?;
            }
            Some(Request::Describe) => {
                let described = self.describe();
                self.send(&Event::Described(described))?;
            }
            Some(Request::Undo(cell)) => {
                let checkpoint = match self.run {
                    None => self.checkpoints.take_cell(cell),
                    Some(_) => None,
                };
                let done = checkpoint.is_some();
                if let Some(checkpoint) = checkpoint {
                    self.resume(checkpoint, &our_descendants())?;
                    self.keep_session = true;
                }
                self.send(&Event::Undone(done))?;
            }
        }
        Ok(true)
    }

    fn describe(&self) -> Described {
        let pid = self
            .session
            .as_ref()
            .map(|session| session.pid.unsigned_abs());
        Described {
            pid,
            resident: pid.and_then(process::resident).unwrap_or(0),
            threads: pid.and_then(process::threads).unwrap_or(0),
            checkpoints: self.checkpoints.cells(),
            checkpoint_memory: pid.map_or(0, |pid| self.checkpoints.memory(pid)),
            unprotected: self.unprotected.clone(),
        }
    }

    fn interrupt(&mut self) -> io::Result<()> {
        self.control.set_interrupted(true);
        let asked_before = self
            .cell
            .asked_to_stop
            .replace(Instant::now())
            .is_some_and(|before| before.elapsed() < INSISTENCE);
        let Some(run) = &self.run else { return Ok(()) };
        let protected = run.checkpoint.is_some();
        match self.control.measuring() {
            Measuring::Fork(group) => fork::kill_group(group),
            // The runs look at the flag; a second interrupt means that they take too long.
            Measuring::Underway if !asked_before => {}
            _ if protected || asked_before => {
                // What it has started is ended when the session goes on without it.
                if let Some(session) = &self.session {
                    process::end(session.pid.unsigned_abs());
                }
            }
            _ => self.send(&Event::Stderr(INSIST.as_bytes().to_vec()))?,
        }
        Ok(())
    }

    /// Passes evcxr's lines on: commands, or input that a running cell has asked for.
    fn take_commands(&mut self) -> io::Result<()> {
        loop {
            let Some(evcxr) = &mut self.evcxr else {
                return Ok(());
            };
            let mut line = String::new();
            if !matches!(evcxr.read_line(&mut line), Ok(1..)) {
                self.evcxr = None;
                return Ok(());
            }
            let more = !evcxr.buffer().is_empty();
            if self.questions > 0 {
                self.questions -= 1;
                if self.run.is_some() {
                    self.pipes.input.1.write_all(line.as_bytes())?;
                }
            } else if self.control.interrupted() {
                // Interrupted while it was being compiled.
                self.tell_evcxr(FAILED_LINE);
            } else if let Some(arguments) = line.strip_prefix("LOAD_AND_RUN ") {
                self.start_run(arguments.trim_end())?;
            }
            if !more {
                return Ok(());
            }
        }
    }

    fn start_run(&mut self, arguments: &str) -> io::Result<()> {
        let Some(session) = &self.session else {
            self.evcxr = None;
            return Ok(());
        };
        if std::mem::take(&mut self.cell.prelude) {
            self.prelude = Some(arguments.to_owned());
            self.cell.passing = true;
        }
        let command = Command::Run {
            slot: self.checkpoints.free_slot(session.slot),
            arguments: arguments.to_owned(),
        };
        self.run = Some(Run {
            passing: std::mem::take(&mut self.cell.passing),
            checkpoint: None,
            before: our_descendants(),
            panicked: false,
            panic: None,
            afterwards: Vec::new(),
        });
        let slot = session.slot;
        self.slots[slot].send(&command)
    }

    /// The session process has ended by itself or was ended by an interrupt.
    fn session_ended(&mut self) -> io::Result<()> {
        let Some(session) = &self.session else {
            return Ok(());
        };
        let pid = session.pid;
        let mut status = 0;
        // SAFETY: our own child, whether by birth or as an orphan, and a live local.
        unsafe { libc::waitpid(pid, &raw mut status, 0) };
        while process::is_readable(self.pipes.reports.0.as_raw_fd())? {
            self.take_reports()?;
        }
        self.drain()?;
        self.show_pending(false)?;
        // A cell whose last report was that it has completed is not one that failed.
        let run = self.run.take();
        let interrupted = run.is_some() && self.control.interrupted();
        let ended = if interrupted {
            Ended::Interrupted
        } else if libc::WIFSIGNALED(status) {
            Ended::Signal(libc::WTERMSIG(status))
        } else {
            Ended::Exit(libc::WEXITSTATUS(status))
        };
        if !interrupted && let Some(panic) = run.as_ref().and_then(|run| run.panic.as_ref()) {
            // Not caught if it led to the end, as one in a destructor does; text in any case.
            self.send(&Event::Stderr(panic::text(panic).into_bytes()))?;
        }
        self.send(&Event::Ended(ended))?;
        if let Some(run) = run
            && self.recover(run.checkpoint, &run.before)?
        {
            return Ok(());
        }
        // Nothing to go on from: evcxr finds its child gone and starts anew.
        self.end_session()?;
        self.evcxr = None;
        Ok(())
    }

    /// Ends the session process and all that the session has left behind.
    fn end_session(&mut self) -> io::Result<()> {
        self.checkpoints.clear();
        self.end_everything();
        self.run = None;
        self.questions = 0;
        self.unprotected = None;
        self.scanner.flush();
        self.gallery.take(false);
        self.control.set_measuring(Measuring::Nothing);
        self.discard_reports()?;
        empty(&mut self.pipes.input.0)?;
        for slot in &mut self.slots {
            slot.empty()?;
        }
        Ok(())
    }

    /// Ends every process that this one or its children have started.
    fn end_everything(&mut self) {
        // What its status was does not matter any more: it is reaped like the others.
        self.session = None;
        let deadline = Instant::now() + END_PATIENCE;
        loop {
            let left = our_descendants();
            if left.is_empty() || Instant::now() > deadline {
                return;
            }
            for pid in left {
                process::end(pid);
            }
            self.reap();
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Reaps what has ended, except the session process, whose end means something.
    fn reap(&self) {
        let session = self.session.as_ref().map(|session| session.pid);
        for pid in process::children(std::process::id()) {
            if Some(pid.cast_signed()) != session {
                // SAFETY: our own child; no status is asked for.
                unsafe { libc::waitpid(pid.cast_signed(), std::ptr::null_mut(), libc::WNOHANG) };
            }
        }
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

const FIRST_SLOT: usize = 0;

/// More reads than a full pipe needs.
const PIPE_READS: usize = 64;

/// How often a kernel that has too much to read is asked whether it can take more.
const FULL_PATIENCE: Duration = Duration::from_millis(1);

/// A killed process is gone by then, unless it hangs in the system.
const END_PATIENCE: Duration = Duration::from_secs(2);

const INSIST: &str = "memit: this cell runs without a checkpoint. Interrupt again within 5 s to end \
    the session process; its variables will be lost.\n";

/// All processes of the session, and what they have started.
fn our_descendants() -> HashSet<u32> {
    process::descendants(std::process::id())
        .into_iter()
        .collect()
}

/// What there is in a pipe, up to what a full one holds.
fn read_some(pipe: &mut PipeReader) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 1 << 16];
    let length = match pipe.read(&mut bytes) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
        read => read?,
    };
    bytes.truncate(length);
    Ok(bytes)
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
