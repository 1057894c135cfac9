//! Files, sockets and pipes that the session has open, and what a run does to them.
//!
//! A fork shares open files with the session: their positions, and what is written to them. A run
//! must leave neither behind. The session therefore puts the positions of its files back after a
//! run. In the run, copies take the place of files that are open for writing, and of the queues by
//! which the system wakes threads. Sockets, pipes and the few files that cannot be copied are
//! watched, and the report names those that a run has written to or read from.

#[cfg(heap_hooks)]
mod calls;
mod descriptors;
mod positions;
#[cfg(target_os = "linux")]
mod private_copies;
#[cfg(target_os = "linux")]
mod queues;
#[cfg(heap_hooks)]
mod watch;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use memit_measurement::Remark;

use crate::shared::Shared;
#[cfg(target_os = "linux")]
pub(crate) use descriptors::numbers;
use descriptors::{Descriptor, Kind};
pub use positions::Positions;
#[cfg(target_os = "linux")]
pub(crate) use queues::Queues;

/// The bit of an effect: the run has written.
const WROTE: u64 = 1;
/// The bit of an effect: the run has read bytes that nobody can read again.
const READ: u64 = 2;

/// The bit of an effect: the run has shut a socket down.
const SHUT_DOWN: u64 = 8;
/// The bit of a file that the run shares with the session.
const SHARED: u64 = 4;

/// Counts everything that is open now as memit's own.
pub fn set_own_aside() {
    descriptors::set_own_aside();
    #[cfg(target_os = "linux")]
    queues::set_own_aside();
}

/// What the session has open at the start of a run.
pub(crate) struct Outside {
    descriptors: Vec<Descriptor>,
    positions: Positions,
    /// The effects of the run on each descriptor; `None` if the session has nothing open.
    effects: Option<Shared<AtomicU64>>,
}

impl Outside {
    /// What this process has open now.
    ///
    /// # Errors
    ///
    /// If the system refuses memory.
    pub(crate) fn now() -> io::Result<Self> {
        Self::of(descriptors::open())
    }

    fn of(descriptors: Vec<Descriptor>) -> io::Result<Self> {
        let some = !descriptors.is_empty();
        Ok(Self {
            positions: Positions::of(&descriptors),
            effects: some.then(|| Shared::new(descriptors.len())).transpose()?,
            descriptors,
        })
    }

    /// Sets the run apart from the files of the session. Call this in the run, before other threads
    /// begin.
    pub(crate) fn set_run_apart(&self) -> Apart<'_> {
        #[cfg(target_os = "linux")]
        let is_private = private_copies::put(&self.descriptors);
        #[cfg(not(target_os = "linux"))]
        let is_private = vec![false; self.descriptors.len()];
        for ((descriptor, effects), is_private) in
            self.descriptors.iter().zip(self.effects()).zip(&is_private)
        {
            if descriptor.kind == Kind::File && !is_private {
                effects.store(SHARED, Relaxed);
            }
        }
        Apart {
            outside: self,
            is_private,
        }
    }

    /// Undoes what a run has done to the positions of files. Call this in the session when the run
    /// has ended. Returns what cannot be undone.
    pub(crate) fn take_back(&self) -> Vec<Remark> {
        self.positions.restore();
        let affected = |effect: u64| {
            let all = self.descriptors.iter().zip(self.effects());
            let names = all.filter(|(descriptor, effects)| {
                let effects = effects.load(Relaxed);
                match descriptor.kind {
                    // A file can be read again, and can be changed without being written to.
                    Kind::File if effect != WROTE => false,
                    Kind::File if effects & SHARED != 0 && descriptor.has_changed() => true,
                    _ => effects & effect != 0,
                }
            });
            names
                .map(|(descriptor, _)| descriptor.name())
                .collect::<Vec<_>>()
        };
        let (to, from, which) = (affected(WROTE), affected(READ), affected(SHUT_DOWN));
        let wrote = (!to.is_empty()).then_some(Remark::Wrote { to });
        let read = (!from.is_empty()).then_some(Remark::Read { from });
        let shut_down = (!which.is_empty()).then_some(Remark::ShutDown { which });
        wrote.into_iter().chain(read).chain(shut_down).collect()
    }

    fn effects(&self) -> &[AtomicU64] {
        self.effects.as_ref().map_or(&[], |effects| effects)
    }
}

