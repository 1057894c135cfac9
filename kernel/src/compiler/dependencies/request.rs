//! What cargo asks the compiler of a cell to link.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;

use super::contents::Crate;
use crate::compiler::definitions::tokens;
use crate::compiler::externs;

/// The dependencies in the arguments of rustc, and the arguments that a library of them needs, too.
pub(super) struct Request {
    pub(super) rustc: OsString,
    /// The dependencies by the name that the cell knows.
    pub(super) dependencies: BTreeMap<String, Crate>,
    /// Target, search paths and code generation.
    pub(super) flags: Vec<String>,
}

/// Options of code generation that belong to one crate.
const OWN: [&str; 4] = [
    "metadata=",
    "extra-filename=",
    "incremental=",
    "codegen-units=",
];

/// Options with a value behind them that hold for all crates.
const COMMON: [&str; 2] = ["--target", "-L"];

impl Request {
    /// # Errors
    ///
    /// If a dependency cannot be read.
    pub(super) fn of(rustc: &OsStr, arguments: &[String]) -> io::Result<Self> {
        // Macros that run in the compiler are shared libraries, and not for the cell.
        let linked = externs(arguments)
            .filter(|(_, file)| Path::new(file).extension().is_some_and(|of| of == "rlib"));
        let dependencies = linked.map(|(name, file)| Ok((name.to_owned(), Crate::at(file)?)));
        Ok(Self {
            rustc: rustc.to_owned(),
            dependencies: dependencies.collect::<io::Result<_>>()?,
            flags: flags(arguments),
        })
    }

    /// A number for the dependencies in the state in which they are, and for how they are compiled. All
    /// sessions have the same number, wherever they build.
    pub(super) fn key(&self) -> u64 {
        tokens::hash((self.conditions(), &self.dependencies))
    }

    /// A number for the compiler and its flags.
    pub(super) fn conditions(&self) -> u64 {
        let builds = std::env::current_dir().unwrap_or_default();
        let builds = builds.to_string_lossy();
        let flags: Vec<_> = self
            .flags
            .iter()
            .map(|flag| flag.replace(&*builds, ""))
            .collect();
        // An update of the toolchain writes another compiler to the same place.
        let compiler = Crate::at(&self.rustc).ok();
        tokens::hash((&self.rustc, compiler, flags))
    }

    /// The directories of compiled crates.
    pub(super) fn folders(&self) -> impl Iterator<Item = &Path> {
        let flags = self.flags.iter();
        flags.filter_map(|flag| flag.strip_prefix("dependency=").map(Path::new))
    }

    /// A request for each dependency alone.
    pub(super) fn one_by_one(&self) -> impl Iterator<Item = Self> {
        self.dependencies.iter().map(|(name, of)| Self {
            rustc: self.rustc.clone(),
            dependencies: BTreeMap::from([(name.clone(), of.clone())]),
            flags: self.flags.clone(),
        })
    }

    /// Whether a cell with this source names a dependency.
    pub(super) fn is_used(&self, source: &str) -> bool {
        let words = source.split(|c: char| !c.is_alphanumeric() && c != '_');
        !self.dependencies.is_empty()
            && words
                .into_iter()
                .any(|word| self.dependencies.contains_key(word))
    }
}

fn flags(arguments: &[String]) -> Vec<String> {
    let mut flags = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "-C" || COMMON.contains(&argument.as_str()) {
            let Some(value) = arguments.next() else { break };
            if !OWN.iter().any(|own| value.starts_with(own)) {
                flags.extend([argument.clone(), value.clone()]);
            }
        } else if argument.starts_with("-C") || argument.starts_with("-Z") {
            flags.push(argument.clone());
        }
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_library_is_compiled_as_the_cell() {
        let cell = "--crate-name ctx --edition=2024 src/lib.rs --crate-type cdylib --emit=link \
            -C opt-level=3 -C codegen-units=16 -C metadata=66 -C rpath --out-dir /t/deps --target \
            x86_64-unknown-linux-gnu -C incremental=/t/i -L dependency=/t/deps --extern a=/t/liba.so \
            -Cprefer-dynamic";
        let kept = flags(&arguments(cell)).join(" ");
        assert_eq!(
            kept,
            "-C opt-level=3 -C rpath --target x86_64-unknown-linux-gnu -L dependency=/t/deps -Cprefer-dynamic"
        );
    }

    #[test]
    fn a_cell_that_names_no_dependency_uses_none() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("liblog-1.rlib");
        std::fs::write(&file, "").unwrap();
        let extern_log = ["--extern".to_owned(), format!("log={}", file.display())];
        let request = Request::of(OsStr::new("rustc"), &extern_log).unwrap();
        assert!(request.is_used("fn f() { log::info!() }"));
        assert!(!request.is_used("let catalog = 1; blog::log_it()"));
        let none = Request::of(
            OsStr::new("rustc"),
            &arguments("--extern derive=/t/libderive.so"),
        )
        .unwrap();
        assert!(!none.is_used("derive"));
    }
}
