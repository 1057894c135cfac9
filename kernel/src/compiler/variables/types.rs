//! How a cell writes a type.

use std::collections::BTreeSet;

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
            "alloc" | "core" => written.push_str("::std"),
            _ => {
                written.push_str("::");
                written.push_str(word);
            }
        }
    }
    Some(never_written_out(&replaced(&written, &PUBLIC)))
}

/// The type that a message of rustc names so, as a cell could write it; `None` if a part of the type has no
/// name. `crates` are those that a cell can name.
pub(super) fn of_message(name: &str, crates: &BTreeSet<&str>) -> Option<String> {
    let has_name = !name.contains('{') && !name.contains("...");
    let mut written = String::new();
    let mut rest = name;
    while !rest.is_empty() {
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(length);
        if word.is_empty() {
            let next = rest.chars().next()?;
            written.push(next);
            rest = &rest[next.len_utf8()..];
            continue;
        }
        rest = behind;
        let is_path = behind.starts_with("::");
        let is_first = !written.ends_with("::") && !written.ends_with(['\'', '"', '-']);
        if word == "impl" {
            return None;
        } else if is_first && is_path && crates.contains(word) {
            written.push_str("::");
        } else if is_first && !is_path && is_of_language(word) || behind.starts_with(" = ") {
            // No path.
        } else if is_first {
            written.push_str("crate::");
        }
        written.push_str(word);
    }
    has_name.then(|| never_written_out(&replaced(&written, &STABLE)))
}

