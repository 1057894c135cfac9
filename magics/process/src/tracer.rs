//! Stops processes for a moment at their end, while the system still knows their memory.
//!
//! Nothing else tells the peak of a process exactly. A process that has ended has no memory left to
//! read, and the peak that `wait` reports may be that of one of its children.
//!
//! Processes are seized and not attached to: tracing sends no signal, and an `exec` or a new thread
//! stops nobody. Each signal of a traced process passes through here. At its end, a process is let go,
//! so that its parent learns of the end as always. If this process ends first, the system lets all
//! traced processes go.

use std::io;

use rustix::process::{Pid, WaitId, WaitIdOptions, WaitIdStatus, waitid};
use rustix::thread::{CapabilitySet, capabilities};

/// A process with less memory, in bytes, may be a shell that is about to become another program. A
/// traced process does not get the rights of a program with the set-user-ID bit, unless the tracer may
/// trace any process.
const SHELL: u64 = 8 << 20;

/// Processes that are traced. Must stay on one thread, as the system takes the thread for the tracer.
#[derive(Debug)]
pub(super) struct Tracer {
    traced: Vec<Traced>,
    least: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Traced {
    pid: Pid,
    /// Whether the process is a child of this one, which waits for the end in another place.
    is_child: bool,
    is_same_program: bool,
    /// Whether the process is stopped like any other, as by Ctrl-Z.
    is_stopped: bool,
}

/// A process that is about to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) pid: Pid,
    /// Whether the process has called no `exec` since it was seized.
    pub(super) is_same_program: bool,
}

/// Why a traced process has stopped.
enum Stop {
    /// A signal is about to be delivered.
    Signal(i32),
    /// The process is stopped like any other, as by Ctrl-Z, until a signal continues it.
    Job,
    /// The process has become another program.
    Exec,
    /// The process has been continued.
    Passing,
    /// The process is about to end.
    End,
    /// The process has ended without a stop.
    Gone,
}

impl Tracer {
    pub(super) fn new() -> Self {
        let may_trace_all = capabilities(None).is_ok_and(|sets| {
            let effective = sets.effective;
            effective.contains(CapabilitySet::SYS_PTRACE)
        });
        Self {
            traced: Vec::new(),
            least: if may_trace_all { 1 } else { SHELL },
        }
    }

    /// The least memory in bytes of a process that is worth tracing.
    pub(super) fn least(&self) -> u64 {
        self.least
    }

    /// Traces a process from now on. `is_child` says whether the process is a child of this one.
    ///
    /// # Errors
    ///
    /// If a debugger traces the process already, if the process belongs to another user or has ended,
    /// or if the system allows no tracing.
    pub(super) fn seize(&mut self, pid: Pid, is_child: bool) -> io::Result<()> {
        let options = libc::PTRACE_O_TRACEEXIT | libc::PTRACE_O_TRACEEXEC;
        ptrace(libc::PTRACE_SEIZE, pid, options)?;
        self.traced.push(Traced {
            pid,
            is_child,
            is_same_program: true,
            is_stopped: false,
        });
        Ok(())
    }

    pub(super) fn is_traced(&self, pid: Pid) -> bool {
        self.traced.iter().any(|traced| traced.pid == pid)
    }

    /// Whether a process is traced and not stopped like any other, as by Ctrl-Z.
    pub(super) fn is_busy(&self, pid: Pid) -> bool {
        self.traced
            .iter()
            .any(|traced| traced.pid == pid && !traced.is_stopped)
    }

    /// Lets every traced process that has stopped go on, up to one that is about to end. That process
    /// waits until [`Self::let_go`].
    pub(super) fn next_end(&mut self) -> Option<Ending> {
        let mut at = 0;
        while let Some(traced) = self.traced.get_mut(at) {
            let Some(stop) = traced.stop() else {
                at += 1;
                continue;
            };
            let pid = traced.pid;
            traced.is_stopped = matches!(stop, Stop::Job);
            let (request, signal) = match stop {
                Stop::End => {
                    let is_same_program = traced.is_same_program;
                    return Some(Ending {
                        pid,
                        is_same_program,
                    });
                }
                Stop::Gone => {
                    self.traced.remove(at);
                    continue;
                }
                Stop::Exec => {
                    traced.is_same_program = false;
                    (libc::PTRACE_CONT, 0)
                }
                Stop::Signal(signal) => (libc::PTRACE_CONT, signal),
                Stop::Job => (libc::PTRACE_LISTEN, 0),
                Stop::Passing => (libc::PTRACE_CONT, 0),
            };
            // A process that was killed meanwhile needs nothing any more.
            let _ = ptrace(request, pid, signal);
        }
        None
    }

    /// Traces a stopped process no longer.
    pub(super) fn let_go(&mut self, pid: Pid) {
        self.traced.retain(|traced| traced.pid != pid);
        // A process that was killed meanwhile is traced no longer either.
        let _ = ptrace(libc::PTRACE_DETACH, pid, 0);
    }
}

impl Traced {
    /// What stops the process now, if anything does.
    fn stop(self) -> Option<Stop> {
        let mut options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG;
        if !self.is_child {
            // A process that was seized too late to stop at its end stays until its tracer has learnt
            // of the end.
            options |= WaitIdOptions::EXITED;
        }
        match waitid(WaitId::Pid(self.pid), options) {
            Ok(status) => Stop::of(&status?),
            Err(_) => Some(Stop::Gone),
        }
    }
}

