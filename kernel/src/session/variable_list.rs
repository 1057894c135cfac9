//! The variables of the session, from the record of variables: the answers to `:vars` and `:type`, in evcxr's
//! layout, and the names that `%who` lists.

use std::fmt::Write as _;

use memit_magics::cell;
use memit_magics::magic::SessionVariable;
use memit_magics::{has_type, nearest};

use super::commands::Question;
use super::engine::Engine;
use super::evaluation::Written;
use super::io::{MimeBundle, bundle};

/// The answer.
///
/// # Errors
///
/// If there is no variable of that name: a message with the nearest name.
pub(crate) fn answer(question: &Question, engine: &Engine) -> Result<MimeBundle, String> {
    match question {
        Question::All => Ok(all(engine)),
        Question::TypeOf(name) => {
            let found = engine.types().find(|(other, _)| other == name);
            let Some((name, of)) = found else {
                let names = engine.types().map(|(name, _)| name);
                let help = nearest(name, names).map_or_else(
                    || "`:vars` lists all".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                return Err(format!("there is no variable `{name}`: {help}"));
            };
            Ok(bundle::of_text(&format!("{name}: {of}")))
        }
    }
}

fn all(engine: &Engine) -> MimeBundle {
    let (mut lines, mut rows) = (String::new(), String::new());
    for (name, of) in engine.types() {
        let _ = writeln!(lines, "{name}: {of}");
        let cells = [name, &of].map(|text| format!("<td>{}</td>", escaped(text)));
        let _ = write!(rows, "<tr>{}</tr>", cells.concat());
    }
    if lines.is_empty() {
        return bundle::of_text("no variables");
    }
    let mut bundle = bundle::of_text(&lines);
    let table = format!("<table><tr><th>Variable</th><th>Type</th></tr>{rows}</table>");
    bundle.insert("text/html".to_owned(), table.into());
    bundle
}

/// The variables in the order in which cells have made them.
pub(crate) fn in_order(engine: &Engine, written: Written<'_>) -> Vec<SessionVariable> {
    let mut variables: Vec<_> = engine.held().collect();
    variables.sort_by_key(|variable| variable.cell);
    for of_cell in variables.chunk_by_mut(|one, other| one.cell == other.cell) {
        let numbers = written
            .numbers
            .iter()
            .rposition(|&number| number == of_cell[0].cell);
        let Some(source) = numbers.and_then(|at| written.cells.get(at)) else {
            continue;
        };
        if of_cell.len() > 1 {
            let lets = cell::rust(source).lets();
            let bound: Vec<_> = lets.iter().flat_map(|each| &each.names).collect();
            // A name that is bound twice is the second variable.
            let place = |name: &String| bound.iter().rposition(|bound| *bound == name);
            of_cell.sort_by_key(|variable| place(&variable.name).unwrap_or(bound.len()));
        }
    }
    variables
}

/// The names of the variables of these types, or of all.
pub(crate) fn names(variables: &[SessionVariable], types: &[String]) -> String {
    let is_wanted = |variable: &&SessionVariable| {
        types.is_empty() || types.iter().any(|of| has_type(&variable.of, of))
    };
    let wanted = variables.iter().filter(is_wanted);
    let names: Vec<_> = wanted.map(|variable| variable.name.as_str()).collect();
    match (names.is_empty(), variables.is_empty(), types) {
        (false, ..) => names.join(" "),
        (true, true, _) => "The session has no variables.".to_owned(),
        (true, false, [of]) => format!("The session has no variable of the type `{of}`."),
        (true, false, _) => "The session has no variable of these types.".to_owned(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_types() {
        let variable = |name: &str, of: &str| SessionVariable {
            name: name.to_owned(),
            of: of.to_owned(),
            cell: 1,
            ..SessionVariable::default()
        };
        let all = [variable("n", "i32"), variable("v", "Vec<u8>")];
        let names = |types: &[&str]| {
            let types: Vec<_> = types.iter().map(|of| (*of).to_owned()).collect();
            names(&all, &types)
        };
        assert_eq!(names(&[]), "n v");
        assert_eq!(names(&["Vec"]), "v");
        assert_eq!(names(&["i32", "Vec"]), "n v");
        assert_eq!(
            names(&["f64"]),
            "The session has no variable of the type `f64`."
        );
        assert_eq!(super::names(&[], &[]), "The session has no variables.");
    }
}
