//! Python programs: `memory_profiler` records their functions in the same profile.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, Stdio};

use super::arguments::RunArgs;

/// The command line to show, and the command line to run.
///
/// Like `mprof`, memit runs a script under `memory_profiler`, if that is installed, so that the
/// profile has time stamps of the decorated functions.
pub(super) fn command_line(arguments: &RunArgs, file: &Path) -> (Vec<OsString>, Vec<OsString>) {
    let mut words = arguments.program.clone();
    let first = words.first().cloned().unwrap_or_default();
    let is_script = first.as_encoded_bytes().ends_with(b".py");
    if arguments.nopython || !(is_script || arguments.python) {
        return (words.clone(), words);
    }
    if !is_python(&first) {
        words.insert(0, interpreter());
    }
    let shown = words.clone();
    // `memory_profiler` cannot tell processes apart, so `mprof` leaves it out as well.
    if !arguments.record.multiprocess && has_memory_profiler(&words[0]) {
        let mut more = ["-m", "memory_profiler", "--timestamp", "-o"]
            .map(OsString::from)
            .to_vec();
        more.push(file.into());
        if arguments.record.include_children {
            more.push("--include-children".into());
        }
        words.splice(1..1, more);
    }
    (shown, words)
}

fn is_python(program: &OsStr) -> bool {
    let name = Path::new(program).file_name().unwrap_or_default();
    name.as_encoded_bytes().starts_with(b"python")
}

/// The Python of the active environment, or else of the system.
fn interpreter() -> OsString {
    let answers = |name: &&str| {
        let mut python = Command::new(name);
        python
            .arg("--version")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        python.status().is_ok_and(|status| status.success())
    };
    // Environments have a `python`; elsewhere `python` may be missing or be Python 2.
    let found = ["python", "python3"].into_iter().find(answers);
    found.unwrap_or("python3").into()
}

fn has_memory_profiler(python: &OsStr) -> bool {
    let script = "import importlib.util, sys; \
        sys.exit(importlib.util.find_spec('memory_profiler') is None)";
    let mut python = Command::new(python);
    python
        .args(["-c", script])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    python.status().is_ok_and(|status| status.success())
}