/// A run that is set apart from the files of the session.
pub(crate) struct Apart<'a> {
    outside: &'a Outside,
    /// For each descriptor, whether the run can change nothing through it.
    is_private: Vec<bool>,
}

impl Apart<'_> {
    /// Watches what the run shares with the session. Call this when other threads have begun: see
    /// [`crate::offset_tables::replace`].
    pub(crate) fn watch(self) {
        #[cfg(heap_hooks)]
        if let Some(effects) = &self.outside.effects {
            watch::begin(&self.outside.descriptors, &self.is_private, effects);
        }
        // Without hooks in front of the functions of libc, nothing can be watched.
        #[cfg(not(heap_hooks))]
        let _ = (self.outside, self.is_private);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs::File;
    use std::io::{Read as _, Seek as _, Write as _};
    use std::os::fd::AsRawFd as _;
    use std::path::PathBuf;

    use super::*;

    /// What `run` returns in a fork that is set apart from these files, and what cannot be undone.
    fn run(files: &[&File], run: impl FnOnce() -> bool) -> (bool, Vec<Remark>) {
        let descriptors = files
            .iter()
            .filter_map(|file| Descriptor::of(file.as_raw_fd()));
        let outside = Outside::of(descriptors.collect()).unwrap();
        // SAFETY: the child calls the system, allocates, which glibc allows after a fork, and exits.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            outside.set_run_apart().watch();
            let code = i32::from(!run());
            // SAFETY: no preconditions.
            unsafe { libc::_exit(code) };
        }
        let mut status = 0;
        // SAFETY: our own child and a live local.
        unsafe { libc::waitpid(pid, &raw mut status, 0) };
        (status == 0, outside.take_back())
    }

    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("memit-outside-{name}-{}", std::process::id()))
    }

    fn text(mut file: &File) -> String {
        let mut text = String::new();
        file.read_to_string(&mut text)
            .map_or_else(|error| error.to_string(), |_| text)
    }

    #[test]
    fn a_file_is_read_from_the_same_position_in_every_run() {
        let path = path("read");
        std::fs::write(&path, "one two").unwrap();
        let mut file = File::open(&path).unwrap();
        file.seek(io::SeekFrom::Start(4)).unwrap();
        for _ in 0..2 {
            assert_eq!(run(&[&file], || text(&file) == "two"), (true, Vec::new()));
        }
        assert_eq!(text(&file), "two");
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn what_a_run_writes_is_in_the_run_only() {
        let path = path("write");
        std::fs::write(&path, "one").unwrap();
        let appending = File::options().append(true).open(&path).unwrap();
        let mut both = File::options().read(true).write(true).open(&path).unwrap();
        let clone = both.try_clone().unwrap();
        let writes = || {
            (&appending).write_all(b" two").unwrap();
            (&clone).write_all(b"O").unwrap();
            // The clone has moved the position of both, and all see one copy.
            text(&both) == "ne two" && text(&clone).is_empty()
        };
        for _ in 0..2 {
            let ran = run(&[&appending, &both, &clone], writes);
            assert_eq!(ran, (true, Vec::new()));
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one");
        assert_eq!(both.stream_position().unwrap(), 0);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn files_without_a_name_are_copied_too() {
        let path = path("deleted");
        let mut options = File::options();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .unwrap();
        std::fs::remove_file(&path).unwrap();
        let memory = rustix::fs::memfd_create(c"user", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
        let mut memory = File::from(memory);
        for file in [&mut file, &mut memory] {
            file.write_all(b"old").unwrap();
            file.rewind().unwrap();
            let ran = run(&[file], || {
                let old = text(file);
                file.set_len(0).unwrap();
                old == "old"
            });
            assert_eq!(ran, (true, Vec::new()));
            assert_eq!(text(file), "old");
        }
    }

    #[test]
    fn a_file_that_is_not_copied_is_named_when_it_changes() {
        let path = path("large");
        let mut options = File::options();
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .unwrap();
        // Larger than what is copied, and without contents.
        file.set_len(1 << 30).unwrap();
        assert_eq!(run(&[&file], || true), (true, Vec::new()));
        let to = vec![format!("`{}`", path.display())];
        let (_, remarks) = run(&[&file], || file.set_len(1).is_ok());
        let is_shared = file.metadata().unwrap().len() == 1;
        // A file system that shares contents between copies makes a copy at once.
        assert_eq!(is_shared, remarks == [Remark::Wrote { to }]);
        std::fs::remove_file(path).unwrap();
    }
}