fn replaced(text: &str, paths: &[(&str, &str)]) -> String {
    let replace = |text: String, (path, other): &(&str, &str)| text.replace(path, other);
    paths.iter().fold(text.to_owned(), replace)
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_of_language(word: &str) -> bool {
    PRIMITIVE.contains(&word)
        || KEYWORDS.contains(&word)
        || word.starts_with(|c: char| c.is_ascii_digit())
}

/// Whether every cell can write the type that [`of_rustc`] has written: whether the type consists of
/// types of the language and of well-known types of the library.
pub(crate) fn is_common(of: &str) -> bool {
    let mut paths = of.split(|c| !is_in_path(c)).filter(|path| !path.is_empty());
    let is_number = |path: &str| path.starts_with(|c: char| c.is_ascii_digit());
    let is_known =
        |path| PRIMITIVE.contains(&path) || WELL_KNOWN.iter().any(|known| known.0 == path);
    paths.all(|path| is_number(path) || is_known(path))
        && of
            .chars()
            .all(|c| is_in_path(c) || "<>()[]&,; ".contains(c))
}

/// Words in types that are no types.
const KEYWORDS: [&str; 9] = [
    "as", "const", "dyn", "extern", "false", "fn", "for", "true", "unsafe",
];

fn is_in_path(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == ':'
}

/// Types of the language, and what may stand in a type.
const PRIMITIVE: [&str; 18] = [
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "mut", "str", "u8",
    "u16", "u32", "u64", "u128", "usize",
];

/// Types of the library as [`of_rustc`] writes them, and as people do.
const WELL_KNOWN: [(&str, &str); 11] = [
    ("::std::boxed::Box", "Box"),
    ("::std::collections::BTreeMap", "BTreeMap"),
    ("::std::collections::BTreeSet", "BTreeSet"),
    ("::std::collections::HashMap", "HashMap"),
    ("::std::collections::HashSet", "HashSet"),
    ("::std::option::Option", "Option"),
    ("::std::rc::Rc", "Rc"),
    ("::std::result::Result", "Result"),
    ("::std::string::String", "String"),
    ("::std::sync::Arc", "Arc"),
    ("::std::vec::Vec", "Vec"),
];

/// The type as people write it.
pub(crate) fn shown(of: &str) -> String {
    let mut shown = String::new();
    let mut rest = of;
    while !rest.is_empty() {
        let length = rest.find(|c| !is_in_path(c)).unwrap_or(rest.len());
        let (path, behind) = rest.split_at(length);
        let known = WELL_KNOWN.iter().find(|known| known.0 == path);
        shown.push_str(match known {
            Some((_, short)) => short,
            // A part of another type, as in `<T as Trait>::Value`.
            None if shown.ends_with('>') => path,
            None => path.trim_start_matches("crate::").trim_start_matches("::"),
        });
        let next = behind.chars().next();
        shown.extend(next);
        rest = &behind[next.map_or(0, char::len_utf8)..];
    }
    shown
}

/// Private paths of the library, and public ones of the same types.
const PUBLIC: [(&str, &str); 13] = [
    ("::std::ops::range::", "::std::ops::"),
    (
        "::std::collections::btree::map::BTreeMap",
        "::std::collections::BTreeMap",
    ),
    (
        "::std::collections::btree::map::",
        "::std::collections::btree_map::",
    ),
    (
        "::std::collections::btree::set::BTreeSet",
        "::std::collections::BTreeSet",
    ),
    (
        "::std::collections::btree::set::",
        "::std::collections::btree_set::",
    ),
    (
        "::std::collections::hash::map::HashMap",
        "::std::collections::HashMap",
    ),
    (
        "::std::collections::hash::map::",
        "::std::collections::hash_map::",
    ),
    (
        "::std::collections::hash::set::HashSet",
        "::std::collections::HashSet",
    ),
    (
        "::std::collections::hash::set::",
        "::std::collections::hash_set::",
    ),
    ("::std::thread::join_handle::", "::std::thread::"),
    ("::std::sync::poison::mutex::", "::std::sync::"),
    ("::std::sync::poison::rwlock::", "::std::sync::"),
    ("::std::str::iter::", "::std::str::"),
];

/// Modules of the library that need an unstable feature, and stable ones with the types that stable code
/// can have. A message of rustc may name either.
const STABLE: [(&str, &str); 1] = [("::std::sync::mpmc::", "::std::sync::mpsc::")];

/// The type with the name `missing` in the crate `parent` replaced by each of the names that the source uses
/// of this crate.
pub(super) fn renamed(of: &str, missing: &str, parent: &str, source: &str) -> Vec<String> {
    let parent = parent.trim_start_matches("::");
    let path = format!("::{parent}::{missing}::");
    let before = format!("{parent}::");
    let names = source.split(&before).skip(1);
    let names = names.filter_map(|behind| behind.split(|c| !is_part(c)).next());
    let names: BTreeSet<_> = names
        .filter(|name| !name.is_empty() && *name != missing)
        .collect();
    let renamed = names
        .iter()
        .map(|name| of.replace(&path, &format!("::{before}{name}::")));
    renamed.filter(|renamed| renamed != of).collect()
}

/// `text` with the unqualified name `name` replaced by `path`; `None` if the name does not occur.
pub(super) fn qualified(text: &str, name: &str, path: &str) -> Option<String> {
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
            Some("(&str, dyn ::std::any::Any + ::std::marker::Send)")
        );
        assert_eq!(written("ctx::run_user_code_1::{{closure}}"), None);
    }

    #[test]
    fn types_in_messages_become_types_of_a_cell() {
        let crates = BTreeSet::from(["std", "alloc", "tokio"]);
        for (named, written) in [
            ("&str", "&str"),
            ("[u8; 4]", "[u8; 4]"),
            ("Metre", "crate::Metre"),
            ("(Top, a::Q<3, true>)", "(crate::Top, crate::a::Q<3, true>)"),
            (
                "std::vec::Vec<shapes::Metre>",
                "::std::vec::Vec<crate::shapes::Metre>",
            ),
            (
                "tokio::sync::mpsc::Sender<i32>",
                "::tokio::sync::mpsc::Sender<i32>",
            ),
            (
                "std::result::Result<u8, std::sync::mpmc::RecvError>",
                "::std::result::Result<u8, ::std::sync::mpsc::RecvError>",
            ),
            // A module of the user's may have the name of a crate that the cell cannot name.
            ("hidden::Made", "crate::hidden::Made"),
            ("std::borrow::Cow<'_, str>", "::std::borrow::Cow<'_, str>"),
            (
                "std::boxed::Box<dyn std::iter::Iterator<Item = Metre> + std::marker::Send>",
                "::std::boxed::Box<dyn ::std::iter::Iterator<Item = crate::Metre> + ::std::marker::Send>",
            ),
            (
                "for<'a> unsafe extern \"C\" fn(&'a mut Metre) -> *const u8",
                "for<'a> unsafe extern \"C\" fn(&'a mut crate::Metre) -> *const u8",
            ),
            ("extern \"C-unwind\" fn()", "extern \"C-unwind\" fn()"),
        ] {
            assert_eq!(of_message(named, &crates).as_deref(), Some(written));
        }
        for unnamed in [
            "{closure@src/lib.rs:3:9: 3:12}",
            "std::iter::Map<std::vec::IntoIter<i32>, {closure@src/lib.rs:3:9: 3:12}>",
            "fn() {make}",
            "impl std::fmt::Display",
            "std::vec::Vec<...>",
        ] {
            assert_eq!(of_message(unnamed, &crates), None, "{unnamed}");
        }
    }

    #[test]
    fn common_types_are_those_that_every_cell_can_write() {
        for common in [
            "i32",
            "()",
            "[u8; 4]",
            "&mut str",
            "(f64, ::std::vec::Vec<::std::string::String>)",
            "::std::collections::HashMap<&str, ::std::option::Option<bool>>",
        ] {
            assert!(is_common(common), "{common}");
        }
        for other in [
            "crate::Metre",
            "::std::vec::IntoIter<i32>",
            "::std::boxed::Box<dyn ::core::fmt::Debug>",
            "fn(i32) -> i32",
            "::rayon::Vec<i32>",
            "*const u8",
        ] {
            assert!(!is_common(other), "{other}");
        }
    }

    #[test]
    fn a_type_is_shown_as_people_write_it() {
        for (of, expected) in [
            (
                "::std::vec::Vec<(&str, ::std::option::Option<crate::shapes::Metre>)>",
                "Vec<(&str, Option<shapes::Metre>)>",
            ),
            (
                "::std::boxed::Box<dyn ::core::any::Any + ::core::marker::Send>",
                "Box<dyn core::any::Any + core::marker::Send>",
            ),
            ("crate::Crate<[crate_of; 3]>", "Crate<[crate_of; 3]>"),
            (
                "::std::vec::Vec<<fn() -> ! as ::memit_session::FunctionResult>::Value>",
                "Vec<<fn() -> ! as memit_session::FunctionResult>::Value>",
            ),
            ("HashMap<String, Vec<é>>", "HashMap<String, Vec<é>>"),
        ] {
            assert_eq!(shown(of), expected);
        }
    }

    #[test]
    fn a_crate_is_tried_under_the_names_of_the_source() {
        let source =
            "use front::channel; let (a, b) = front::channel::make(front::Kind::new()); front::";
        let of = "::std::vec::Vec<::front::back::Sender<u8>>";
        let expected = ["Kind", "channel"].map(|name| of.replace("back", name));
        assert_eq!(renamed(of, "back", "front", source), expected);
        assert_eq!(renamed(of, "other", "front", source), [""; 0]);
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
