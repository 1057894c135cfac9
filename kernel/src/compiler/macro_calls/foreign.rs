//! The `macro_rules!` of dependencies, from the sources that rustc has compiled.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ra_ap_syntax::ast::{self, AstNode, HasAttrs, HasName};
use ra_ap_syntax::{Edition, SourceFile};

use super::expansion::{self, Rule};

/// A macro that other crates can call.
#[derive(Debug, Clone)]
pub(super) struct ForeignMacro {
    pub(super) rules: Arc<[Rule]>,
    /// Whether macros that the macro calls are in its crate (`local_inner_macros`).
    pub(super) has_inner_macros: bool,
}

/// The sources of a crate that export macros.
#[derive(Debug, Default)]
pub(super) struct ForeignSources {
    texts: Vec<String>,
    /// The macros that were looked for.
    known: BTreeMap<String, Option<ForeignMacro>>,
}

impl ForeignSources {
    /// The sources of the crate in `library`.
    pub(super) fn of(library: &Path) -> Self {
        let sources = sources(library).unwrap_or_default().into_iter();
        let texts = sources.filter_map(|source| fs::read_to_string(source).ok());
        Self {
            texts: texts.filter(|text| text.contains("macro_export")).collect(),
            known: BTreeMap::new(),
        }
    }

    /// The macro of this name; `None` if there are several, of which `#[cfg]` chooses one.
    pub(super) fn exported(&mut self, name: &str) -> Option<ForeignMacro> {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        let definition = format!("macro_rules! {name}");
        let files = self.texts.iter().filter(|text| text.contains(&definition));
        let mut found = files.flat_map(|text| defined(text, name));
        let only = found.next().filter(|_| found.next().is_none()).flatten();
        self.known.insert(name.to_owned(), only.clone());
        only
    }
}

/// The macros of this name that `source` exports; `None` for a macro that cannot be read.
fn defined(source: &str, name: &str) -> Vec<Option<ForeignMacro>> {
    let file = SourceFile::parse(source, Edition::Edition2024).tree();
    let macros = file
        .syntax()
        .descendants()
        .filter_map(ast::MacroRules::cast);
    let named = macros.filter(|of| of.name().is_some_and(|it| it.text() == name));
    let exported = named.filter_map(|of| {
        let mut attributes = of.attrs().map(|attribute| attribute.syntax().to_string());
        let export = attributes.find(|attribute| attribute.contains("macro_export"))?;
        Some(expansion::rules(&of).map(|rules| ForeignMacro {
            rules: rules.into(),
            has_inner_macros: export.contains("local_inner_macros"),
        }))
    });
    exported.collect()
}

/// The sources of `library`, from the file that rustc writes beside the library for cargo. `None` if a
/// path is relative to a directory that only cargo knows.
fn sources(library: &Path) -> Option<Vec<PathBuf>> {
    let name = library.file_stem()?.to_str()?.strip_prefix("lib")?;
    let rules = fs::read_to_string(library.with_file_name(format!("{name}.d"))).ok()?;
    let (_, sources) = rules.lines().next()?.split_once(": ")?;
    // A blank in a path is behind a backslash.
    let sources = sources.replace("\\ ", "\0");
    let sources = sources.split(' ').map(|path| path.replace('\0', " "));
    let paths: Vec<_> = sources.map(PathBuf::from).collect();
    paths.iter().all(|path| path.is_absolute()).then_some(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_macros_of_a_crate_are_in_its_sources() {
        let directory = tempfile::tempdir().unwrap();
        let source = directory.path().join("a crate.rs");
        let text = "#[macro_export(local_inner_macros)] macro_rules! outer { () => { inner!(); } }\n\
                    #[doc(hidden)] #[macro_export] macro_rules! inner { () => { struct S; } }\n\
                    #[macro_export] #[cfg(a)] macro_rules! either { () => {} }\n\
                    #[macro_export] #[cfg(b)] macro_rules! either { () => {} }\n\
                    macro_rules! private { () => {} }\n";
        fs::write(&source, text).unwrap();
        let escaped = source.display().to_string().replace(' ', "\\ ");
        let library = directory.path().join("libshapes-1.rlib");
        let rules = format!("/deps/shapes-1.d: {escaped} /none/README.md\n\n{escaped}:\n");
        fs::write(directory.path().join("shapes-1.d"), rules).unwrap();
        let has_inner_macros = |name: &str| {
            let found = ForeignSources::of(&library).exported(name)?;
            Some(found.has_inner_macros)
        };
        assert_eq!(has_inner_macros("outer"), Some(true));
        assert_eq!(has_inner_macros("inner"), Some(false));
        assert_eq!(has_inner_macros("either"), None);
        assert_eq!(has_inner_macros("private"), None);
        fs::write(directory.path().join("shapes-1.d"), "x.d: src/lib.rs\n").unwrap();
        assert_eq!(has_inner_macros("outer"), None, "a path that cargo knows");
    }
}
