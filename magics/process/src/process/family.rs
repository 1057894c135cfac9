//! Who a process is, and which processes it has started.

use std::fs;
use std::path::{Path, PathBuf};

/// Children of the process `pid`, including those that have ended and that nobody has waited for.
pub fn children(pid: u32) -> Vec<u32> {
    let Ok(tasks) = Path::new(&format!("/proc/{pid}/task")).read_dir() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for task in tasks.flatten() {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
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
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim_end().to_owned())
}

/// The arguments that started the process `pid`; none if it is gone.
pub fn arguments(pid: u32) -> Vec<String> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let arguments = line.split(|byte| *byte == 0);
    arguments
        .map(|argument| String::from_utf8_lossy(argument).into_owned())
        .collect()
}

/// The working directory of the process `pid`; `None` if the process is gone or the system has no `/proc`.
pub fn working_directory(pid: u32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/cwd")).ok()
}

/// Whether the process `pid`, which may have ended, has waited for children. It is then charged with
/// their page faults, and no program runs without one.
pub fn has_waited(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Behind the name, which may contain anything; `cminflt` is field 11, the first here is 3.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let faults = fields.split_ascii_whitespace().nth(11 - 3);
    faults != Some("0")
}

/// Whether two processes have one memory, as between `vfork` and `exec`.
#[cfg(target_os = "linux")]
pub fn shares_memory(one: u32, other: u32) -> bool {
    const KCMP_VM: libc::c_int = 1;
    // SAFETY: a system call with integers only, which rustix does not have.
    unsafe { libc::syscall(libc::SYS_kcmp, one, other, KCMP_VM, 0, 0) == 0 }
}

#[cfg(not(target_os = "linux"))]
pub fn shares_memory(_one: u32, _other: u32) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_child_is_among_the_descendants_and_has_its_own_memory() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let own = std::process::id();
        assert!(descendants(own).contains(&child.id()));
        assert!(shares_memory(own, own));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
