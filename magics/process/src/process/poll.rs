//! Waits for descriptors. Nothing here allocates.

use std::array;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;

/// Waits until one of the descriptors can be read or is at its end, and says which can. All are
/// false if `timeout` is over first, or if a signal ends the wait. `None` is never ready.
///
/// # Errors
///
/// If the system cannot wait.
pub fn readable<'fd, Fd, const N: usize>(
    fds: [Fd; N],
    timeout: Option<Duration>,
) -> io::Result<[bool; N]>
where
    Fd: Into<Option<BorrowedFd<'fd>>>,
{
    let fds = fds.map(Into::into);
    let timeout = timeout.map(|timeout| Timespec::try_from(timeout).unwrap_or(FOREVER));
    let wait = |polled: &mut [PollFd<'_>]| match rustix::event::poll(polled, timeout.as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error),
    };
    let Some(some) = fds.iter().flatten().next() else {
        wait(&mut [])?;
        return Ok([false; N]);
    };
    // The descriptors close ranks; what is behind them is not polled.
    let mut polled: [_; N] = array::from_fn(|_| PollFd::from_borrowed_fd(*some, PollFlags::IN));
    let mut count = 0;
    for fd in fds.iter().flatten() {
        polled[count] = PollFd::from_borrowed_fd(*fd, PollFlags::IN);
        count += 1;
    }
    wait(&mut polled[..count])?;
    let mut polled = polled.iter().map(|fd| !fd.revents().is_empty());
    Ok(fds.map(|fd| fd.is_some() && polled.next() == Some(true)))
}

/// Whether the descriptor can be read now, or is at its end.
pub fn is_readable(fd: impl AsFd) -> io::Result<bool> {
    Ok(readable([fd.as_fd()], Some(Duration::ZERO))? == [true])
}

/// Whether a write to the descriptor would find room.
pub fn is_writable(fd: impl AsFd) -> io::Result<bool> {
    let mut polled = [PollFd::new(&fd, PollFlags::OUT)];
    Ok(rustix::event::poll(&mut polled, Some(&NO_TIME))? > 0)
}

const NO_TIME: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

/// Longer than any process lives.
const FOREVER: Timespec = Timespec {
    tv_sec: i32::MAX as i64,
    tv_nsec: 0,
};

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_missing_descriptor_is_never_ready_and_the_others_keep_their_places() {
        let (silent, _writer) = io::pipe().unwrap();
        let (spoken, mut writer) = io::pipe().unwrap();
        writer.write_all(b"x").unwrap();
        let fds = [None, Some(silent.as_fd()), None, Some(spoken.as_fd())];
        let ready = readable(fds, None).unwrap();
        assert_eq!(ready, [false, false, false, true]);
        let moment = Some(Duration::from_millis(1));
        assert_eq!(readable([None::<BorrowedFd<'_>>], moment).unwrap(), [false]);
    }

    #[test]
    fn the_end_of_a_pipe_can_be_read() {
        let (reader, writer) = io::pipe().unwrap();
        assert!(!is_readable(&reader).unwrap());
        drop(writer);
        assert!(is_readable(&reader).unwrap());
    }

    #[test]
    fn a_full_pipe_has_no_room() {
        let (_reader, mut writer) = io::pipe().unwrap();
        assert!(is_writable(&writer).unwrap());
        rustix::io::ioctl_fionbio(&writer, true).unwrap();
        while writer.write(&[0; 4096]).is_ok() {}
        assert!(!is_writable(&writer).unwrap());
    }
}
