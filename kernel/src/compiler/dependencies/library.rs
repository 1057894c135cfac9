//! A shared library that holds crates.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::contents::Crate;
use super::request::Request;
use super::{PREFIX, native};
use crate::compiler::definitions::tokens;
use crate::dependency_cache::DependencyCache;

/// Crates for a library, and the libraries that it lies on.
#[derive(Debug, Hash)]
pub(super) struct Layer {
    pub(super) crates: Vec<Crate>,
    pub(super) below: Vec<String>,
}

/// A compiled library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Library {
    name: String,
    crates: Vec<Crate>,
    below: Vec<String>,
}

impl Library {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn crates(&self) -> &[Crate] {
        &self.crates
    }

    pub(super) fn below(&self) -> &[String] {
        &self.below
    }

    #[cfg(test)]
    pub(super) fn of(name: &str, crates: Vec<Crate>, below: &[&str]) -> Self {
        let below = below.iter().copied().map(str::to_owned).collect();
        Self {
            name: name.to_owned(),
            crates,
            below,
        }
    }
}

impl Layer {
    /// The library of an earlier session, or a new one. The error says why there can be none.
    pub(super) fn library(
        self,
        request: &Request,
        directory: &Path,
        cache: Option<&DependencyCache>,
    ) -> Result<Library, String> {
        // The name changes with the content: the system loads one library of each name.
        let number = tokens::hash((&self, request.conditions()));
        let name = format!("{PREFIX}{number:016x}");
        let cache = cache.filter(|_| self.crates.iter().all(Crate::is_fixed));
        let file = file_name(&name);
        if !cache.is_some_and(|cache| is_restored(&file, directory, cache)) {
            self.compile(&name, request, directory)?;
            if let Some(cache) = cache {
                // A cache that cannot be written costs time.
                let _ = cache.keep_linked(&file, directory);
            }
        }
        Ok(Library {
            name,
            crates: self.crates,
            below: self.below,
        })
    }

    /// Compiles the library. The error says why that is impossible.
    fn compile(&self, name: &str, request: &Request, directory: &Path) -> Result<(), String> {
        let failed = |error: io::Error| format!("{name}: {error}");
        let crates = || self.crates.iter().enumerate();
        let mut source = String::new();
        for (number, _) in crates() {
            let _ = writeln!(source, "extern crate c{number} as _;");
        }
        source += &named(&self.below);
        let mut command = command(request, directory, name, &source).map_err(failed)?;
        for (number, each) in crates() {
            let found_at = format!("c{number}={}", each.file.display());
            command.args(["--extern", &found_at]);
        }
        // All libraries of a session are in one directory.
        command.args(arguments(directory, &self.below, "$ORIGIN"));
        // What is missing is missing now, and not when a cell is loaded. A call within the library
        // is a plain call.
        command.args(["-Clink-arg=-Wl,-z,defs", "-Clink-arg=-Wl,-Bsymbolic"]);
        if let Some(script) = native::exports(&self.crates).map_err(failed)? {
            let file = directory.join(format!("{name}.ld"));
            fs::write(&file, script).map_err(failed)?;
            command.arg(format!("-Clink-arg={}", file.display()));
        }
        output(command).map(drop)
    }
}

/// Whether the file of a library that an earlier session has linked is now in `directory`, and the
/// system can load the library: the libraries of the system may be others now.
fn is_restored(file: &str, directory: &Path, cache: &DependencyCache) -> bool {
    if !cache.restore_linked(file, directory) {
        return false;
    }
    let needed = Command::new("ldd").arg(directory.join(file)).output();
    let is_missing = needed.is_ok_and(|needed| {
        let needed = String::from_utf8_lossy(&needed.stdout).into_owned();
        needed.contains("not found")
    });
    if is_missing {
        cache.remove_linked(file);
    }
    !is_missing
}

/// The name of the file of a library.
fn file_name(library: &str) -> String {
    format!("lib{library}.so")
}

/// A command that compiles a crate of type `dylib` with this source.
pub(super) fn command(
    request: &Request,
    directory: &Path,
    name: &str,
    source: &str,
) -> io::Result<Command> {
    fs::create_dir_all(directory)?;
    let file = directory.join(format!("{name}.rs"));
    fs::write(&file, source)?;
    let mut command = Command::new(&request.rustc);
    command
        .args(["--edition=2024", "--crate-type=dylib", "--crate-name", name])
        .args(&request.flags)
        .args(["-Cprefer-dynamic", "--out-dir"])
        .args([directory, &file]);
    Ok(command)
}

/// What the command writes to standard output. The error says why it fails.
pub(super) fn output(mut command: Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(reason(&String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The arguments by which rustc finds the libraries in `directory`, and the system in `loaded_from`.
pub(super) fn arguments(directory: &Path, libraries: &[String], loaded_from: &str) -> Vec<String> {
    let file = |name: &String| -> PathBuf { directory.join(file_name(name)) };
    let found_at = |name| format!("{name}={}", file(name).display());
    let named = libraries
        .iter()
        .flat_map(|name| ["--extern".to_owned(), found_at(name)]);
    let directory = directory.display();
    let searched = [
        format!("-Ldependency={directory}"),
        format!("-Clink-arg=-Wl,-rpath,{loaded_from}"),
    ];
    named.chain(searched).collect()
}

/// Rust that links a crate to the libraries.
pub(super) fn named(libraries: &[String]) -> String {
    let line = |name| format!("extern crate {name} as _;\n");
    libraries.iter().map(line).collect()
}

/// The line of a compiler's messages that says most.
pub(super) fn reason(messages: &str) -> String {
    let line = |says: &dyn Fn(&str) -> bool| messages.lines().find(|line| says(line));
    let of_linker =
        |line: &str| line.contains("undefined symbol") || line.contains("duplicate symbol");
    let of_rustc = |line: &str| line.starts_with("error");
    let found = line(&of_linker).or_else(|| line(&of_rustc));
    let found = found.or_else(|| messages.lines().next());
    found
        .unwrap_or("the compiler failed")
        .trim()
        .trim_start_matches("= note:")
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_linkers_line_says_most() {
        let messages = "error: linking with `cc` failed: exit status: 1\n  |\n  = note: \"cc\" …\n  \
            = note: rust-lld: error: undefined symbol: f\n          >>> referenced by a.o\n";
        assert_eq!(reason(messages), "rust-lld: error: undefined symbol: f");
        assert_eq!(
            reason("warning: w\nerror[E0460]: found newer\n"),
            "error[E0460]: found newer"
        );
        assert_eq!(reason(""), "the compiler failed");
    }
}
