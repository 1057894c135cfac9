//! The error of a value that cannot be shown. The compiler points at the generated code that shows the
//! value.

use memit_magics::cell;
use serde_json::Value;

use super::diagnostics::Mark;
use super::wording;

/// What lines of the generated code contain: what memit's code prints, and the function that evcxr's code
/// calls.
const SHOWING: [&str; 2] = ["EVCXR_BEGIN_CONTENT", "evcxr_send_text_plain("];
/// The generated code shows a reference to the value.
const OF_REFERENCE: &str = "required for `&";

/// Where the value of `code` is, with the compiler's label, if the error with this JSON is about the code
/// that shows the value.
pub(super) fn mark(json: &Value, code: &str) -> Option<Mark> {
    let mut spans = json["spans"].as_array()?.iter();
    let primary = spans.find(|span| span["is_primary"].as_bool() == Some(true))?;
    let mut lines = primary["text"].as_array()?.iter();
    let is_generated = lines.any(|line| {
        let text = line["text"].as_str().unwrap_or_default();
        SHOWING.iter().any(|showing| text.contains(showing))
    });
    if !is_generated {
        return None;
    }
    let rust = cell::without_commands(code);
    let offset = code.len() - rust.len();
    let value = cell::rust(rust).value()?;
    Some(Mark {
        span: offset + value.start..offset + value.end,
        label: wording::plain(primary["label"].as_str().unwrap_or_default()),
        primary: true,
    })
}

/// Whether a note of such an error is about the generated code.
pub(super) fn is_about_reference(note: &str) -> bool {
    note.starts_with(OF_REFERENCE)
}
