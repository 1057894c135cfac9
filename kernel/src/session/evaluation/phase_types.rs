//! The types of phases.
//!
//! evcxr has its analyser tell the types of a cell's variables, which does not know the crate `memit`:
//! cells are given it only when they are compiled. So that `let p = memit::phase("load");` can stand at
//! the top of a cell, its type is written down.

use std::borrow::Cow;

use memit_magics::cell;
use memit_magics::syntax::Statements;

const FUNCTION: &str = "memit::phase";
const TYPE: &str = ": ::memit::Phase";

/// The source, with the type of each variable that is a phase.
pub(crate) fn written_down(source: &str) -> Cow<'_, str> {
    if !source.contains(FUNCTION) {
        return Cow::Borrowed(source);
    }
    let (commands, rust) = cell::split_commands(source);
    let mut typed = String::from(commands);
    let mut copied = 0;
    for end in Statements::parse(rust).untyped_results(FUNCTION) {
        typed.push_str(&rust[copied..end]);
        typed.push_str(TYPE);
        copied = end;
    }
    Cow::Owned(typed + &rust[copied..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_variables_at_the_top_of_a_cell_are_given_their_type() {
        let source = ":dep x\nlet _p = memit::phase(\"a\");\nf(); let q: memit::Phase = memit::phase(\"b\");\n\
                      { let r = memit::phase(\"c\"); }";
        let typed = source.replace("let _p", "let _p: ::memit::Phase");
        assert_eq!(written_down(source), typed);
        assert!(matches!(written_down("let p = phase();"), Cow::Borrowed(_)));
    }
}
