//! How a cell writes a type.

use ra_ap_syntax::ast::{self, AstNode};
use ra_ap_syntax::{Edition, SourceFile, SyntaxNode};

/// `!`, which is a type of its own only in nightly Rust, through the result of a function.
const NEVER: &str = "<fn() -> ! as ::memit_session::FunctionResult>::Value";

/// The syntax of a type; `None` if `text` is no type.
pub(super) fn parsed(text: &str) -> Option<SyntaxNode> {
    let file = SourceFile::parse(&format!("type T = {text};"), Edition::Edition2024);
    let alias = file
        .tree()
        .syntax()
        .children()
        .find_map(ast::TypeAlias::cast)?;
    let of = alias.ty()?.syntax().clone();
    (file.errors().is_empty() && of.text() == text).then_some(of)
}

/// The type with `!` written in a way that every Rust accepts, in one line.
pub(super) fn never_written_out(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some(of) = parsed(&text) else { return text };
    let start = of.text_range().start();
    let is_result = |never: &ast::NeverType| {
        let parent = never.syntax().parent();
        parent.is_some_and(|parent| ast::RetType::can_cast(parent.kind()))
    };
    let nevers = of.descendants().filter_map(ast::NeverType::cast);
    let mut written = text.clone();
    let places: Vec<_> = nevers
        .filter(|never| !is_result(never))
        .map(|never| never.syntax().text_range() - start)
        .collect();
    for place in places.into_iter().rev() {
        written.replace_range(usize::from(place.start())..usize::from(place.end()), NEVER);
    }
    written
}

/// The type that rustc names so, as a cell could write it; `None` if a part of the type has no
/// name.
pub(crate) fn of_rustc(name: &str, cell_crate: &str) -> Option<String> {
    if name.contains("{{") {
        return None;
    }
    let mut written = String::new();
    let mut rest = name;
    while !rest.is_empty() {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let word = rest.split(|c| !is_part(c)).next().unwrap_or_default();
        if word.is_empty() {
            let next = rest.chars().next()?;
            written.push(next);
            rest = &rest[next.len_utf8()..];
            continue;
        }
        rest = &rest[word.len()..];
        let is_first = rest.starts_with("::") && !written.ends_with("::");
        match word {
            _ if !is_first => written.push_str(word),
            _ if word == cell_crate => written.push_str("crate"),
            // A cell has no `extern crate alloc`.
            "alloc" => written.push_str("::std"),
            _ => {
                written.push_str("::");
                written.push_str(word);
            }
        }
    }
    for (private, public) in PUBLIC {
        written = written.replace(private, public);
    }
    Some(never_written_out(&written))
}

/// Private modules of the library, and the public ones with the same types.
const PUBLIC: [(&str, &str); 8] = [
    (
        "::std::collections::hash::map::",
        "::std::collections::hash_map::",
    ),
    (
        "::std::collections::hash::set::",
        "::std::collections::hash_set::",
    ),
    (
        "::std::collections::btree::map::",
        "::std::collections::btree_map::",
    ),
    (
        "::std::collections::btree::set::",
        "::std::collections::btree_set::",
    ),
    ("::std::thread::join_handle::", "::std::thread::"),
    ("::std::sync::poison::mutex::", "::std::sync::"),
    ("::std::sync::poison::rwlock::", "::std::sync::"),
    ("::core::str::iter::", "::core::str::"),
];

/// `text` with the unqualified name `name` replaced by `path`; `None` if the name does not occur.
pub(super) fn qualified(text: &str, name: &str, path: &str) -> Option<String> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut written = String::new();
    let mut copied = 0;
    for (at, _) in text.match_indices(name) {
        let before = &text[copied..at];
        let is_whole =
            !text[..at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part);
        if is_whole && !text[..at].ends_with("::") {
            written.push_str(before);
            written.push_str("::");
            written.push_str(path);
            copied = at + name.len();
        }
    }
    (copied > 0).then(|| written + &text[copied..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_is_written_through_a_function() {
        let written = never_written_out("std::thread::JoinHandle<!>");
        assert_eq!(written, format!("std::thread::JoinHandle<{NEVER}>"));
        assert_eq!(never_written_out("fn() -> !"), "fn() -> !");
        assert_eq!(never_written_out("Vec<\n  u8>"), "Vec< u8>");
    }

    #[test]
    fn paths_of_rustc_become_paths_of_a_cell() {
        let written = |name| of_rustc(name, "ctx");
        assert_eq!(
            written("alloc::vec::Vec<ctx::shapes::Metre>").as_deref(),
            Some("::std::vec::Vec<crate::shapes::Metre>")
        );
        assert_eq!(
            written("(&str, dyn core::any::Any + core::marker::Send)").as_deref(),
            Some("(&str, dyn ::core::any::Any + ::core::marker::Send)")
        );
        assert_eq!(written("ctx::run_user_code_1::{{closure}}"), None);
    }

    #[test]
    fn an_unqualified_name_gets_its_path() {
        let text = "Result<i32, Box<dyn Any + Send>>";
        assert_eq!(
            qualified(text, "Any", "std::any::Any").as_deref(),
            Some("Result<i32, Box<dyn ::std::any::Any + Send>>")
        );
        assert_eq!(qualified("std::any::Any", "Any", "std::any::Any"), None);
        assert_eq!(qualified("Anyone", "Any", "std::any::Any"), None);
    }
}
