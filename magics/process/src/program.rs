//! A program that was started to be measured.

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitStatus};

use rustix::process::{Pid, Signal, kill_process};

use super::Signals;
use crate::process::{self, StatusFile, poll};

/// A child process that is running or has not been waited for.
pub struct Program {
    pid: Pid,
    /// Readable when the program has ended.
    ended: OwnedFd,
    /// A peak up to this may be that of the fork that became the program.
    floor: u64,
}

/// What the fork may need after it has reported its peak, and what the counters of the processors may
/// lack, in bytes.
const MARGIN: u64 = 1 << 20;

/// How a program ended.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// Exit code or signal.
    pub status: ExitStatus,
    /// Highest resident set size in bytes of the program over its whole life, or of a child that the
    /// program has waited for, whichever is higher.
    pub peak: u64,
    /// Whether the peak may be that of the fork that became the program. It is then only an upper
    /// bound.
    pub is_limit: bool,
    /// Whether the program has waited for children.
    pub had_children: bool,
}

impl Program {
    /// Starts the program, which does not hold back the signals that this process holds back.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn start(command: &mut Command, signals: &Signals) -> io::Result<Self> {
        let release = signals.release();
        let (mut peak, mut report) = io::pipe()?;
        // A closure before `exec` makes std use `fork`. After `vfork` the program would begin with the
        // peak of this process, which is larger than many programs.
        let prepare = move || {
            release();
            report.write_all(&own_peak().to_ne_bytes())
        };
        // SAFETY: the closure sets the signal mask, reads a file and writes into a pipe; it does not
        // allocate.
        unsafe { command.pre_exec(prepare) };
        let pid = Pid::from_child(&command.spawn()?);
        let mut floor = [0; 8];
        peak.read_exact(&mut floor)?;
        let floor = u64::from_ne_bytes(floor).saturating_add(MARGIN);
        let ended = process::pidfd(pid.as_raw_pid())?;
        Ok(Self { pid, ended, floor })
    }

    /// The process number.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw_pid().cast_unsigned()
    }

    /// A descriptor that can be read when the program has ended.
    pub fn ended(&self) -> BorrowedFd<'_> {
        self.ended.as_fd()
    }

    /// Sends the program a signal. A program that has ended ignores it.
    pub fn signal(&self, number: i32) {
        if let Some(signal) = Signal::from_named_raw(number) {
            // The number is the program's own as long as nobody has waited for the program.
            let _ = kill_process(self.pid, signal);
        }
    }

    /// Waits for the end of the program.
    ///
    /// # Errors
    ///
    /// If somebody else has waited for the program.
    pub fn wait(self) -> io::Result<Ended> {
        // After its end and before `wait4`, `/proc` still has the program.
        while !poll::readable([self.ended.as_fd()], None)?[0] {}
        let had_children = process::has_waited(self.pid());
        let waited = process::wait(self.pid)?;
        Ok(Ended {
            status: waited.status,
            peak: waited.max_rss,
            is_limit: waited.max_rss <= self.floor,
            had_children,
        })
    }
}

/// The highest resident set size of the calling process. Does not allocate.
fn own_peak() -> u64 {
    let status = StatusFile::of_this_process().and_then(|file| file.read());
    status
        .ok()
        .and_then(|status| status.peak)
        .unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    fn run(shell: &str) -> Ended {
        let signals = Signals::hold(&[]).unwrap();
        let mut command = Command::new("sh");
        let program = Program::start(command.args(["-c", shell]), &signals).unwrap();
        program.wait().unwrap()
    }

    #[test]
    fn the_exit_code_and_the_signal_are_reported() {
        assert_eq!(run("exit 7").status.code(), Some(7));
        assert_eq!(run("kill -9 $$").status.signal(), Some(9));
    }

    #[test]
    fn it_is_known_whether_a_program_has_waited_for_children() {
        assert!(!run(":").had_children);
        assert!(run("true; :").had_children || run("/bin/true; :").had_children);
    }

    #[test]
    fn the_fork_that_became_the_program_is_not_its_peak() {
        // The compiler would leave it out.
        let ballast = std::hint::black_box(vec![1u8; 50 << 20]);
        let ended = run(":");
        // The fork has the ballast too, which hides the peak of the shell.
        assert!(
            ended.is_limit && ended.peak >= ballast.len() as u64,
            "{ended:?}"
        );
    }
}
