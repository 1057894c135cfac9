//! The open descriptors of a process.

use std::os::fd::{BorrowedFd, RawFd};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{FileType, OFlags, SeekFrom};

/// What a descriptor refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file with a position and contents.
    File,
    Directory,
    Socket,
    Pipe,
    /// A terminal or another device.
    Device,
}

/// The identity of an open file: its device and its inode.
pub(super) type Id = (u64, u64);

/// An open descriptor.
#[derive(Debug, Clone)]
pub(super) struct Descriptor {
    pub(super) number: RawFd,
    pub(super) kind: Kind,
    pub(super) id: Id,
    pub(super) flags: OFlags,
    /// The size of a file in bytes.
    pub(super) size: u64,
    /// When a file was last changed, in seconds and nanoseconds since 1970.
    pub(super) changed: (i64, u64),
    /// The position in a file or directory; `None` if there is none.
    pub(super) position: Option<u64>,
}

/// The descriptors that memit has opened, which are not the user's to see.
static OWN: Mutex<Vec<(RawFd, Id)>> = Mutex::new(Vec::new());

/// Counts everything that is open now as memit's own.
pub(super) fn set_own_aside() {
    let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    own.clear();
    let all = numbers().into_iter().filter_map(Descriptor::of);
    own.extend(all.map(|descriptor| (descriptor.number, descriptor.id)));
}

/// The open descriptors that are not memit's own.
pub(super) fn open() -> Vec<Descriptor> {
    let own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    let is_own = |descriptor: &Descriptor| own.contains(&(descriptor.number, descriptor.id));
    let all = numbers().into_iter().filter_map(Descriptor::of);
    all.filter(|descriptor| !is_own(descriptor) && !descriptor.is_of_a_measurement())
        .collect()
}

impl Descriptor {
    /// The descriptor of this number; `None` if it is not open, or refers to nothing outside of the
    /// process.
    pub(super) fn of(number: RawFd) -> Option<Self> {
        // SAFETY: the descriptor is used in this function only. If it is not open, or another
        // thread closes it meanwhile, the calls fail.
        let fd = unsafe { BorrowedFd::borrow_raw(number) };
        let stat = rustix::fs::fstat(fd).ok()?;
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Directory,
            FileType::Socket => Kind::Socket,
            FileType::Fifo => Kind::Pipe,
            FileType::CharacterDevice if !is_memory(stat.st_rdev) => Kind::Device,
            _ => return None,
        };
        let has_position = matches!(kind, Kind::File | Kind::Directory);
        Some(Self {
            number,
            kind,
            id: (stat.st_dev as u64, stat.st_ino as u64),
            flags: rustix::fs::fcntl_getfl(fd).ok()?,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            changed: (stat.st_mtime as i64, stat.st_mtime_nsec as u64),
            position: has_position
                .then(|| rustix::fs::seek(fd, SeekFrom::Current(0)).ok())
                .flatten(),
        })
    }

    /// Whether the file is not as it was.
    pub(super) fn has_changed(&self) -> bool {
        let now = Self::of(self.number);
        now.is_some_and(|now| (now.size, now.changed) != (self.size, self.changed))
    }

    /// The descriptor for system calls.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the session has the descriptor open from before a run to after the run: its only
        // thread starts the run and waits.
        unsafe { BorrowedFd::borrow_raw(self.number) }
    }

    /// Whether something can be written through the descriptor.
    pub(super) fn is_writable(&self) -> bool {
        self.flags.intersects(OFlags::WRONLY | OFlags::RDWR)
    }

    /// Whether something can be read through the descriptor.
    pub(super) fn is_readable(&self) -> bool {
        !self.flags.contains(OFlags::WRONLY)
    }

    /// The path of the file, as the system knows it.
    pub(super) fn path(&self) -> String {
        let link = std::fs::read_link(format!("/proc/self/fd/{}", self.number));
        link.map_or_else(
            |_| String::new(),
            |path| path.to_string_lossy().into_owned(),
        )
    }

    /// What a reader of a report calls it.
    pub(super) fn name(&self) -> String {
        let number = self.number;
        match self.kind {
            Kind::Socket => format!("a socket (descriptor {number})"),
            Kind::Pipe => format!("a pipe (descriptor {number})"),
            Kind::File | Kind::Directory | Kind::Device => {
                let path = self.path();
                let here = std::env::current_dir().unwrap_or_default();
                let below = std::path::Path::new(&path).strip_prefix(here);
                format!(
                    "`{}`",
                    below.map_or(path.clone(), |below| below.display().to_string())
                )
            }
        }
    }

    /// Whether this is the memory of a measurement, which a run has to share.
    fn is_of_a_measurement(&self) -> bool {
        self.kind == Kind::File
            && self.size > 0
            && self.is_writable()
            && self.path().starts_with(OWN_MEMORY)
    }
}

/// The name that the system gives to the memory of [`crate::shared::shared_file`].
const OWN_MEMORY: &str = "/memfd:memit (deleted)";

/// Whether a device is one of `/dev/null`, `/dev/zero`, `/dev/urandom` and their kin.
#[cfg(target_os = "linux")]
fn is_memory(device: u64) -> bool {
    rustix::fs::major(device) == 1
}

/// Elsewhere, no descriptor is looked at.
#[cfg(not(target_os = "linux"))]
fn is_memory<T>(_device: T) -> bool {
    false
}

/// The numbers of the open descriptors.
#[cfg(target_os = "linux")]
pub(crate) fn numbers() -> Vec<RawFd> {
    use std::mem::MaybeUninit;

    use rustix::fs::{Mode, RawDir};

    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(directory) = rustix::fs::open("/proc/self/fd", flags, Mode::empty()) else {
        return Vec::new();
    };
    let own = std::os::fd::AsRawFd::as_raw_fd(&directory);
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut entries = RawDir::new(&directory, &mut buffer);
    let mut numbers = Vec::new();
    while let Some(Ok(entry)) = entries.next() {
        let name = entry.file_name().to_str().ok();
        let number: Option<RawFd> = name.and_then(|name| name.parse().ok());
        numbers.extend(number.filter(|number| *number != own));
    }
    numbers
}

/// Elsewhere, no list is at hand.
#[cfg(not(target_os = "linux"))]
fn numbers() -> Vec<RawFd> {
    Vec::new()
}
