//! The memory of a run's child processes.

use crate::process;

/// Resident set size in bytes of the process `pid` with all its descendants.
///
/// A descendant counts with its high-water mark, so that no peak between two readings is missed. A
/// descendant that still shares its parent's memory, between `vfork` and `exec`, does not count.
pub fn resident_with(pid: u32) -> u64 {
    let own = process::resident(pid).unwrap_or(0);
    let descendants = process::descendants(pid);
    let theirs = descendants
        .into_iter()
        .filter(|descendant| !process::shares_memory(pid, *descendant))
        .filter_map(process::peak_resident);
    own + theirs.sum::<u64>()
}
