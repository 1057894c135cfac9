//! The answers to `:vars` and `:type`, in evcxr's layout, from the record of variables.

use memit_magics::nearest;

use super::engine::Engine;
use super::io::{MimeBundle, bundle};

/// A question about the session's variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Question {
    /// All variables with their types.
    All,
    /// The type of the variable of this name.
    TypeOf(String),
}

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
    let lines: String = engine
        .types()
        .map(|(name, of)| format!("{name}: {of}\n"))
        .collect();
    if lines.is_empty() {
        return bundle::of_text("no variables");
    }
    let rows: String = engine
        .types()
        .map(|(name, of)| {
            format!(
                "<tr><td>{}</td><td>{}</td></tr>",
                escaped(name),
                escaped(of)
            )
        })
        .collect();
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
