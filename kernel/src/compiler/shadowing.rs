//! Lets the code that evcxr generates find the items of the standard library, whatever the user
//! defines: `struct Ok;`, `trait From {}`, `mod std {}`.

use super::CELL_FUNCTION;
use super::endings::ERROR;

/// evcxr's code before the user's part of a cell, and the same with absolute paths.
const BEFORE: [(&str, &str); 4] = [
    (
        "mut x: *mut std::os::raw::c_void) -> *mut std::os::raw::c_void {",
        "mut x: *mut ::std::os::raw::c_void) -> *mut ::std::os::raw::c_void {",
    ),
    (
        "match std::panic::catch_unwind(",
        "match ::std::panic::catch_unwind(",
    ),
    (
        "  std::panic::AssertUnwindSafe(",
        "  ::std::panic::AssertUnwindSafe(",
    ),
    (
        "if std::panic::catch_unwind(||{",
        "if ::std::panic::catch_unwind(||{",
    ),
];

/// evcxr's code behind the user's part of a cell.
const BEHIND: [(&str, &str); 2] = [
    (
        "\n  Ok(_) => {}\n",
        "\n  ::std::result::Result::Ok(_) => {}\n",
    ),
    (
        "\n  Err(_) => {\n",
        "\n  ::std::result::Result::Err(_) => {\n",
    ),
];

/// evcxr's error type, which [`super::endings`] may have changed.
const IN_ERROR: [(&str, &str); 4] = [
    ("impl<T: std::fmt::", "impl<T: ::std::fmt::"),
    ("> From<T> for", "> ::std::convert::From<T> for"),
    ("eprintln!(", "::std::eprintln!("),
    ("(&format!(", "(&::std::format!("),
];

/// Writes the paths of evcxr's code as absolute paths; `None` if the source has no cell.
pub(super) fn prevented(source: &str) -> Option<String> {
    let start = source.rfind(&format!("fn {CELL_FUNCTION}"))?;
    let (items, cell) = source.split_at(start);
    let cell = first(&BEFORE, cell.to_owned());
    let cell = last(&BEHIND, cell);
    let at = items.rfind(ERROR).unwrap_or(items.len());
    let (items, error) = items.split_at(at);
    Some([items, &first(&IN_ERROR, error.to_owned()), &cell].concat())
}

fn first(replacements: &[(&str, &str)], text: String) -> String {
    let replaced = |text: String, (from, to): &(&str, &str)| text.replacen(from, to, 1);
    replacements.iter().fold(text, replaced)
}

fn last(replacements: &[(&str, &str)], mut text: String) -> String {
    for (from, to) in replacements {
        if let Some(at) = text.rfind(from) {
            text.replace_range(at..at + from.len(), to);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_evcxrs_code_is_changed() {
        let user = "match r {\n  Ok(_) => {}\n  Err(_) => {\n}}";
        let source = format!(
            "impl<T: std::fmt::X> From<T> for Y {{ {user} }}\n{ERROR}\n\
             impl<T: std::fmt::Display> From<T> for EvcxrUserCodeError {{ f(&format!(\"{{}}\")) }}\n\
             pub extern \"C\" fn {CELL_FUNCTION}1(\nmatch std::panic::catch_unwind(\n  \
             std::panic::AssertUnwindSafe(||{{\n{user}\n}})) {{ \n  Ok(_) => {{}}\n  Err(_) => {{\n}}}}"
        );
        insta::assert_snapshot!(prevented(&source).unwrap());
        assert_eq!(prevented("fn item() {}"), None);
    }
}
