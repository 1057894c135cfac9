//! Adds the type of variables that are phases.
//!
//! evcxr asks its analyser for the types of a cell's variables. The analyser does not know the
//! crate `memit`, which is passed only to the compiler. Generated code therefore states the type in
//! `let p: ::memit::Phase = memit::phase("load");`.

use std::borrow::Cow;

use memit_magics::cell;
use memit_magics::cell::syntax::Statements;

const FUNCTION: &str = "memit::phase";
const TYPE: &str = ": ::memit::Phase";

/// Adds the type of each variable that is a phase.
pub(crate) fn with_phase_types(source: &str) -> Cow<'_, str> {
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
        assert_eq!(with_phase_types(source), typed);
        assert!(matches!(
            with_phase_types("let p = phase();"),
            Cow::Borrowed(_)
        ));
    }
}
