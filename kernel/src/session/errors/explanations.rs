//! What the record of the session's variables adds to errors of the compiler.

use std::collections::HashMap;

use evcxr::CompilationError;

use crate::compiler::variables::{Compiled, Variables};

/// What the record adds, by the compiler's message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Explanations(HashMap<String, Explanation>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Explanation {
    /// A title in place of the compiler's.
    pub(super) title: Option<String>,
    pub(super) help: String,
}

impl Explanations {
    /// Explains errors in a cell that does this with the session's variables.
    pub(crate) fn of(
        errors: &[CompilationError],
        variables: &Variables,
        compiled: &Compiled,
    ) -> Self {
        let explained = errors.iter().filter_map(|error| {
            let message = error.json["message"].as_str()?;
            let explanation = explain(error.code()?, message, variables, compiled)?;
            Some((message.to_owned(), explanation))
        });
        Self(explained.collect())
    }

    pub(super) fn get(&self, error: &CompilationError) -> Option<&Explanation> {
        self.0.get(error.json["message"].as_str()?)
    }
}

fn explain(
    code: &str,
    message: &str,
    variables: &Variables,
    compiled: &Compiled,
) -> Option<Explanation> {
    let name = message.split('`').nth(1)?;
    match code {
        "E0425" => {
            let moved = variables.moved.get(name)?;
            let by = match moved.by.as_str() {
                "" => String::new(),
                by => format!(" (`{by}`)"),
            };
            Some(Explanation {
                title: Some(format!("`{name}` was moved by cell {}{by}", moved.cell)),
                help: format!(
                    "bind the name anew with `let {name} = …;`, or let cell {} borrow `{name}` or move a clone",
                    moved.cell
                ),
            })
        }
        "E0384" | "E0594" | "E0596" => {
            let variable = variables.held.get(name)?;
            let is_sessions = compiled.put.get(name).is_none_or(|put| !put.is_new);
            (is_sessions && !variable.is_mutable).then(|| Explanation {
                title: None,
                help: format!(
                    "`{name}` is bound in cell {} without `mut`: write `let mut {name}` there, or here `let mut {name} = {name};`",
                    variable.cell
                ),
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use crate::compiler::variables::{Moved, Variable};

    #[test]
    fn errors_name_the_cell_that_moved_or_bound_a_variable() {
        let by = "for x in v {}".to_owned();
        let variable = Variable {
            of: "u8".to_owned(),
            is_mutable: false,
            cell: 3,
            reached: BTreeSet::new(),
        };
        let variables = Variables {
            held: [("n".to_owned(), Arc::new(variable))].into(),
            moved: [("v".to_owned(), Arc::new(Moved { cell: 2, by }))].into(),
            ..Variables::default()
        };
        let explained = |code, message| {
            let compiled = Compiled::default();
            let explanation = explain(code, message, &variables, &compiled)?;
            Some(format!(
                "{}\n{}",
                explanation.title.unwrap_or_default(),
                explanation.help
            ))
        };
        let all = [
            explained("E0425", "cannot find value `v` in this scope"),
            explained(
                "E0594",
                "cannot assign to `n`, as it is not declared as mutable",
            ),
        ];
        insta::assert_snapshot!(all.map(Option::unwrap).join("\n"), @"
        `v` was moved by cell 2 (`for x in v {}`)
        bind the name anew with `let v = …;`, or let cell 2 borrow `v` or move a clone

        `n` is bound in cell 3 without `mut`: write `let mut n` there, or here `let mut n = n;`
        ");
        assert_eq!(
            explained("E0425", "cannot find value `w` in this scope"),
            None
        );
    }
}
