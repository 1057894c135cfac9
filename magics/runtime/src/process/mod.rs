//! What the system says of a process: its memory, threads, children and end.

use std::io;
use std::os::fd::RawFd;
use std::path::Path;
use std::time::Duration;

/// Threads of the process `pid`; `None` if it is gone or the system has no `/proc`.
pub fn threads(pid: u32) -> Option<u32> {
    let status = read_status(&format!("/proc/{pid}"))?;
    field(status.as_bytes(), b"Threads:").and_then(|n| u32::try_from(n).ok())
}

/// Resident set size of the process `pid` in bytes.
pub fn resident(pid: u32) -> Option<u64> {
    let status = read_status(&format!("/proc/{pid}"))?;
    kibibytes(status.as_bytes(), b"VmRSS:")
}

/// Highest resident set size of the process `pid` in bytes, over the life of its memory.
pub(crate) fn peak_resident(pid: u32) -> Option<u64> {
    let status = read_status(&format!("/proc/{pid}"))?;
    kibibytes(status.as_bytes(), b"VmHWM:")
}

/// Resident memory of the process `pid` in bytes, a page that n processes have counting 1/n.
pub(crate) fn proportional(pid: u32) -> Option<u64> {
    let smaps = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    kibibytes(smaps.as_bytes(), b"Pss:")
}

/// Memory in bytes that programs could get without swapping; all there is if that is not told.
pub(crate) fn available_memory() -> u64 {
    std::fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| kibibytes(text.as_bytes(), b"MemAvailable:"))
        .unwrap_or(u64::MAX)
}

/// Children of the process `pid`, those that have ended and not been waited for included.
pub fn children(pid: u32) -> Vec<u32> {
    let Ok(tasks) = Path::new(&format!("/proc/{pid}/task")).read_dir() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for task in tasks.flatten() {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        let pids = children.split_ascii_whitespace();
        found.extend(pids.filter_map(|pid| pid.parse::<u32>().ok()));
    }
    found
}

/// Children, their children and so on of the process `pid`.
pub fn descendants(pid: u32) -> Vec<u32> {
    let mut found = children(pid);
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        found.extend(children(*pid));
        next += 1;
    }
    found
}

/// The name of the process `pid`, as the system shows it.
pub fn name(pid: u32) -> Option<String> {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim_end().to_owned())
}

/// The arguments that the process `pid` was started with; none if it is gone.
pub fn arguments(pid: u32) -> Vec<String> {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let arguments = line.split(|byte| *byte == 0);
    arguments
        .map(|argument| String::from_utf8_lossy(argument).into_owned())
        .collect()
}

/// Ends the process `pid`.
pub(crate) fn end(pid: u32) {
    // SAFETY: a signal to a process; one that is gone is an error that can be ignored.
    unsafe { libc::kill(pid.cast_signed(), libc::SIGKILL) };
}

/// Ends the process `pid` and all that it has started.
pub fn end_with_descendants(pid: u32) {
    // First those that would be nobody's descendants afterwards.
    for process in descendants(pid).into_iter().chain([pid]) {
        end(process);
    }
}

fn read_status(process: &str) -> Option<String> {
    std::fs::read_to_string(format!("{process}/status")).ok()
}

/// The number behind `name` in the text of `/proc/PID/status`. Does not allocate.
pub(crate) fn field(status: &[u8], name: &[u8]) -> Option<u64> {
    let line = status
        .split(|byte| *byte == b'\n')
        .find_map(|line| line.strip_prefix(name))?;
    let mut digits = line
        .iter()
        .skip_while(|byte| !byte.is_ascii_digit())
        .peekable();
    digits.peek()?;
    Some(
        digits
            .take_while(|byte| byte.is_ascii_digit())
            .fold(0, |number, digit| number * 10 + u64::from(digit - b'0')),
    )
}

/// As [`field`], for the fields that count in KiB; the answer is in bytes.
pub(crate) fn kibibytes(status: &[u8], name: &[u8]) -> Option<u64> {
    field(status, name).map(|kib| kib * 1024)
}

