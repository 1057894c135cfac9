//! A program that was started to be measured.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus};

use super::Signals;
use crate::process::{self, kibibytes};

/// A child process that is running or has not been waited for.
pub struct Program {
    pid: libc::pid_t,
    /// Readable at its end.
    ended: OwnedFd,
    /// Up to this, what the system says of its peak may be that of the fork of this process that
    /// became the program.
    floor: u64,
}

/// Pages that the fork may need after it has told its peak, and what the counters of the system's
/// processors lack, in bytes.
const MARGIN: u64 = 1 << 20;

/// How a program ended.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// Exit code or signal.
    pub status: ExitStatus,
    /// Its highest resident set size in bytes over its whole life, or that of a child that it has
    /// waited for, if that was higher.
    pub peak: u64,
    /// Whether the peak may also be that of the fork that became the program: of a small program it
    /// is only known that it had no more.
    pub is_limit: bool,
    /// Whether it has waited for children.
    pub had_children: bool,
}

impl Program {
    /// Starts the program, which does not hold back the signals that this process does.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn start(command: &mut Command, signals: &Signals) -> io::Result<Self> {
        let release = signals.release();
        let (mut told, mut tell) = io::pipe()?;
        // With something to do before `exec`, it is a fork: by `vfork` the program would begin with
        // the peak of this process, which is larger than many programs.
        let prepare = move || {
            release();
            tell.write_all(&own_peak().to_ne_bytes())
        };
        // SAFETY: the closure sets the signal mask, reads a file and writes into a pipe; it does not
        // allocate.
        unsafe { command.pre_exec(prepare) };
        let pid = command.spawn()?.id().cast_signed();
        let mut floor = [0; 8];
        told.read_exact(&mut floor)?;
        let floor = u64::from_ne_bytes(floor).saturating_add(MARGIN);
        let ended = process::pidfd(pid)?;
        Ok(Self { pid, ended, floor })
    }

    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.pid.cast_unsigned()
    }

    /// A descriptor that can be read when it has ended.
    pub fn ended(&self) -> BorrowedFd<'_> {
        self.ended.as_fd()
    }

    /// Sends it a signal. One that has ended does not mind.
    pub fn signal(&self, number: i32) {
        // SAFETY: the number is the child's own as long as nobody has waited for it.
        unsafe { libc::kill(self.pid, number) };
    }

    /// Waits for its end.
    ///
    /// # Errors
    ///
    /// If somebody else has waited for it.
    pub fn wait(self) -> io::Result<Ended> {
        // Once it has ended: while it can still be asked.
        process::readable(&[self.ended.as_raw_fd()], None)?;
        let had_children = had_children(self.pid());
        let mut status = 0;
        // SAFETY: plain data.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: both are live, and the child is ours.
        while unsafe { libc::wait4(self.pid, &raw mut status, 0, &raw mut usage) } == -1 {
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
        let peak = u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024;
        Ok(Ended {
            status: ExitStatus::from_raw(status),
            peak,
            is_limit: peak <= self.floor,
            had_children,
        })
    }
}

/// The highest resident set size of the calling process. Does not allocate.
fn own_peak() -> u64 {
    let mut text = [0; 4096];
    let read = File::open("/proc/self/status").and_then(|status| status.read_at(&mut text, 0));
    read.ok()
        .and_then(|length| kibibytes(&text[..length], b"VmHWM:"))
        .unwrap_or(u64::MAX)
}

/// Whether a process that has ended had waited for children: page faults of theirs are on its account,
/// and no program runs without one.
fn had_children(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Behind the name, which may contain anything; `cminflt` is field 11, the first here is 3.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let faults = fields.split_ascii_whitespace().nth(11 - 3);
    faults != Some("0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(shell: &str) -> Ended {
        let signals = Signals::hold(&[]).unwrap();
        let mut command = Command::new("sh");
        let program = Program::start(command.args(["-c", shell]), &signals).unwrap();
        program.wait().unwrap()
    }

    #[test]
    fn the_exit_code_and_the_signal_are_told() {
        assert_eq!(run("exit 7").status.code(), Some(7));
        assert_eq!(run("kill -9 $$").status.signal(), Some(9));
    }

    #[test]
    fn a_program_that_has_waited_for_children_is_told_from_one_that_has_not() {
        assert!(!run(":").had_children);
        assert!(run("true; :").had_children || run("/bin/true; :").had_children);
    }

    #[test]
    fn the_fork_that_became_the_program_is_not_its_peak() {
        // The compiler would leave it out.
        let ballast = std::hint::black_box(vec![1u8; 50 << 20]);
        let ended = run(":");
        // The fork has the ballast too, so nothing is known of the shell.
        assert!(
            ended.is_limit && ended.peak >= ballast.len() as u64,
            "{ended:?}"
        );
    }
}
