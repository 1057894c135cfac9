//! The threads of this process, without allocating.

use crate::Error;

use super::proc::{self, File};
use super::system::refused;

/// The list of the threads of this process.
pub(super) struct List {
    folder: File,
    stat: File,
}

/// Offsets in an entry of a folder (`struct linux_dirent64`).
const LENGTH: usize = 16;
const NAME: usize = 19;

impl List {
    /// # Errors
    ///
    /// If there is no `/proc`, or the process has too many open files.
    pub(super) fn open() -> Result<Self, Error> {
        Ok(Self {
            folder: File::open(c"/proc/self/task", libc::O_DIRECTORY)?,
            stat: File::open(c"/proc/self/stat", 0)?,
        })
    }

    /// Calls `each` with the id of each thread. Threads that begin or end meanwhile may be missing,
    /// and so may be others.
    ///
    /// # Errors
    ///
    /// Those of `each`, and those of the system.
    pub(super) fn look(&self, mut each: impl FnMut(u32) -> Result<(), Error>) -> Result<(), Error> {
        self.folder.rewind();
        let mut buffer = [0_u8; 4096];
        loop {
            let bytes = self.folder.entries(&mut buffer)?;
            if bytes == 0 {
                return Ok(());
            }
            let mut rest = &buffer[..bytes];
            while let Some((entry, behind)) = first(rest) {
                rest = behind;
                if let Some(id) = id(entry) {
                    each(id)?;
                }
            }
        }
    }

    /// Number of threads.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub(super) fn count(&self) -> Result<usize, Error> {
        self.stat.rewind();
        let mut buffer = [0_u8; 512];
        let bytes = self.stat.read(&mut buffer)?;
        // The text has another form.
        proc::threads(&buffer[..bytes]).ok_or(refused("read", -(libc::EPROTO as isize)))
    }
}

/// The first entry, and those behind it.
fn first(entries: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = entries.get(LENGTH..LENGTH + 2)?.try_into().ok()?;
    entries.split_at_checked(u16::from_ne_bytes(length).into())
}

/// The thread of an entry; `None` for `.` and `..`.
fn id(entry: &[u8]) -> Option<u32> {
    let name = entry.get(NAME..)?.split(|byte| *byte == 0).next()?;
    std::str::from_utf8(name).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::super::system::thread_id;
    use super::*;

    #[test]
    fn the_list_has_all_threads() {
        let (sender, ids) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let other = std::thread::spawn(move || {
            sender.send(thread_id()).unwrap();
            ended.recv().unwrap_err();
        });
        let other_id = ids.recv().unwrap();
        let list = List::open().unwrap();
        let mut seen = Vec::new();
        let mut look = || {
            list.look(|id| {
                seen.push(id);
                Ok(())
            })
        };
        look().unwrap();
        look().unwrap();
        for id in [thread_id(), other_id] {
            assert_eq!(seen.iter().filter(|seen| **seen == id).count(), 2);
        }
        assert!(list.count().unwrap() >= 2);
        drop(end);
        other.join().unwrap();
    }
}
