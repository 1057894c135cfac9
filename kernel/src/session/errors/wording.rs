//! Leaves the names and files of generated code out of messages.

use std::borrow::Cow;

/// Names of evcxr and memit, which mean nothing to the user.
const INTERNAL: &[&str] = &[
    "evcxr_",
    "run_user_code_",
    "memit_session",
    "memit_harness",
    "memit_own_",
];

/// The end of the cell, as rustc and evcxr name it: evcxr's code stands there.
const END: &[&str] = &["`evcxr_variable_store`", "<end of input>", "`<eof>`"];

/// The package that evcxr makes of a `:dep`, as cargo names it.
const PACKAGE: &str = "package `evcxr_dummy_validate_dep`";

/// Whether `text` is about generated code.
pub(super) fn is_internal(text: &str) -> bool {
    let without_end = END
        .iter()
        .fold(text.to_owned(), |text, end| text.replace(end, ""));
    INTERNAL.iter().any(|name| without_end.contains(name))
}

/// The text for a user.
pub(super) fn plain(text: &str) -> String {
    let text = END.iter().fold(text.to_owned(), |text, end| {
        text.replace(end, "the end of the cell")
    });
    let text = without_place(&text.replace(PACKAGE, "the notebook"));
    without_temporary_paths(&text).into_owned()
}

/// Leaves the place out of the names that the compiler gives to closures and `async` blocks.
fn without_place(text: &str) -> String {
    let mut pieces = text.split("@src/lib.rs:");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        plain.push_str(&piece[piece.find('}').unwrap_or(0)..]);
    }
    plain
}

/// Leaves the directory out of paths to evcxr's or the session's temporary directory.
fn without_temporary_paths(text: &str) -> Cow<'_, str> {
    let temporary = std::env::temp_dir();
    let prefixes = [".tmp", "memit-"].map(|name| temporary.join(name).display().to_string());
    let mut shortened = Cow::Borrowed(text);
    for prefix in prefixes {
        while let Some(start) = shortened.find(&prefix) {
            let rest = &shortened[start + prefix.len()..];
            let is_random = |c: char| c.is_ascii_alphanumeric();
            let name = rest.find(|c: char| !is_random(c)).unwrap_or(rest.len());
            let slash = usize::from(rest[name..].starts_with('/'));
            let end = start + prefix.len() + name + slash;
            shortened = Cow::Owned([&shortened[..start], &shortened[end..]].concat());
        }
    }
    shortened
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_names_and_temporary_paths_are_not_for_users() {
        assert_eq!(
            plain("expected `;`, found <end of input>"),
            "expected `;`, found the end of the cell"
        );
        assert_eq!(
            plain("expected `;`, found `evcxr_variable_store`"),
            "expected `;`, found the end of the cell"
        );
        let path = std::env::temp_dir().join(".tmpAb12/src/lib.rs");
        assert_eq!(
            plain(&format!("see `{}`", path.display())),
            "see `src/lib.rs`"
        );
        assert_eq!(
            plain("`{closure@src/lib.rs:6:1: 6:8}` and `{async block@src/lib.rs:7:1: 7:8}`"),
            "`{closure}` and `{async block}`"
        );
        assert!(is_internal("in `run_user_code_3`"));
        assert!(is_internal(
            "consider giving `memit_own_value` an explicit type"
        ));
        assert!(!is_internal("found `evcxr_variable_store`"));
    }
}
