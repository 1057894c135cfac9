//! Files of `/proc/self`, read into buffers on the stack.

use std::ffi::CStr;
use std::io::Write as _;
use std::str::FromStr;

use crate::Error;

use super::system::{ask, call};

/// An open file or folder.
pub(super) struct File {
    descriptor: usize,
}

impl File {
    /// Opens a file or, with `O_DIRECTORY` in the flags, a folder.
    ///
    /// # Errors
    ///
    /// If there is none, or the process has too many open files.
    pub(super) fn open(path: &CStr, flags: libc::c_int) -> Result<Self, Error> {
        let directory = libc::AT_FDCWD as usize;
        let flags = (libc::O_RDONLY | libc::O_CLOEXEC | flags) as usize;
        let path = path.as_ptr().expose_provenance();
        // SAFETY: the path is a C string.
        let opened = unsafe {
            ask(
                "openat",
                libc::SYS_openat,
                [directory, path, flags, 0, 0, 0],
            )
        };
        opened.map(|descriptor| Self { descriptor })
    }

    /// Goes back to the beginning.
    pub(super) fn rewind(&self) {
        // SAFETY: the call has no pointers.
        unsafe { call(libc::SYS_lseek, [self.descriptor, 0, 0, 0, 0, 0]) };
    }

    /// Reads what fits into the buffer; returns the number of bytes.
    ///
    /// # Errors
    ///
    /// If the file is of a thread that has ended.
    pub(super) fn read(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        self.fill("read", libc::SYS_read, buffer)
    }

    /// Reads entries of a folder, as many as fit into the buffer: 0 bytes behind the last.
    ///
    /// # Errors
    ///
    /// If this is not a folder.
    pub(super) fn entries(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        self.fill("getdents64", libc::SYS_getdents64, buffer)
    }

    fn fill(
        &self,
        name: &'static str,
        number: libc::c_long,
        buffer: &mut [u8],
    ) -> Result<usize, Error> {
        let address = buffer.as_mut_ptr().expose_provenance();
        let arguments = [self.descriptor, address, buffer.len(), 0, 0, 0];
        // SAFETY: both calls write at most as many bytes as the buffer has.
        unsafe { ask(name, number, arguments) }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the descriptor is this value's own.
        unsafe { call(libc::SYS_close, [self.descriptor, 0, 0, 0, 0, 0]) };
    }
}

/// Reads the beginning of the file `name` about a thread of this process.
pub(super) fn read_about<'a>(thread: u32, name: &str, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    let mut path = [0_u8; 64];
    // The last byte stays 0.
    write!(&mut path[..63], "/proc/self/task/{thread}/{name}").ok()?;
    let path = CStr::from_bytes_until_nul(&path).ok()?;
    let bytes = File::open(path, 0).ok()?.read(buffer).ok()?;
    buffer.get(..bytes)
}

/// Number of threads of this process, from the text of its `stat`: the 18th number behind the name.
pub(super) fn threads(stat: &[u8]) -> Option<usize> {
    number(stat, 17)
}

/// When a thread has started, in ticks since the system has, from the text of its `stat`: the 20th
/// number behind the name.
pub(super) fn started(stat: &[u8]) -> Option<u64> {
    number(stat, 19)
}

/// The state of a thread as a letter, from the text of its `stat`.
pub(super) fn state(stat: &[u8]) -> Option<u8> {
    behind_name(stat)?.first().copied()
}

fn number<T: FromStr>(stat: &[u8], at: usize) -> Option<T> {
    let mut fields = behind_name(stat)?.split(|byte| *byte == b' ');
    std::str::from_utf8(fields.nth(at)?).ok()?.parse().ok()
}

/// The fields behind the name, which may contain spaces and parentheses.
fn behind_name(stat: &[u8]) -> Option<&[u8]> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    stat.get(end + 2..)
}

/// The signals of a mask, one bit each, from the text of a thread's `status`.
pub(super) fn mask(status: &[u8], name: &str) -> Option<u64> {
    let mut lines = status.split(|byte| *byte == b'\n');
    let mask = lines.find_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b":\t"))?;
    u64::from_str_radix(std::str::from_utf8(mask).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &[u8] = b"17 (a) b) c) S 1 17 17 0 -1 1077936384 1 0 0 0 0 0 0 0 20 0 3 0 12 1 1";

    #[test]
    fn numbers_are_counted_from_the_end_of_the_name() {
        assert_eq!(state(STAT), Some(b'S'));
        assert_eq!(threads(STAT), Some(3));
        assert_eq!(started(STAT), Some(12));
        assert_eq!(threads(b"17 (a) S 1"), None);
        assert_eq!(state(b"17"), None);
    }

    #[test]
    fn masks_have_names() {
        let status = b"Name:\tx\nSigPnd:\t2\nSigBlk:\t8000000000000001\nSigIgn:\t0\n";
        assert_eq!(mask(status, "SigBlk"), Some(1 << 63 | 1));
        assert_eq!(mask(status, "SigPnd"), Some(2));
        assert_eq!(mask(b"Name:\tx\n", "SigBlk"), None);
    }

    #[test]
    fn a_thread_is_read_about() {
        let mut buffer = [0; 512];
        let id = super::super::system::thread_id();
        let stat = read_about(id, "stat", &mut buffer).unwrap();
        assert_eq!(state(stat), Some(b'R'));
        assert!(read_about(0, "stat", &mut [0; 8]).is_none());
    }
}
