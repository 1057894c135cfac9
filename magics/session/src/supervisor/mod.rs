//! The supervisor: the process between the kernel and the session. It never runs user code.
//!
//! The supervisor forks the session process and stands between it and the kernel. evcxr's commands
//! come in by the [relay](crate::relay) and its answers go out there; user output, rich content,
//! panics and measurements go to the kernel as [`Event`]s. When a cell ends the session process, or
//! panics, or is interrupted, the supervisor goes on from the checkpoint that the cell left behind,
//! and tells evcxr that the cell failed. When the kernel goes away, the supervisor ends everything.
//!
//! ```text
//!          kernel, evcxr (Peers)
//!               |          ^
//!  requests, commands   output, reports, recovery
//!               v          |
//!     wires -> session process, checkpoints (Processes)
//! ```

mod cell;
mod checkpoints;
mod commands;
mod evcxr;
mod gallery;
mod given_up;
mod kernel;
mod markers;
mod open_content;
mod output;
mod piece;
mod processes;
mod recovery;
mod reports;
mod requests;
mod start;
mod wires;

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

#[cfg(doc)]
use memit_measurement::Event;
use memit_process::process::poll;

use self::cell::{Cell, Run};
use self::evcxr::Evcxr;
use self::kernel::Kernel;
use self::output::Output;
use self::processes::Processes;
use self::wires::Wires;

/// The first argument of the process that is to be a supervisor.
pub const ARGUMENT: &str = "session";

/// A link to the directory where evcxr compiles, beside the socket where relays connect.
pub const COMPILED: &str = "evcxr";

/// A link to the directory of the kernel's tools, beside the same socket.
pub const TOOLS: &str = "tools";

/// How long an output waits for another representation of itself while the cell runs on.
const GALLERY_PATIENCE: Duration = Duration::from_millis(20);

/// How often a kernel that does not keep up with reading is asked whether it can take more.
const FULL_PATIENCE: Duration = Duration::from_millis(1);

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
    // A terminal's Ctrl-C is for the program in front, which decides what it means.
    let _ = rustix::process::setpgid(None, None);
    // What the session's processes leave behind becomes ours to end.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    let handler = child_ended as *const () as libc::sighandler_t;
    // SAFETY: the handler only stores into an atomic.
    unsafe { libc::signal(libc::SIGCHLD, handler) };
    let listener = UnixListener::from(io::stdin().as_fd().try_clone_to_owned()?);
    let kernel = UnixStream::from(io::stdout().as_fd().try_clone_to_owned()?);
    let mut supervisor = Supervisor {
        peers: Peers {
            kernel: Kernel::new(kernel),
            evcxr: Evcxr::new(listener),
        },
        wires: Wires::new()?,
        output: Output::new()?,
        processes: Processes::default(),
        prelude: None,
        keep_session: false,
        not_started: None,
        cell: Cell::default(),
        run: None,
    };
    match supervisor.serve() {
        Left::ForSession => supervisor.become_session(),
        Left::ForGood => {
            supervisor.processes.end_all();
            remove_directories(&supervisor.peers.evcxr);
            Ok(())
        }
    }
}

/// Removes the session's files. A kernel that ends by itself has done so before; one that was
/// killed has not.
fn remove_directories(evcxr: &Evcxr) {
    let socket = evcxr.socket();
    let Some(directory) = socket.as_deref().and_then(Path::parent) else {
        return;
    };
    for link in [COMPILED, TOOLS] {
        if let Ok(linked) = fs::read_link(directory.join(link)) {
            let _ = fs::remove_dir_all(linked);
        }
    }
    let _ = fs::remove_dir_all(directory);
}

/// Whether a child has ended since the last look at this flag. The signal also ends a wait.
static CHILD_ENDED: AtomicBool = AtomicBool::new(false);

extern "C" fn child_ended(_: libc::c_int) {
    CHILD_ENDED.store(true, SeqCst);
}

struct Supervisor {
    peers: Peers,
    wires: Wires,
    output: Output,
    processes: Processes,
    /// The arguments of what every session process runs first.
    prelude: Option<String>,
    /// The next relays get the session as it is, until a cell runs. When two cells are undone one after
    /// the other, the first relay may come after the second undo, or not at all.
    keep_session: bool,
    /// Why there is no session process, if it could not be started.
    not_started: Option<String>,
    cell: Cell,
    run: Option<Run>,
}

/// Who the supervisor talks to on the session's behalf.
struct Peers {
    kernel: Kernel,
    evcxr: Evcxr,
}

/// Why the supervisor's loop was left.
enum Left {
    /// The kernel has gone away.
    ForGood,
    /// In the fork that becomes the session process.
    ForSession,
}

impl Supervisor {
    /// Serves the kernel until it goes away. Nothing else ends this process.
    fn serve(&mut self) -> Left {
        loop {
            match self.serve_once() {
                Ok(None) => {}
                Ok(Some(left)) => return left,
                Err(_) if self.peers.kernel.is_lost() => return Left::ForGood,
                Err(error) => self.survive(&error),
            }
        }
    }

    /// Waits until there is something to do, and does it.
    fn serve_once(&mut self) -> io::Result<Option<Left>> {
        // While the kernel has more to read than it can take, output waits in its pipe, and in
        // the end its writer waits too.
        let keeps_up = self.peers.kernel.has_room()?;
        let ready = self.wait(keeps_up)?;
        let [kernel, relay, evcxr, ended, stdout, stderr, report] = ready;
        if keeps_up && !ready.contains(&true) {
            self.output.show_pending(&mut self.peers)?;
        }
        if kernel && !self.take_request()? {
            return Ok(Some(Left::ForGood));
        }
        if stdout {
            self.output.forward_stdout(&mut self.peers)?;
        }
        if stderr {
            self.output.forward_stderr(&mut self.peers)?;
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
        if relay && self.accept_relay()? {
            self.end_session()?;
            match self.start_session() {
                Ok(None) => self.not_started = None,
                Ok(left) => return Ok(left),
                Err(error) => self.not_started = Some(error.to_string()),
            }
        }
        if CHILD_ENDED.swap(false, SeqCst) {
            self.processes.reap();
        }
        Ok(None)
    }

    /// Waits until there is something to do, and says from where.
    fn wait(&self, keeps_up: bool) -> io::Result<[bool; 7]> {
        let if_read = |fd| keeps_up.then_some(fd);
        let fds = [
            Some(self.peers.kernel.as_fd()),
            Some(self.peers.evcxr.listener()),
            self.peers.evcxr.relay(),
            self.processes.session_end(),
            if_read(self.output.stdout.as_fd()),
            if_read(self.output.stderr.as_fd()),
            if_read(self.wires.reports.as_fd()),
        ];
        let patience = match (keeps_up, self.output.is_pending()) {
            (false, _) => Some(FULL_PATIENCE),
            (true, true) => Some(GALLERY_PATIENCE),
            (true, false) => None,
        };
        poll::readable(fds, patience)
    }
}