impl Stop {
    fn of(status: &WaitIdStatus) -> Option<Self> {
        if status.exited() || status.killed() || status.dumped() {
            return Some(Self::Gone);
        }
        let code = status.trapping_signal()?;
        let (event, signal) = (code >> 8, code & 0xff);
        Some(match event {
            libc::PTRACE_EVENT_EXIT => Self::End,
            libc::PTRACE_EVENT_EXEC => Self::Exec,
            libc::PTRACE_EVENT_STOP if signal != libc::SIGTRAP => Self::Job,
            0 => Self::Signal(signal),
            _ => Self::Passing,
        })
    }
}

/// A request about a process. `data` is a number with each of the requests that are made here.
fn ptrace(request: libc::c_uint, pid: Pid, data: i32) -> io::Result<()> {
    let nothing = std::ptr::null_mut::<libc::c_void>();
    let data = libc::c_long::from(data);
    // SAFETY: none of the requests reads or writes memory of this process: the address is ignored,
    // and the data is a set of options or the number of a signal.
    match unsafe { libc::ptrace(request, pid.as_raw_pid(), nothing, data) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::os::fd::BorrowedFd;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::{Child, Command, ExitStatus, Stdio};
    use std::time::Duration;

    use rustix::process::{Signal, kill_process};

    use super::*;
    use crate::process::{self, poll};

    /// A shell that has said that it is ready, with an empty line.
    struct Shell(Child);

    impl Shell {
        fn new(script: &str) -> Self {
            let mut sh = Command::new("sh");
            sh.args(["-c", script]);
            let mut child = sh
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut line = [0];
            child
                .stdout
                .as_mut()
                .unwrap()
                .read_exact(&mut line)
                .unwrap();
            Self(child)
        }

        fn pid(&self) -> Pid {
            Pid::from_child(&self.0)
        }

        /// The next line, before which the process may stop.
        fn line(&mut self, tracer: &mut Tracer) -> String {
            let stdout = self.0.stdout.as_mut().unwrap();
            until(|| {
                assert_eq!(tracer.next_end(), None);
                poll::is_readable(&*stdout).unwrap().then_some(())
            });
            let mut line = String::new();
            BufReader::with_capacity(1, stdout)
                .read_line(&mut line)
                .unwrap();
            line
        }

        /// Handles stops up to the end, at which the memory can be read.
        fn end(mut self, tracer: &mut Tracer) -> (Ending, ExitStatus) {
            let pid = self.pid();
            let ending = until(|| tracer.next_end());
            assert_eq!(ending.pid, pid);
            assert!(process::peak_resident(self.0.id()).is_some());
            tracer.let_go(pid);
            assert!(!tracer.is_traced(pid));
            (ending, self.0.wait().unwrap())
        }
    }

    /// Asks again and again, for as long as a state takes to come.
    fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
        loop {
            if let Some(answer) = ask() {
                return answer;
            }
            poll::readable([None::<BorrowedFd<'_>>], Some(Duration::from_millis(1))).unwrap();
        }
    }

    #[test]
    fn a_process_stops_at_its_end_while_its_memory_is_there() {
        let mut tracer = Tracer::new();
        let shell = Shell::new("echo; read x; exit 7");
        tracer.seize(shell.pid(), true).unwrap();
        shell.0.stdin.as_ref().unwrap().write_all(b"\n").unwrap();
        let (_, status) = shell.end(&mut tracer);
        assert_eq!(status.code(), Some(7));
    }

    #[test]
    fn a_process_that_is_killed_stops_too() {
        let mut tracer = Tracer::new();
        let shell = Shell::new("echo; read x");
        tracer.seize(shell.pid(), true).unwrap();
        kill_process(shell.pid(), Signal::KILL).unwrap();
        let (_, status) = shell.end(&mut tracer);
        assert_eq!(status.signal(), Some(9));
    }

    #[test]
    fn signals_arrive_and_an_exec_is_noticed() {
        let mut tracer = Tracer::new();
        let script = "trap 'echo got it' USR1; echo; read x; exec sh -c 'echo other; cat; exit 3'";
        let mut shell = Shell::new(script);
        tracer.seize(shell.pid(), true).unwrap();
        kill_process(shell.pid(), Signal::USR1).unwrap();
        assert_eq!(shell.line(&mut tracer), "got it\n");
        shell.0.stdin.as_ref().unwrap().write_all(b"\n").unwrap();
        assert_eq!(shell.line(&mut tracer), "other\n");
        drop(shell.0.stdin.take());
        let (ending, status) = shell.end(&mut tracer);
        assert!(!ending.is_same_program);
        assert_eq!(status.code(), Some(3));
    }

    #[test]
    fn a_stopped_process_stays_stopped_until_it_is_continued() {
        let mut tracer = Tracer::new();
        let shell = Shell::new("echo; read x; exit 4");
        let pid = shell.pid();
        tracer.seize(pid, true).unwrap();
        assert!(tracer.is_busy(pid));
        kill_process(pid, Signal::STOP).unwrap();
        until(|| {
            assert_eq!(tracer.next_end(), None);
            (!tracer.is_busy(pid)).then_some(())
        });
        kill_process(pid, Signal::CONT).unwrap();
        shell.0.stdin.as_ref().unwrap().write_all(b"\n").unwrap();
        let (_, status) = shell.end(&mut tracer);
        assert_eq!(status.code(), Some(4));
    }

    #[test]
    fn a_process_that_has_ended_cannot_be_traced() {
        let mut child = Command::new("true").spawn().unwrap();
        let pid = Pid::from_child(&child);
        child.wait().unwrap();
        assert!(Tracer::new().seize(pid, true).is_err());
    }
}
