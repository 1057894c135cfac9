//! Finds the documentation of the name at the cursor.

use std::task::Poll;
use std::time::Duration;

use memit_magics::split::blank_magics;
use memit_magics::{help, registry};

use super::{complete, position};
use crate::analyser::Documentation;
use crate::session::engine::Engine;
use crate::session::io::{MimeBundle, bundle};

/// The help of the magic at `cursor`; `None` if there is no magic.
pub(crate) fn inspect_magic(code: &str, cursor: usize) -> Option<MimeBundle> {
    let text = magic_help(code, position::to_bytes(code, cursor))?;
    Some(bundle::of_text(&text))
}

/// The documentation of the name in Rust at `cursor`, or `Pending` if the analyser has not found it after
/// `patience`.
pub(crate) fn inspect(
    engine: &mut Engine,
    code: &str,
    cursor: usize,
    patience: Duration,
) -> Poll<Option<MimeBundle>> {
    let at = position::to_bytes(code, cursor);
    let found = engine.documentation(&blank_magics(code), end_of_name(code, at), patience);
    found.map(|found| {
        let Documentation { plain, html } = found?;
        let mut shown = bundle::of_text(&plain);
        shown.insert("text/html".to_owned(), html.into());
        Some(shown)
    })
}

fn magic_help(code: &str, at: usize) -> Option<String> {
    let magic = complete::magic_at(code, at).filter(|magic| at <= magic.name.end);
    let name = match magic {
        Some(magic) => &code[magic.name],
        // Some front-ends send only the name.
        None => code.trim().strip_prefix('%')?.trim_start_matches('%'),
    };
    registry::find(name).map(help::of)
}

fn end_of_name(code: &str, at: usize) -> usize {
    let rest = &code[at..];
    at + rest
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_magic_shows_its_help() {
        assert!(
            magic_help("%memit v", 3)
                .unwrap()
                .starts_with("Measure the peak memory")
        );
        assert!(magic_help("let x = 1;\n%%timeit", 16).is_none());
        assert_eq!(magic_help("%memit v", 8), None);
    }

    #[test]
    fn the_cursor_may_be_anywhere_in_a_name() {
        assert_eq!(end_of_name("foo.bar()", 5), 7);
        assert_eq!(end_of_name("é", 0), 2);
    }
}
