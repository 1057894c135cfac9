//! Copies of the files that a session has open for writing, for one run.
//!
//! The copy is a file without a name in the directory of the file, so that writing to the copy
//! takes as long as writing to the file. A file that is only written to has a copy without
//! contents.

use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::path::Path;

use rustix::fs::{MemfdFlags, Mode, OFlags, SeekFrom};
use rustix::io::FdFlags;

use super::descriptors::{Descriptor, Kind};

/// A larger file is not copied, unless the file system shares the contents of copies.
const MAX_SIZE: u64 = 16 << 20;

/// The flags of a descriptor that its copy has, too.
const KEPT: OFlags = OFlags::ACCMODE
    .union(OFlags::APPEND)
    .union(OFlags::NONBLOCK)
    .union(OFlags::SYNC)
    .union(OFlags::DSYNC);

/// Replaces files that are open for writing by copies. Returns for each descriptor whether the run
/// can change nothing through it.
pub(super) fn put(all: &[Descriptor]) -> Vec<bool> {
    let mut is_private: Vec<_> = all.iter().map(is_harmless).collect();
    let is_file = |at: &usize| all[*at].kind == Kind::File;
    let mut writable = (0..all.len()).filter(|at| is_file(at) && !is_private[*at]);
    // A change of mapped memory is a change of the file: copies would contradict the memory.
    if writable.next().is_none() || maps_files() {
        return is_private;
    }
    for at in (0..all.len()).filter(is_file) {
        if is_private[at] {
            continue;
        }
        // All descriptors of the file are replaced, so that the run reads what it writes.
        let of_file = |other: &usize| all[*other].id == all[at].id;
        let same: Vec<_> = (0..all.len()).filter(of_file).collect();
        let descriptors: Vec<_> = same.iter().map(|at| &all[*at]).collect();
        if replace(&descriptors).is_some() {
            for at in same {
                is_private[at] = true;
            }
        }
    }
    is_private
}

/// Whether a run can change nothing through the descriptor but its position.
fn is_harmless(each: &Descriptor) -> bool {
    match each.kind {
        Kind::File => !each.is_writable(),
        Kind::Directory => true,
        Kind::Socket | Kind::Pipe | Kind::Device => false,
    }
}

/// Replaces all descriptors of one file by descriptors of a copy; `None` if there is no copy.
fn replace(descriptors: &[&Descriptor]) -> Option<()> {
    let copy = copy(descriptors)?;
    // All files are opened before the first is replaced: afterwards, nothing tells which descriptors
    // share a position.
    let mut opened: Vec<(Vec<&Descriptor>, OwnedFd)> = Vec::new();
    for each in descriptors {
        match opened.iter_mut().find(|(those, _)| are_one(each, those[0])) {
            Some((those, _)) => those.push(each),
            None => opened.push((vec![each], reopened(&copy, each)?)),
        }
    }
    for (those, file) in &opened {
        for each in those {
            let flags = rustix::io::fcntl_getfd(each.fd()).unwrap_or(FdFlags::CLOEXEC);
            let flags = if flags.contains(FdFlags::CLOEXEC) {
                libc::O_CLOEXEC
            } else {
                0
            };
            // SAFETY: the number belongs to a file of the session, and whoever uses the number gets
            // the copy from now on.
            if unsafe { libc::dup3(file.as_raw_fd(), each.number, flags) } < 0 {
                return None;
            }
        }
    }
    Some(())
}

/// A file with the contents of a file.
fn copy(descriptors: &[&Descriptor]) -> Option<OwnedFd> {
    let first = descriptors.first()?;
    let path = first.path();
    let copy = if path.starts_with("/memfd:") {
        rustix::fs::memfd_create(c"copy", MemfdFlags::CLOEXEC).ok()?
    } else {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let directory = Path::new(&path).parent()?;
        rustix::fs::open(directory, flags, Mode::RUSR | Mode::WUSR).ok()?
    };
    let Some(readable) = descriptors.iter().find(|each| each.is_readable()) else {
        rustix::fs::ftruncate(&copy, first.size).ok()?;
        return Some(copy);
    };
    if rustix::fs::ioctl_ficlone(&copy, readable.fd()).is_ok() {
        return Some(copy);
    }
    if first.size > MAX_SIZE {
        return None;
    }
    let (mut from, mut to) = (0, 0);
    while from < first.size {
        let left = usize::try_from(first.size - from).unwrap_or(usize::MAX);
        let source = (readable.fd(), Some(&mut from));
        let copied =
            rustix::fs::copy_file_range(source.0, source.1, &copy, Some(&mut to), left).ok()?;
        if copied == 0 {
            break;
        }
    }
    rustix::fs::ftruncate(&copy, first.size).ok()?;
    Some(copy)
}

/// A descriptor of the copy, opened as the descriptor of the file, at the same position.
fn reopened(copy: &OwnedFd, like: &Descriptor) -> Option<OwnedFd> {
    let path = format!("/proc/self/fd/{}", copy.as_raw_fd());
    let flags = (like.flags & KEPT) | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty()).ok()?;
    rustix::fs::seek(file.as_fd(), SeekFrom::Start(like.position.unwrap_or(0))).ok()?;
    Some(file)
}

/// Whether two descriptors share a position, as those of `File::try_clone` do.
fn are_one(one: &Descriptor, other: &Descriptor) -> bool {
    const KCMP_FILE: libc::c_long = 0;
    if one.number == other.number {
        return true;
    }
    if one.position != other.position || one.flags != other.flags {
        return false;
    }
    let pid = std::process::id();
    let numbers = [one.number, other.number].map(i64::from);
    // SAFETY: the call compares two descriptors of this process and changes nothing.
    let compared =
        unsafe { libc::syscall(libc::SYS_kcmp, pid, pid, KCMP_FILE, numbers[0], numbers[1]) };
    // A system that does not tell: clones are frequent, and a file that is opened twice in the same
    // way and stands at one position is not.
    compared <= 0
}

/// Whether the process has mapped a file such that changes of the memory are changes of the file. Databases
/// keep what they know of one file in the mapped memory of another.
fn maps_files() -> bool {
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else {
        return true;
    };
    maps.lines().any(|line| {
        let mut fields = line.split_ascii_whitespace();
        let access = fields.nth(1).unwrap_or_default();
        let is_shared = access.ends_with('s') && access.contains('w');
        let path = fields.nth(3).unwrap_or_default();
        is_shared && !["", "/dev/zero", "/memfd:memit"].contains(&path)
    })
}
