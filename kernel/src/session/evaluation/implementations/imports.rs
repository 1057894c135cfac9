//! The names that a session imports, so that a trait or a type is the same in whichever way it is
//! written: `std::fmt::Debug`, `fmt::Debug`, `Debug`.

use std::collections::BTreeMap;

use ra_ap_syntax::ast::{self, AstNode, HasName};

use crate::compiler::definitions::tokens;

/// The imported names with the words of their paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Imports(BTreeMap<String, Vec<String>>);

/// Traits that need no import, with their modules.
const PRELUDE: &[(&str, &str)] = &[
    ("AsMut", "convert"),
    ("AsRef", "convert"),
    ("Clone", "clone"),
    ("Copy", "marker"),
    ("Default", "default"),
    ("DoubleEndedIterator", "iter"),
    ("Drop", "ops"),
    ("Eq", "cmp"),
    ("ExactSizeIterator", "iter"),
    ("Extend", "iter"),
    ("From", "convert"),
    ("FromIterator", "iter"),
    ("Into", "convert"),
    ("IntoIterator", "iter"),
    ("Iterator", "iter"),
    ("Ord", "cmp"),
    ("PartialEq", "cmp"),
    ("PartialOrd", "cmp"),
    ("Send", "marker"),
    ("Sync", "marker"),
    ("ToOwned", "borrow"),
    ("ToString", "string"),
    ("TryFrom", "convert"),
    ("TryInto", "convert"),
    ("Unpin", "marker"),
];

/// More imports of imported names than this are a circle.
const DEPTH: usize = 8;

impl Imports {
    /// Adds the names that `item` imports, and removes the name that `item` defines.
    pub(super) fn add(&mut self, item: &ast::Item) {
        match item {
            ast::Item::Use(of) => {
                if let Some(tree) = of.use_tree() {
                    self.add_tree(&tree, &[]);
                }
            }
            item => {
                if let Some(name) = item.syntax().children().find_map(ast::Name::cast) {
                    self.0.remove(name.text());
                }
            }
        }
    }

    fn add_tree(&mut self, tree: &ast::UseTree, before: &[String]) {
        let mut path = before.to_vec();
        if let Some(more) = tree.path() {
            let text = tokens::text(more.syntax());
            path.extend(words(&text).filter(|word| word != "::"));
        }
        path.pop_if(|last| last == "self");
        if let Some(list) = tree.use_tree_list() {
            for tree in list.use_trees() {
                self.add_tree(&tree, &path);
            }
            return;
        }
        let name = match tree.rename() {
            Some(rename) => rename.name().map(|name| name.text().to_string()),
            None => path.last().cloned(),
        };
        if let Some(name) = name.filter(|_| tree.star_token().is_none()) {
            self.0.insert(name, path);
        }
    }

    /// The tokens of a type, with full paths.
    pub(super) fn resolve(&self, tokens: &[String]) -> Vec<String> {
        let mut resolved = Vec::new();
        let mut rest = tokens.iter().peekable();
        while let Some(token) = rest.next() {
            if !is_word(token) {
                resolved.push(token.clone());
                continue;
            }
            let mut path = vec![token.clone()];
            while rest.next_if(|next| *next == "::").is_some() {
                path.extend(rest.next_if(|next| is_word(next)).cloned());
            }
            let is_global = resolved.pop_if(|before| before == "::").is_some();
            if !is_global {
                self.complete(&mut path);
            }
            if ["core", "alloc"].contains(&path[0].as_str()) {
                "std".clone_into(&mut path[0]);
            }
            resolved.push(path.join("::"));
        }
        resolved
    }

    /// Puts the path of an import in the place of its name.
    fn complete(&self, path: &mut Vec<String>) {
        if path.len() > 1 && ["crate", "self"].contains(&path[0].as_str()) {
            path.remove(0);
        }
        let mut first = path.remove(0);
        for _ in 0..DEPTH {
            let Some((name, before)) = self.0.get(&first).and_then(|of| of.split_first()) else {
                break;
            };
            path.splice(..0, before.iter().cloned());
            // The import of a crate has its own name.
            let is_done = *name == first;
            first.clone_from(name);
            if is_done {
                break;
            }
        }
        if path.is_empty()
            && let Some((_, module)) = PRELUDE.iter().find(|(name, _)| *name == first)
        {
            path.extend(["std".to_owned(), (*module).to_owned()]);
            path.push(first);
        } else {
            path.insert(0, first);
        }
    }
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace().map(str::to_owned)
}
