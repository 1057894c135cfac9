//! A shield around a process: what the process does from now on reaches nothing outside.
//!
//! A fork that runs destructors must not delete the session's files, end its children or write to its sockets.
//! Three steps make sure of this. Memory that the process shares with others becomes read-only. Each descriptor
//! becomes one of `/dev/null`, so that what is written to it is gone. And a filter of the system (seccomp) lets only
//! calls through that concern the process alone.
//!
//! Code that shows a value may look at descriptors: the text of a file has its path. The second step is left out
//! then, and the filter is stricter.

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod filter;
#[cfg(target_os = "linux")]
mod shared_memory;

use std::io;
use std::ops::Range;

/// What the filter lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Descriptors {
    /// The process is cut off from descriptors ([`cut_off`]), and may use what it has instead.
    CutOff,
    /// The process may look at its descriptors, and write to the standard outputs.
    LookedAt,
}

/// Makes memory read-only that the process shares with others, but for `kept`, each a range of addresses.
///
/// # Errors
///
/// If the system refuses, or has no such shield.
#[cfg(target_os = "linux")]
pub(crate) fn protect_memory(kept: &[Range<usize>]) -> io::Result<()> {
    shared_memory::protect(kept)
}

/// Replaces all descriptors of the process by `/dev/null`.
///
/// # Errors
///
/// If the system refuses, or has no such shield.
#[cfg(target_os = "linux")]
pub(crate) fn cut_off() -> io::Result<()> {
    use std::fs::File;
    use std::os::fd::AsRawFd as _;

    let null = File::options().read(true).write(true).open("/dev/null")?;
    let numbers = crate::outside::numbers();
    if numbers.is_empty() {
        return Err(io::Error::other("the list of descriptors cannot be read"));
    }
    for number in numbers {
        if number == null.as_raw_fd() {
            continue;
        }
        // SAFETY: whoever uses the number in this process, a fork, gets `/dev/null` from now on.
        if unsafe { libc::dup2(null.as_raw_fd(), number) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Lets only system calls through from now on that concern the calling process alone. The others do nothing, and
/// succeed if they would return nothing but their success.
///
/// # Errors
///
/// If the system refuses, or has no such filter.
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
pub(crate) fn filter_calls(descriptors: Descriptors) -> io::Result<()> {
    filter::install(descriptors)
}

/// Elsewhere, there is no filter.
#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
pub(crate) fn filter_calls(_descriptors: Descriptors) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Elsewhere, there is no shield.
#[cfg(not(target_os = "linux"))]
pub(crate) fn protect_memory(_kept: &[Range<usize>]) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Elsewhere, there is no shield.
#[cfg(not(target_os = "linux"))]
pub(crate) fn cut_off() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(all(
    test,
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod tests {
    use std::fs::{self, File};
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::path::PathBuf;
    use std::process::{Command, Stdio};
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use super::*;
    use crate::shared::Shared;

    /// How a fork ends that runs `body` behind the shield: its status, as `waitpid` returns it.
    fn shielded(kept: &[Range<usize>], body: impl FnOnce() -> bool) -> i32 {
        // SAFETY: the child calls the system, allocates, which glibc allows after a fork, and exits.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            let shield = || {
                protect_memory(kept)?;
                cut_off()?;
                filter_calls(Descriptors::CutOff)
            };
            let is_well = shield().is_ok();
            let code = i32::from(!(is_well && body()));
            // SAFETY: no preconditions.
            unsafe { libc::_exit(code) };
        }
        let mut status = 0;
        // SAFETY: our own child and a live local.
        unsafe { libc::waitpid(pid, &raw mut status, 0) };
        status
    }

    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("memit-shield-{name}-{}", std::process::id()))
    }

    #[test]
    fn files_stay_as_they_are() {
        let path = path("files");
        fs::write(&path, "old").unwrap();
        let other = path.with_extension("other");
        let mut open = File::options().append(true).open(&path).unwrap();
        let status = shielded(&[], || {
            let wrote = open.write_all(b"new").is_ok();
            let removed = fs::remove_file(&path).is_ok();
            let renamed = fs::rename(&path, &other).is_ok();
            wrote
                && removed
                && renamed
                && open.set_len(0).is_ok()
                && fs::write(&path, "new").is_err()
                && fs::write(&other, "new").is_err()
                && fs::remove_dir_all(path.parent().unwrap()).is_err()
        });
        assert_eq!(status, 0);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert!(!other.exists());
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn processes_live_on_and_none_is_made() {
        let mut child = Command::new("sleep")
            .arg("1000")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let status = shielded(&[], || {
            child.kill().is_ok()
                && Command::new("true").spawn().is_err()
                && std::thread::Builder::new().spawn(|| {}).is_err()
        });
        assert_eq!(status, 0);
        assert!(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_connection_stays_open() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut theirs, _) = listener.accept().unwrap();
        let address = listener.local_addr().unwrap();
        let status = shielded(&[], || {
            let _ = ours.write_all(b"no");
            let _ = ours.shutdown(std::net::Shutdown::Both);
            TcpStream::connect(address).is_err()
        });
        assert_eq!(status, 0);
        ours.write_all(b"yes").unwrap();
        drop(ours);
        let mut text = String::new();
        theirs.read_to_string(&mut text).unwrap();
        assert_eq!(text, "yes");
    }

    #[test]
    fn shared_memory_is_kept_or_read_only() {
        let (kept, other) = (
            Shared::<AtomicU64>::new(1).unwrap(),
            Shared::<AtomicU64>::new(1).unwrap(),
        );
        let start = kept.as_ptr() as usize;
        let kept_range = start..start + 8;
        let status = shielded(std::slice::from_ref(&kept_range), || {
            kept[0].store(1, Relaxed);
            true
        });
        assert_eq!((status, kept[0].load(Relaxed)), (0, 1));
        let status = shielded(std::slice::from_ref(&kept_range), || {
            other[0].store(1, Relaxed);
            true
        });
        assert!(libc::WIFSIGNALED(status));
        assert_eq!(other[0].load(Relaxed), 0);
    }

    #[test]
    fn descriptors_are_looked_at_and_no_more() {
        let path = path("looked-at");
        fs::write(&path, "old").unwrap();
        let mut file = File::options().read(true).write(true).open(&path).unwrap();
        // SAFETY: the child calls the system, allocates, which glibc allows after a fork, and exits.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            let is_well = filter_calls(Descriptors::LookedAt).is_ok()
                && format!("{file:?}").contains("memit-shield-looked-at")
                && format!("{file:?}").contains("write: true")
                && file.write_all(b"new").is_err()
                && file.read(&mut [0]).is_err()
                && std::io::stdout().write_all(b"").is_ok();
            // SAFETY: no preconditions.
            unsafe { libc::_exit(i32::from(!is_well)) };
        }
        let mut status = 0;
        // SAFETY: our own child and a live local.
        unsafe { libc::waitpid(pid, &raw mut status, 0) };
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!((status, text.as_str()), (0, "old"));
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_process_may_abort_and_use_memory() {
        let status = shielded(&[], || {
            let large = std::hint::black_box(vec![1_u8; 8 << 20]);
            std::thread::sleep(std::time::Duration::from_millis(1));
            large.len() == 8 << 20 && Shared::<AtomicU64>::new(1).is_err()
        });
        assert_eq!(status, 0);
        let status = shielded(&[], || std::process::abort());
        assert_eq!(libc::WTERMSIG(status), libc::SIGABRT);
    }
}
