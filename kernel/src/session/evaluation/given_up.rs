//! Says which variables a cell gives up, and why.

use crate::compiler::definitions::What;
use crate::compiler::variables::GivenUp;

/// The note of the cell `number`, in which the variable was dropped, or leaked by its destructor.
pub(crate) fn note(given_up: &GivenUp, is_leaked: bool, number: u64) -> String {
    let GivenUp { variable, changed } = given_up;
    let name = &changed.name;
    let reason = match changed.what {
        What::Type(_) => format!("`{name}`, which it contains, was redefined in cell {number}"),
        What::Other(_) | What::Import(_) => {
            format!("`{name}`, on which its type depends, was redefined in cell {number}")
        }
        What::Impl(_) => {
            format!(
                "an `impl` for `{name}`, on which its type depends, was redefined in cell {number}"
            )
        }
        What::Crate(_) => {
            format!("the crate `{name}`, on which its type depends, changed before cell {number}")
        }
        What::Foreign => {
            format!("cell {number} gives `{name}`, on which its type depends, another meaning")
        }
        What::Cell(_) => format!(
            "cell {number} replaces a dependency, after which types of the session are other types"
        ),
    };
    if is_leaked {
        return format!("`{variable}` was leaked: its destructor panicked; {reason}");
    }
    format!("`{variable}` was dropped: {reason}")
}

/// The note of an error in a cell that mentions the variable.
pub(crate) fn help(given_up: &GivenUp) -> String {
    let GivenUp { variable, changed } = given_up;
    let name = &changed.name;
    let reason = match changed.what {
        What::Type(_) => format!("it contains the old `{name}`, which this cell redefines"),
        What::Other(_) | What::Import(_) | What::Foreign => {
            format!("its type depends on the old `{name}`, which this cell redefines")
        }
        What::Impl(_) => {
            format!("its type depends on an old `impl` for `{name}`, which this cell redefines")
        }
        What::Crate(_) => format!("its type depends on the crate `{name}`, which has changed"),
        What::Cell(_) => {
            "this cell replaces a dependency, after which types of the session are other types"
                .to_owned()
        }
    };
    format!("note: `{variable}` cannot be used here: {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compiler::definitions::Reached;

    #[test]
    fn notes_name_the_variable_the_definition_and_the_cell() {
        let given_up = |what| GivenUp {
            variable: "points".to_owned(),
            changed: Reached {
                name: "Point".to_owned(),
                what,
            },
        };
        let kinds = [
            What::Type(1),
            What::Other(1),
            What::Impl(1),
            What::Crate(1),
            What::Foreign,
            What::Cell(1),
        ];
        let notes = kinds.map(|what| note(&given_up(what), false, 4)).join("\n");
        insta::assert_snapshot!(notes, @r"
        `points` was dropped: `Point`, which it contains, was redefined in cell 4
        `points` was dropped: `Point`, on which its type depends, was redefined in cell 4
        `points` was dropped: an `impl` for `Point`, on which its type depends, was redefined in cell 4
        `points` was dropped: the crate `Point`, on which its type depends, changed before cell 4
        `points` was dropped: cell 4 gives `Point`, on which its type depends, another meaning
        `points` was dropped: cell 4 replaces a dependency, after which types of the session are other types
        ");
        insta::assert_snapshot!(
            note(&given_up(What::Type(1)), true, 4),
            @"`points` was leaked: its destructor panicked; `Point`, which it contains, was redefined in cell 4"
        );
        let helps = kinds.map(|what| help(&given_up(what))).join("\n");
        insta::assert_snapshot!(helps, @r"
        note: `points` cannot be used here: it contains the old `Point`, which this cell redefines
        note: `points` cannot be used here: its type depends on the old `Point`, which this cell redefines
        note: `points` cannot be used here: its type depends on an old `impl` for `Point`, which this cell redefines
        note: `points` cannot be used here: its type depends on the crate `Point`, which has changed
        note: `points` cannot be used here: its type depends on the old `Point`, which this cell redefines
        note: `points` cannot be used here: this cell replaces a dependency, after which types of the session are other types
        ");
    }
}
