//! How results are shown: as text, as HTML, as JSON.

mod card;
mod memory_html;
mod memory_text;
mod notes;
mod run_axis;
mod run_strips;
mod time_html;
mod time_text;

use serde_json::Value;

use crate::result::memory::MemitResult;
use crate::result::time::TimeitResult;

/// The views of one result.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// `text/plain`: a few lines, without a newline at the end.
    pub text: String,
    /// `text/html`: a card that takes its colours from the page around it, without scripts,
    /// style sheets or anything to load.
    pub html: String,
    /// `application/vnd.memit+json`: the result itself.
    pub json: Value,
    /// What a cell shows for a variable that holds the result: `<MemitResult : …>`.
    pub repr: String,
}

/// The views of what `%memit` measured.
pub fn memit(result: &MemitResult) -> Report {
    Report {
        text: memory_text::text(result),
        html: memory_html::html(result).into_string(),
        json: serde_json::to_value(result).expect("a result is JSON"),
        repr: format!("<MemitResult : {}>", memory_text::summary(result)),
    }
}

/// The views of what `%timeit` measured.
pub fn timeit(result: &TimeitResult) -> Report {
    Report {
        text: time_text::text(result),
        html: time_html::html(result).into_string(),
        json: serde_json::to_value(result).expect("a result is JSON"),
        repr: format!("<TimeitResult : {}>", time_text::summary(result)),
    }
}

#[cfg(test)]
mod samples;