/// A descriptor that becomes readable when the process `pid` ends.
///
/// # Errors
///
/// If there is no such process.
#[cfg(target_os = "linux")]
pub fn pidfd(pid: libc::pid_t) -> io::Result<std::os::fd::OwnedFd> {
    use std::os::fd::FromRawFd;
    // SAFETY: a system call with two integers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let Some(fd) = RawFd::try_from(fd).ok().filter(|fd| *fd >= 0) else {
        return Err(io::Error::last_os_error());
    };
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { std::os::fd::OwnedFd::from_raw_fd(fd) })
}

/// As [`end`], for the process of a [`pidfd`]: its number may be another's by now.
#[cfg(target_os = "linux")]
pub(crate) fn end_by_pidfd(pidfd: &std::os::fd::OwnedFd) {
    use std::os::fd::AsRawFd;
    let (fd, info) = (pidfd.as_raw_fd(), std::ptr::null::<libc::siginfo_t>());
    // SAFETY: an open descriptor of a process; without an info the kernel makes one as for `kill`.
    unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, libc::SIGKILL, info, 0) };
}

/// Waits until one of the descriptors can be read (or is at its end) and says which can; all
/// false when `timeout` is over first. A negative descriptor is never ready.
pub(crate) fn readable<const N: usize>(
    fds: &[RawFd; N],
    timeout: Option<Duration>,
) -> io::Result<[bool; N]> {
    let mut polled = fds.map(|fd| libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    });
    let count = N as libc::nfds_t;
    #[cfg(target_os = "linux")]
    let result = {
        let timeout = timeout.map(|timeout| libc::timespec {
            tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        });
        let timeout = timeout
            .as_ref()
            .map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: the array is live and its length is the one given; so is the timeout, if any.
        unsafe { libc::ppoll(polled.as_mut_ptr(), count, timeout, std::ptr::null()) }
    };
    #[cfg(not(target_os = "linux"))]
    let result = {
        // Rounded up: a wait that ends early would be repeated in a tight loop.
        let timeout = timeout.map_or(-1, |timeout| {
            i32::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX)
        });
        // SAFETY: the array is live and its length is the one given.
        unsafe { libc::poll(polled.as_mut_ptr(), count, timeout) }
    };
    if result == -1 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
        return Ok([false; N]);
    }
    Ok(polled.map(|polled| polled.revents != 0))
}

/// Makes reading from the descriptor an error where it would wait.
pub(crate) fn set_nonblocking(fd: RawFd) -> io::Result<()> {
    // SAFETY: no preconditions.
    let done = unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFL);
        flags != -1 && libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK) != -1
    };
    if done {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Whether the descriptor can be read now, or is at its end.
pub(crate) fn is_readable(fd: RawFd) -> io::Result<bool> {
    Ok(readable(&[fd], Some(Duration::ZERO))? == [true])
}

/// Whether a write to the descriptor would find room.
pub(crate) fn writable(fd: RawFd) -> io::Result<bool> {
    let mut polled = libc::pollfd {
        fd,
        events: libc::POLLOUT,
        revents: 0,
    };
    // SAFETY: one live element.
    match unsafe { libc::poll(&raw mut polled, 1, 0) } {
        -1 => Err(io::Error::last_os_error()),
        ready => Ok(ready > 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_from_status_text() {
        let status = b"Name:\tmemit\nVmHWM:\t   12345 kB\nVmRSS:\t    1000 kB\nThreads:\t7\n";
        assert_eq!(kibibytes(status, b"VmHWM:"), Some(12345 * 1024));
        assert_eq!(field(status, b"Threads:"), Some(7));
        assert_eq!(field(status, b"VmSwap:"), None);
        assert_eq!(field(b"Threads:\t\n", b"Threads:"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn our_own_process_is_known() {
        assert!(threads(std::process::id()).unwrap() >= 1);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn no_process_has_more_memory_than_at_its_peak() {
        // Not our own: other tests set its peak back meanwhile.
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let (now, peak) = (resident(child.id()), peak_resident(child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(now.unwrap() > 0 && now <= peak, "{now:?} {peak:?}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_child_is_among_the_descendants() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        assert!(descendants(std::process::id()).contains(&child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
