//! The answers to `:vars` and `:type`, in evcxr's layout, from the record of variables.

use std::fmt::Write as _;

use memit_magics::nearest;

use super::commands::Question;
use super::engine::Engine;
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

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
