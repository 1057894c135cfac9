//! What the calls of macros make: items, which stay in the session, or statements.
//!
//! evcxr takes a call between statements for an expression. Items that the call makes would end
//! with the cell. Macros of the session are expanded here, far enough to see what a call makes. For
//! other macros, the tokens of the call tell: a call that holds `struct Name` makes a struct.

mod expansion;
mod foreign;
mod fragment;
mod hygiene;
mod imports;
mod pattern;
#[cfg(test)]
mod tests;
mod trees;
mod written_out;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;

use ra_ap_syntax::ast::{self, AstNode, AstToken, HasName};
use ra_ap_syntax::{Edition, NodeOrToken, SourceFile, SyntaxKind};

use expansion::{Home, Rule};
use trees::Tree;
pub(crate) use written_out::Known;

/// The `macro_rules!` of a session.
#[derive(Debug, Clone, Default)]
pub(crate) struct Macros {
    rules: BTreeMap<String, Option<Arc<[Rule]>>>,
}

/// What a call makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Makes {
    /// Items with these names, and nothing else.
    Items(BTreeSet<String>),
    /// Items with these names, as far as the tokens of the call tell.
    PerhapsItems(BTreeSet<String>),
    /// An item of this name, or items about the item of this name.
    PerhapsOf(String),
    Statements,
}

/// How deep calls of macros in each other are expanded.
const DEPTH: usize = 32;

/// Macros of the standard library that make items.
const STANDARD_ITEMS: &[&str] = &["thread_local"];

/// Macros of the standard library that make statements, whatever they receive.
const STANDARD_STATEMENTS: &[&str] = &[
    "assert",
    "assert_eq",
    "assert_matches",
    "assert_ne",
    "cfg",
    "column",
    "compile_error",
    "concat",
    "dbg",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "env",
    "eprint",
    "eprintln",
    "file",
    "format",
    "format_args",
    "include",
    "include_bytes",
    "include_str",
    "line",
    "matches",
    "module_path",
    "option_env",
    "panic",
    "print",
    "println",
    "stringify",
    "todo",
    "try",
    "unimplemented",
    "unreachable",
    "vec",
    "write",
    "writeln",
];

impl Macros {
    /// Adds a macro, in place of an earlier one of this name.
    pub(crate) fn define(&mut self, of: &ast::MacroRules) {
        if let Some(name) = of.name() {
            let rules = expansion::rules(of).map(Arc::from);
            self.rules.insert(name.text().to_string(), rules);
        }
    }

    /// Removes the macro of this name.
    pub(crate) fn remove(&mut self, name: &str) {
        self.rules.remove(name);
    }

    /// What `call` makes.
    pub(crate) fn makes(&self, call: &ast::MacroCall) -> Makes {
        self.makes_at(call, DEPTH)
    }

    fn makes_at(&self, call: &ast::MacroCall, depth: usize) -> Makes {
        let Some(name) = name(call) else {
            return Makes::Statements;
        };
        let is_known = self.rules.contains_key(&name) && is_of_session(call);
        if !is_known && included(call).is_none() {
            return of_tokens(call, &name);
        }
        let Some(items) = self.expand(call).filter(|_| depth > 0) else {
            return Makes::Statements;
        };
        let mut names = BTreeSet::new();
        let mut is_sure = true;
        for item in items.syntax().children() {
            let Some(item) = ast::Item::cast(item) else {
                return Makes::Statements;
            };
            names.extend(item_names(&item));
            if let ast::Item::MacroCall(call) = &item {
                match self.makes_at(call, depth - 1) {
                    Makes::Items(inner) => names.extend(inner),
                    Makes::PerhapsItems(inner) => {
                        names.extend(inner);
                        is_sure = false;
                    }
                    Makes::PerhapsOf(_) => is_sure = false,
                    Makes::Statements => return Makes::Statements,
                }
            }
        }
        if is_sure {
            Makes::Items(names)
        } else {
            Makes::PerhapsItems(names)
        }
    }

