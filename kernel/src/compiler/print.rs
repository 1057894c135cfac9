//! Gives cells a `print!` that shows its text at once.

use memit_session::sources::NAME;

/// Brings the macro into the whole crate, from the end of the source: no line of the user's moves.
pub(super) fn at_once(source: &str) -> Option<String> {
    let is_used = source.contains("print!");
    is_used.then(|| {
        format!("{source}\n#[macro_use(print)] extern crate {NAME} as memit_session_print;\n")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_cell_that_prints_is_changed() {
        let changed = at_once("fn f() { print!(\"x\") }").unwrap();
        assert!(
            changed.starts_with("fn f() { print!(\"x\") }\n#[macro_use(print)]"),
            "{changed}"
        );
        assert_eq!(at_once("fn f() { println!(\"x\") }"), None);
    }
}
