//! Dependencies that another session has compiled.

use std::path::PathBuf;
use std::thread::JoinHandle;

use memit_magics::cell::{self, syntax::Statements};
use memit_session_process::supervisor;

use super::Engine;
use crate::compiler::runtime;
use crate::dependency_cache::DependencyCache;

/// Writes the dependencies of the session to the cache, on a thread of its own.
#[derive(Default)]
pub(super) struct Keeping {
    thread: Option<JoinHandle<()>>,
}

impl Keeping {
    fn wait(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        self.wait();
    }
}

impl Engine {
    /// Gives cargo what the cache has of the packages that the source adds. Returns whether there are any
    /// such packages.
    pub(super) fn restore_dependencies(&mut self, source: &str, statements: &Statements) -> bool {
        let mut names = added(source);
        if statements.awaits() {
            // evcxr adds the crate of the runtime by itself.
            names.push(runtime::CRATE.to_owned());
        }
        names.retain(|name| !self.restored.contains(name));
        if names.is_empty() {
            return false;
        }
        if let Some(cache) = DependencyCache::of_user() {
            self.keeping.wait();
            let units = cache.restore(&names, &self.builds().join("target"));
            tracing::debug!("{units} units of {names:?} are those of an earlier session");
        }
        self.restored.extend(names);
        true
    }

    /// Keeps the dependencies that cargo has compiled for later sessions.
    pub(super) fn keep_dependencies(&mut self) {
        let Some(cache) = DependencyCache::of_user() else {
            return;
        };
        self.keeping.wait();
        let builds = self.builds();
        let keep = move || {
            if let Err(error) = cache.keep(&builds.join("Cargo.lock"), &builds.join("target")) {
                tracing::debug!("dependency cache: {error}");
            }
        };
        let thread = std::thread::Builder::new().name("dependency cache".to_owned());
        self.keeping.thread = thread.spawn(keep).ok();
    }

    /// The directory of the crate that evcxr builds.
    pub(super) fn builds(&self) -> PathBuf {
        self.link.directory().join(supervisor::COMPILED)
    }
}

/// The names of the packages that the `:dep`s of a source add.
fn added(source: &str) -> Vec<String> {
    let (commands, _) = cell::split_commands(source);
    let lines = commands
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix(":dep"));
    let names = lines.filter_map(|rest| rest.split(['=', ' ', '\t']).find(|name| !name.is_empty()));
    names
        .map(|name| name.trim_matches('"').to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn added_packages_are_those_of_the_commands() {
        let source = ":dep rayon\n  :dep serde = { version = \"1\" }\n:dep \"log\"=\"0.4\"\n:vars\nlet dep = 1;";
        assert_eq!(added(source), ["rayon", "serde", "log"]);
        assert!(added("let a = \":dep b\";").is_empty());
    }
}