    /// The items that a call of a macro of the session, or of `include!`, becomes; `None` if the call
    /// becomes nothing, or something else.
    pub(crate) fn expand(&self, call: &ast::MacroCall) -> Option<SourceFile> {
        let text = if let Some(path) = included(call) {
            fs::read_to_string(path).ok()?
        } else {
            let rules = self.rules.get(&name(call)?);
            let rules = rules.filter(|_| is_of_session(call))?;
            let arguments = trees::inside(&call.token_tree()?);
            let expanded = expansion::expand(rules.as_ref()?, &arguments, Home::default())?;
            let mut text = String::new();
            trees::write(&expanded, &mut text);
            text
        };
        let parsed = SourceFile::parse(&text, Edition::Edition2024);
        let is_items = parsed.errors().is_empty() && !text.trim().is_empty();
        is_items.then(|| parsed.tree())
    }
}

/// The file that `call` includes.
fn included(call: &ast::MacroCall) -> Option<String> {
    if name(call)? != "include" {
        return None;
    }
    let tokens = call.token_tree()?.syntax().children_with_tokens();
    let mut strings = tokens.filter_map(|token| ast::String::cast(token.into_token()?));
    Some(strings.next()?.value().ok()?.into_owned())
}

/// The name of the called macro, without the path to it.
pub(crate) fn name(call: &ast::MacroCall) -> Option<String> {
    Some(call.path()?.segment()?.name_ref()?.text().to_string())
}

/// Whether the path of `call` can lead to a `macro_rules!` of the session.
fn is_of_session(call: &ast::MacroCall) -> bool {
    let path = call.path().map(|path| path.syntax().text().to_string());
    path.is_some_and(|path| !path.replace("crate::", "").contains("::"))
}

/// What a call makes whose macro is unknown.
fn of_tokens(call: &ast::MacroCall, name: &str) -> Makes {
    let trees = call.token_tree().map(|tree| trees::inside(&tree));
    let trees = trees.unwrap_or_default();
    let names = defined_names(&trees);
    if STANDARD_ITEMS.contains(&name) {
        return Makes::Items(names);
    }
    if STANDARD_STATEMENTS.contains(&name) || name.starts_with("memit_") {
        return Makes::Statements;
    }
    let first = trees.first().and_then(Tree::word);
    let has_keyword = trees.iter().filter_map(Tree::word).any(defines);
    if has_keyword {
        Makes::PerhapsItems(names)
    } else if let Some(first) = first
        && first.starts_with(char::is_uppercase)
        && !is_value(call)
    {
        Makes::PerhapsOf(first.to_owned())
    } else {
        Makes::Statements
    }
}

/// Whether `word` begins an item.
fn defines(word: &str) -> bool {
    DEFINING.contains(&word) || ["impl", "macro_rules", "use"].contains(&word)
}

/// Whether `call` is an expression without a semicolon.
fn is_value(call: &ast::MacroCall) -> bool {
    let expression = call
        .syntax()
        .parent()
        .filter(|it| ast::MacroExpr::can_cast(it.kind()));
    expression.is_some_and(|expression| {
        let statement = expression.parent().and_then(ast::ExprStmt::cast);
        statement.is_none_or(|statement| statement.semicolon_token().is_none())
    })
}

/// Words that stand before the name of an item.
const DEFINING: [&str; 9] = [
    "const", "enum", "fn", "mod", "static", "struct", "trait", "type", "union",
];

/// The names behind `struct`, `static ref` and other words that define something.
fn defined_names(trees: &[Tree]) -> BTreeSet<String> {
    const BETWEEN: [&str; 7] = ["async", "const", "extern", "fn", "mut", "ref", "unsafe"];
    let mut names = BTreeSet::new();
    for (at, tree) in trees.iter().enumerate() {
        if !DEFINING.iter().any(|word| tree.is(word)) {
            continue;
        }
        let words = trees[at + 1..].iter().map_while(Tree::word);
        let mut words = words.skip_while(|word| BETWEEN.contains(word));
        names.extend(words.next().filter(|word| *word != "_").map(str::to_owned));
    }
    names
}

