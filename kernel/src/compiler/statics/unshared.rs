//! The statics of a compiled cell that the cell does not share with others.
//!
//! No source tells which statics the macros of other crates make. The compiled cell does: the
//! name of a symbol contains the path to its static, and the cell contains only what the cell
//! uses.

use std::collections::BTreeSet;

use crate::compiler::{CELL_CRATE, CELL_FUNCTION, symbols};

/// Sections whose contents can change.
const CHANGING: [&str; 4] = [".bss", ".data", ".tbss", ".tdata"];

/// The paths of the statics in `library`, a compiled cell, that can change and that belong to this cell
/// alone, apart from those in the statements of the cell.
pub(in crate::compiler) fn of(library: &[u8]) -> BTreeSet<String> {
    symbols::of_data(library)
        .into_iter()
        .filter(|symbol| CHANGING.contains(&symbol.section))
        .filter_map(|symbol| users_path(&format!("{:#}", rustc_demangle::demangle(symbol.name))))
        .collect()
}

/// The path by which the user knows the static `path`; `None` for a static that is not for the user.
fn users_path(path: &str) -> Option<String> {
    let own = format!("{CELL_CRATE}::");
    let of_crate = [own.clone(), format!("<{own}")];
    if !of_crate.iter().any(|start| path.starts_with(start)) || path.contains(CELL_FUNCTION) {
        return None;
    }
    // An implementation of a trait for a type.
    let (type_, rest) = match path.strip_prefix('<').and_then(|of| of.split_once('>')) {
        Some((header, rest)) => (header.split(" as ").next(), rest),
        None => (None, path),
    };
    let segments = type_.into_iter().flat_map(|of| of.split("::"));
    let segments = segments.chain(rest.split("::"));
    // Closures and constants have no names.
    let is_named = |segment: &&str| !segment.is_empty() && !segment.starts_with('{');
    let names: Vec<_> = segments.filter(is_named).skip(1).collect();
    let is_hidden = |name: &&str| name.starts_with("__");
    let path = match names.iter().position(is_hidden) {
        // The value of a thread. All cells share it, if its key is in a static of the same name.
        Some(at) if names[at].starts_with("__RUST_STD") => {
            let is_shared = at >= 2 && names[at - 1] == names[at - 2];
            names.get(..at).filter(|_| !is_shared)?
        }
        // What a macro hides belongs to the type for which the macro implements a trait.
        Some(_) => names.get(..type_?.split("::").count() - 1)?,
        None => &names,
    };
    let is_ours = path.last().is_none_or(|name| name.starts_with("MEMIT_"));
    (!is_ours).then(|| path.join("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_static_has_the_path_that_the_user_knows() {
        for (symbol, expected) in [
            ("ctx::MADE", Some("MADE")),
            ("ctx::next::{{closure}}::N", Some("next::N")),
            (
                "<ctx::m::S as core::ops::drop::Drop>::drop::N",
                Some("m::S::drop::N"),
            ),
            ("<ctx::S>::next::N", Some("S::next::N")),
            (
                "<ctx::CONFIG as core::ops::deref::Deref>::deref::__stability::LAZY",
                Some("CONFIG"),
            ),
            (
                "ctx::SEEN::{{constant}}::{{closure}}::__RUST_STD_INTERNAL_VAL",
                Some("SEEN"),
            ),
            (
                "ctx::SEEN::SEEN::{constant#0}::{closure#0}::__RUST_STD_INTERNAL_VAL",
                None,
            ),
            ("ctx::f::__CALLSITE", None),
            ("ctx::f::MEMIT_FUNCTION", None),
            ("ctx::run_user_code_3::{{closure}}::N", None),
            ("tokio::runtime::N", None),
            ("completed.0", None),
            ("memit_static_0123456789abcdef", None),
        ] {
            assert_eq!(users_path(symbol).as_deref(), expected, "{symbol}");
        }
    }
}
