//! Watches and stops the commands that evcxr runs for a cell: cargo and the shell. evcxr reports
//! nothing until they end, so they are looked up among the kernel's child processes.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use memit_process::process;

use crate::compiler::{self, CELL_CRATE};
use crate::dependency_cache::Builds;
use crate::session::io::Output;

/// The programs that evcxr starts as children of the kernel.
const COMMANDS: [&str; 2] = ["cargo", "sh"];

/// Shorter builds are not reported.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the list of crates is updated.
const PACE: Duration = Duration::from_millis(200);

/// Ends the commands that evcxr waits for.
pub(crate) fn stop() {
    for pid in running() {
        process::end_with_descendants(pid);
    }
}

fn running() -> impl Iterator<Item = u32> {
    let children = process::children(std::process::id()).into_iter();
    children.filter(|pid| process::name(*pid).is_some_and(|name| COMMANDS.contains(&name.as_str())))
}

/// The crates that are being compiled, in the order in which their compilers started, without the
/// crate of the cell.
fn crates() -> Vec<String> {
    let compilers = running().flat_map(process::descendants);
    let mut names: Vec<String> = Vec::new();
    for name in compilers.filter_map(|pid| crate_name(&process::arguments(pid))) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn crate_name(arguments: &[String]) -> Option<String> {
    if let Some(package) = arguments.first().and_then(|program| build_script(program)) {
        return Some(format!("{package} (build script)"));
    }
    let name = compiler::value_of(arguments, "--crate-name")?;
    if compiler::dependencies::is_library(name) {
        return Some("the library of all dependencies".to_owned());
    }
    let is_tool = ["___", "build_script_build", CELL_CRATE].contains(&name);
    (!is_tool).then(|| name.to_owned())
}

/// The package whose build script cargo runs as `target/…/build/PACKAGE-HASH/build-script-…`.
fn build_script(program: &str) -> Option<&str> {
    let (directory, file) = program.rsplit_once('/')?;
    let (_, directory) = directory.rsplit_once('/')?;
    let (package, _hash) = directory.rsplit_once('-')?;
    file.starts_with("build-script-").then_some(package)
}

/// Reports which crates are being compiled, until it is dropped.
pub(crate) struct BuildWatch {
    ended: Option<Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl BuildWatch {
    /// Starts watching the builds of a cell.
    pub(crate) fn start(output: &Arc<dyn Output>, builds: Builds) -> Self {
        let output = Arc::clone(output);
        let (ended, end) = channel::<()>();
        let watch = move || {
            let mut shown = String::new();
            let mut pause = PATIENCE;
            while end.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                pause = PACE;
                let text = in_words(&crates(), builds.progress());
                // Between two crates there is a moment without a compiler.
                if !text.is_empty() && text != shown {
                    output.progress(Some(&text));
                    shown = text;
                } else if !shown.is_empty() && running().next().is_none() {
                    output.progress(None);
                    shown.clear();
                }
            }
            if !shown.is_empty() {
                output.progress(None);
            }
        };
        let thread = std::thread::Builder::new()
            .name("build watch".to_owned())
            .spawn(watch);
        Self {
            ended: Some(ended),
            thread: thread.ok(),
        }
    }
}

impl Drop for BuildWatch {
    fn drop(&mut self) {
        self.ended = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The most crates that are named.
const NAMED: usize = 3;
/// The width of the bar, in characters.
const WIDTH: usize = 20;

/// `progress` is the number of crates that are built, and of all.
fn in_words(crates: &[String], progress: Option<(usize, usize)>) -> String {
    if crates.is_empty() {
        return String::new();
    }
    let first = crates[..crates.len().min(NAMED)].join(", ");
    let comma = if crates.len() > NAMED { "," } else { "" };
    let text = format!("Compiling {first}{comma} …");
    match progress {
        Some((built, all)) if all > 1 => {
            let done = built * WIDTH / all;
            let bar = "█".repeat(done) + &"░".repeat(WIDTH - done);
            format!("{text} {bar} {built} of {all} crates")
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crate_of_a_compiler_is_in_its_arguments() {
        let arguments =
            |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
        assert_eq!(
            crate_name(&arguments(
                "rustc --crate-name memchr --edition=2021 src/lib.rs"
            ))
            .as_deref(),
            Some("memchr")
        );
        assert_eq!(
            crate_name(&arguments("rustc --crate-name ctx src/lib.rs")),
            None
        );
        assert_eq!(
            crate_name(&arguments("rustc - --crate-name ___ --print=cfg")),
            None
        );
        assert_eq!(crate_name(&arguments("cc -c x.c")), None);
        assert_eq!(
            crate_name(&arguments(
                "/tmp/target/debug/build/libz-sys-5f1b/build-script-build"
            ))
            .as_deref(),
            Some("libz-sys (build script)")
        );
    }

    #[test]
    fn progress_is_a_bar() {
        let crates =
            |names: &[&str]| -> Vec<String> { names.iter().map(|&name| name.to_owned()).collect() };
        assert_eq!(in_words(&[], Some((1, 2))), "");
        assert_eq!(in_words(&crates(&["log"]), None), "Compiling log …");
        assert_eq!(in_words(&crates(&["log"]), Some((0, 1))), "Compiling log …");
        assert_eq!(
            in_words(&crates(&["a", "b", "c", "d"]), Some((7, 20))),
            "Compiling a, b, c, … ███████░░░░░░░░░░░░░ 7 of 20 crates"
        );
    }
}
