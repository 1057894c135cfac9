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

/// The macros of a crate by name; `None` for a name of several macros, of which `#[cfg]` chooses one.
pub(super) type Exported = BTreeMap<String, Option<ForeignMacro>>;

/// The macros that the crate in `library` exports.
pub(super) fn exported(library: &Path) -> Exported {
    let mut exported = Exported::new();
    for source in sources(library).unwrap_or_default() {
        let Ok(text) = fs::read_to_string(source) else {
            continue;
        };
        if text.contains("macro_export") {
            add(&text, &mut exported);
        }
    }
    exported
}

fn add(source: &str, exported: &mut Exported) {
    let file = SourceFile::parse(source, Edition::Edition2024).tree();
    for of in file
        .syntax()
        .descendants()
        .filter_map(ast::MacroRules::cast)
    {
        let mut attributes = of.attrs().map(|attribute| attribute.syntax().to_string());
        let export = attributes.find(|attribute| attribute.contains("macro_export"));
        let (Some(export), Some(name)) = (export, of.name()) else {
            continue;
        };
        let foreign = expansion::rules(&of).map(|rules| ForeignMacro {
            rules: rules.into(),
            has_inner_macros: export.contains("local_inner_macros"),
        });
        exported
            .entry(name.text().to_string())
            .and_modify(|other| *other = None)
            .or_insert(foreign);
    }
}

/// The sources of `library`, from the file that rustc writes beside the library for cargo.
fn sources(library: &Path) -> Option<Vec<PathBuf>> {
    let name = library.file_stem()?.to_str()?.strip_prefix("lib")?;
    let rules = fs::read_to_string(library.with_file_name(format!("{name}.d"))).ok()?;
    let (_, sources) = rules.lines().next()?.split_once(": ")?;
    // A blank in a path is behind a backslash.
    let sources = sources.replace("\\ ", "\0");
    let sources = sources.split(' ').map(|path| path.replace('\0', " "));
    let is_rust = |path: &PathBuf| path.extension().is_some_and(|of| of == "rs");
    Some(sources.map(PathBuf::from).filter(is_rust).collect())
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
        let exported = exported(&library);
        let found: Vec<_> = exported
            .iter()
            .map(|(name, of)| (name.as_str(), of.as_ref().map(|of| of.has_inner_macros)))
            .collect();
        assert_eq!(
            found,
            [
                ("either", None),
                ("inner", Some(false)),
                ("outer", Some(true))
            ]
        );
        assert!(super::exported(Path::new("/none/libnone.rlib")).is_empty());
    }
}