/// The names that `item` defines or imports.
pub(crate) fn item_names(item: &ast::Item) -> Vec<String> {
    let name = match item {
        ast::Item::Const(of) => of.name(),
        ast::Item::Enum(of) => of.name(),
        ast::Item::Fn(of) => of.name(),
        ast::Item::MacroRules(of) => of.name(),
        ast::Item::MacroDef(of) => of.name(),
        ast::Item::Module(of) => of.name(),
        ast::Item::Static(of) => of.name(),
        ast::Item::Struct(of) => of.name(),
        ast::Item::Trait(of) => of.name(),
        ast::Item::TypeAlias(of) => of.name(),
        ast::Item::Union(of) => of.name(),
        ast::Item::Use(of) => {
            return of
                .use_tree()
                .map(|tree| imported(&tree))
                .unwrap_or_default();
        }
        _ => None,
    };
    name.map(|name| name.text().to_string())
        .into_iter()
        .collect()
}

/// The traits and types of the implementations in `file`, as they are written.
pub(crate) fn implemented(file: &SourceFile) -> Vec<String> {
    let implementations = file.syntax().children().filter_map(ast::Impl::cast);
    let header = |of: ast::Impl| {
        let [of_trait, of_type] = [of.trait_()?, of.self_ty()?];
        Some(format!(
            "{} for {}",
            of_trait.syntax().text(),
            of_type.syntax().text()
        ))
    };
    implementations.filter_map(header).collect()
}

/// The names that `tree` imports.
fn imported(tree: &ast::UseTree) -> Vec<String> {
    if let Some(list) = tree.use_tree_list() {
        return list.use_trees().flat_map(|tree| imported(&tree)).collect();
    }
    let name = match tree.rename() {
        Some(rename) => rename.name().map(|name| name.text().to_string()),
        None => tree
            .path()
            .and_then(|path| path.segment()?.name_ref())
            .map(|name| name.text().to_string()),
    };
    name.filter(|_| tree.star_token().is_none())
        .into_iter()
        .collect()
}

/// The names among the arguments of `call`.
pub(crate) fn names(call: &ast::MacroCall) -> Vec<String> {
    let tree = call.token_tree().into_iter();
    let tokens = tree.flat_map(|tree| tree.syntax().descendants_with_tokens());
    let tokens = tokens.filter_map(NodeOrToken::into_token);
    let names = tokens.filter(|token| token.kind() == SyntaxKind::IDENT);
    names.map(|token| token.text().to_owned()).collect()
}

/// The items among the arguments of `call`, as an analyser reads them that cannot expand the call.
pub(crate) fn declared(call: &ast::MacroCall) -> Option<SourceFile> {
    let statics = statics(call);
    let text = if statics.is_empty() {
        let mut text = String::new();
        trees::write(&trees::inside(&call.token_tree()?), &mut text);
        text
    } else {
        statics.concat()
    };
    let parsed = SourceFile::parse(&text, Edition::Edition2024);
    parsed.errors().is_empty().then(|| parsed.tree())
}

/// Declarations of the statics that `call` makes.
fn statics(call: &ast::MacroCall) -> Vec<String> {
    let name = name(call);
    let reference = match name.as_deref() {
        Some("thread_local") => ("::std::thread::LocalKey<", ">"),
        Some("lazy_static") => ("&'static ", ""),
        _ => return Vec::new(),
    };
    let trees = call.token_tree().map(|tree| trees::inside(&tree));
    let trees = trees.unwrap_or_default();
    let starts = trees
        .iter()
        .enumerate()
        .filter(|(_, tree)| tree.is("static"));
    let declared = starts.filter_map(|(at, _)| {
        let is_ref = trees.get(at + 1).is_some_and(|tree| tree.is("ref"));
        let [name, colon, of @ ..] = trees.get(at + 1 + usize::from(is_ref)..)? else {
            return None;
        };
        let length = fragment::length("ty", of).filter(|_| colon.is(":"))?;
        let mut text = String::new();
        trees::write(&of[..length], &mut text);
        let (before, after) = reference;
        let name = name.word()?;
        Some(format!("static {name}: {before}{text}{after} = loop {{}};"))
    });
    declared.collect()
}
