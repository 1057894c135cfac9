//! The memory of a run's child processes.

use crate::process;

/// Resident set size in bytes of the process `pid` with all its descendants.
///
/// A descendant counts with its own high-water mark, so that its peak is not missed between
/// two readings. One that still shares its parent's memory, between `vfork` and `exec`, is not
/// counted twice.
pub fn resident_with(pid: u32) -> u64 {
    let own = process::resident(pid).unwrap_or(0);
    let descendants = process::descendants(pid);
    let theirs = descendants
        .into_iter()
        .filter(|descendant| !shares_memory(pid, *descendant))
        .filter_map(process::peak_resident);
    own + theirs.sum::<u64>()
}

/// Whether two processes have one memory, as between `vfork` and `exec`.
#[cfg(target_os = "linux")]
pub fn shares_memory(one: u32, other: u32) -> bool {
    const KCMP_VM: libc::c_int = 1;
    // SAFETY: a system call with integers only.
    unsafe { libc::syscall(libc::SYS_kcmp, one, other, KCMP_VM, 0, 0) == 0 }
}

#[cfg(not(target_os = "linux"))]
fn shares_memory(_one: u32, _other: u32) -> bool {
    false
}
