//! What the record of the session's variables adds to errors of the compiler.

use std::collections::HashMap;

use evcxr::CompilationError;

use crate::compiler::variables::{Compiled, How, Variables};

/// What the record adds, by the compiler's message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Explanations(HashMap<String, Explanation>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Explanation {
    /// A title in place of the compiler's.
    pub(super) title: Option<String>,
    pub(super) help: String,
    /// Whether the compiler's own advice would change code that the user does not see.
    pub(super) is_all: bool,
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
    let name = variable_in(message.split('`').nth(1)?)?;
    match code {
        "E0425" => {
            let gone = variables.gone.get(name)?;
            let cell = gone.cell;
            let (title, help) = match &gone.how {
                How::Moved(by) => {
                    let by = if by.is_empty() {
                        String::new()
                    } else {
                        format!(" (`{by}`)")
                    };
                    let help = format!(", or let cell {cell} borrow `{name}` or move a clone");
                    (format!("`{name}` was moved by cell {cell}{by}"), help)
                }
                How::GivenUp(changed) => {
                    let of = &changed.name;
                    let title = format!(
                        "`{name}` was dropped by cell {cell}, which changed `{of}`, on which its type depends"
                    );
                    (title, String::new())
                }
                How::InBlock => {
                    return Some(Explanation {
                        title: None,
                        help: format!(
                            "cell {cell} binds `{name}` in a block or a function, where `{name}` ends: bind \
                             `{name}` outside of the block to use it in later cells"
                        ),
                        is_all: false,
                    });
                }
                How::Left => {
                    let title = format!("`{name}` ended with cell {cell}, which could not keep it");
                    let help = format!(", or keep it as the note of cell {cell} says");
                    (title, help)
                }
            };
            Some(Explanation {
                title: Some(title),
                help: format!("bind the name anew with `let {name} = …;`{help}"),
                is_all: true,
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
                is_all: true,
            })
        }
        _ => None,
    }
}

/// The variable in a place such as `*all` or `user.name`.
fn variable_in(place: &str) -> Option<&str> {
    let mut names = place.split(|c: char| !c.is_alphanumeric() && c != '_');
    names.find(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use crate::compiler::definitions::{Reached, What};
    use crate::compiler::variables::{Gone, Variable};

    #[test]
    fn errors_name_the_cell_that_moved_or_bound_a_variable() {
        let gone = |how| Arc::new(Gone { cell: 2, how });
        let changed = Reached {
            name: "Point".to_owned(),
            what: What::Type(1),
        };
        let variable = Variable {
            of: "u8".to_owned(),
            is_mutable: false,
            cell: 3,
            reached: BTreeSet::new(),
        };
        let variables = Variables {
            held: [("n".to_owned(), Arc::new(variable))].into(),
            gone: [
                ("v".to_owned(), gone(How::Moved("for x in v {}".to_owned()))),
                ("points".to_owned(), gone(How::GivenUp(changed))),
                ("f".to_owned(), gone(How::Left)),
            ]
            .into(),
            ..Variables::default()
        };
        let explained = |code: &str, message: &str| {
            let compiled = Compiled::default();
            let explanation = explain(code, message, &variables, &compiled)?;
            Some(format!(
                "{}\n{}",
                explanation.title.unwrap_or_default(),
                explanation.help
            ))
        };
        let missing = ["v", "points", "f"].map(|name| {
            explained(
                "E0425",
                &format!("cannot find value `{name}` in this scope"),
            )
        });
        let [v, points, f] = missing.map(Option::unwrap);
        let assigned = "cannot assign to `n`, as it is not declared as mutable";
        let assigned = explained("E0594", assigned).unwrap();
        for place in ["n.field", "*n", "n[_]", "(*n).field"] {
            let message = format!("cannot assign to `{place}`, as `n` is not declared as mutable");
            assert_eq!(explained("E0594", &message).as_ref(), Some(&assigned));
        }
        insta::assert_snapshot!([v, points, f, assigned].join("\n"), @"
        `v` was moved by cell 2 (`for x in v {}`)
        bind the name anew with `let v = …;`, or let cell 2 borrow `v` or move a clone
        `points` was dropped by cell 2, which changed `Point`, on which its type depends
        bind the name anew with `let points = …;`
        `f` ended with cell 2, which could not keep it
        bind the name anew with `let f = …;`, or keep it as the note of cell 2 says

        `n` is bound in cell 3 without `mut`: write `let mut n` there, or here `let mut n = n;`
        ");
        assert_eq!(
            explained("E0425", "cannot find value `w` in this scope"),
            None
        );
    }
}
