//! The names that a source imports from its dependencies.

use std::collections::{BTreeMap, BTreeSet};

use ra_ap_syntax::SyntaxNode;
use ra_ap_syntax::ast::{self, AstNode, HasAttrs, HasName};

/// Imports in any module of a source.
#[derive(Debug, Default)]
pub(super) struct Imports {
    /// Paths by the name that stands for them.
    paths: BTreeMap<String, BTreeSet<String>>,
    /// The crates of which everything is imported.
    globs: BTreeSet<String>,
}

impl Imports {
    pub(super) fn of(file: &SyntaxNode) -> Self {
        let mut imports = Self::default();
        for item in file.descendants() {
            if let Some(tree) = ast::Use::cast(item.clone()).and_then(|of| of.use_tree()) {
                imports.add(&tree, "");
            } else if let Some(of) = ast::ExternCrate::cast(item)
                && of
                    .attrs()
                    .any(|attribute| attribute.syntax().to_string().contains("macro_use"))
            {
                let name = of.name_ref().map(|name| name.text().to_string());
                imports.globs.extend(name);
            }
        }
        imports
    }

    fn add(&mut self, tree: &ast::UseTree, before: &str) {
        let path = tree.path().map(|path| path.syntax().text().to_string());
        let path = match path {
            Some(path) if before.is_empty() => path.trim_start_matches("::").to_owned(),
            Some(path) => format!("{before}::{path}"),
            None => before.to_owned(),
        };
        if let Some(list) = tree.use_tree_list() {
            for tree in list.use_trees() {
                self.add(&tree, &path);
            }
        } else if tree.star_token().is_some() {
            self.globs.insert(path);
        } else {
            let renamed = tree.rename().and_then(|rename| rename.name());
            let last = path.rsplit("::").next().unwrap_or_default().to_owned();
            let name = renamed.map_or(last, |name| name.text().to_string());
            self.paths.entry(name).or_default().insert(path);
        }
    }

    /// The crate and the name there of the macro that `name` stands for; `None` if several macros could be
    /// meant. `has` says whether a crate has a macro of this name.
    pub(super) fn find(&self, name: &str, has: impl Fn(&str) -> bool) -> Option<(String, String)> {
        if let Some(paths) = self.paths.get(name) {
            let path = paths.first().filter(|_| paths.len() == 1)?;
            let (crate_, name) = path.split_once("::")?;
            return Some((crate_.to_owned(), name.to_owned()));
        }
        let mut crates = self.globs.iter().filter(|crate_| has(crate_));
        let only = crates.next().filter(|_| crates.next().is_none())?;
        Some((only.clone(), name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ra_ap_syntax::{Edition, SourceFile};

    #[test]
    fn a_macro_is_found_by_its_import() {
        let source = "use a::one; use ::b::{two, deep::three as four}; use c::*; mod m { use d::five; }\n\
                      use e::five; #[macro_use] extern crate f;";
        let file = SourceFile::parse(source, Edition::Edition2024).tree();
        let imports = Imports::of(file.syntax());
        let find = |name: &str, with: &[&str]| imports.find(name, |of| with.contains(&of));
        let some = |crate_: &str, name: &str| Some((crate_.to_owned(), name.to_owned()));
        assert_eq!(find("one", &[]), some("a", "one"));
        assert_eq!(find("two", &[]), some("b", "two"));
        assert_eq!(find("four", &[]), some("b", "deep::three"));
        assert_eq!(find("five", &[]), None, "two macros of this name");
        assert_eq!(find("six", &["c"]), some("c", "six"));
        assert_eq!(find("six", &["c", "f"]), None);
        assert_eq!(find("six", &[]), None);
    }
}
