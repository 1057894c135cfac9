//! How results are shown: as text, as HTML, as JSON.

mod card;
mod figure;
mod highlight;
mod line_bars;
mod lines_html;
mod lines_text;
mod lprun_html;
mod memory_html;
mod memory_text;
mod mprof_html;
mod mprof_text;
mod mprun_html;
mod notes;
mod run_axis;
mod run_strips;
mod time_html;
mod time_text;

use memit_lines::TimeText;
use serde_json::Value;

use crate::result::lines::{LprunResult, MprunResult};
use crate::result::memory::MemitResult;
use crate::result::time::TimeitResult;
use crate::result::timeline::MprofResult;

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

/// The views of what `%mprun` measured. Sizes are shown in the unit that fits, or, with a
/// `precision`, in MiB with that many decimals.
pub fn mprun(result: &MprunResult, precision: Option<usize>) -> Report {
    Report {
        text: lines_text::mprun(result, precision),
        html: mprun_html::html(result, precision).into_string(),
        json: serde_json::to_value(result).expect("a result is JSON"),
        repr: format!(
            "<MprunResult : {}>",
            lines_text::memory_summary(&result.profile)
        ),
    }
}

/// The views of what `%lprun` measured.
pub fn lprun(result: &LprunResult, view: &TimeText) -> Report {
    Report {
        text: lines_text::lprun(result, view),
        html: lprun_html::html(result, view).into_string(),
        json: serde_json::to_value(result).expect("a result is JSON"),
        repr: format!(
            "<LprunResult : {}>",
            lines_text::time_summary(&result.profile)
        ),
    }
}

/// The views of what `%mprof` measured. The chart has the `title` above it.
pub fn mprof(result: &MprofResult, title: Option<&str>) -> Report {
    Report {
        text: mprof_text::text(result, title),
        html: mprof_html::html(result, title).into_string(),
        json: serde_json::to_value(result).expect("a result is JSON"),
        repr: format!("<MprofResult : {}>", mprof_text::summary(result)),
    }
}

/// What is shown of a measurement that is not over yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// `text/plain`: a few lines, without a newline at the end.
    pub text: String,
    /// `text/html`: a card, as in a [`Report`].
    pub html: String,
}

/// What `%mprof` has measured so far: its `wall_ns` is the time since the start. Made to be drawn
/// several times a second.
pub fn mprof_preview(result: &MprofResult, title: Option<&str>) -> Preview {
    Preview {
        text: mprof_text::preview(result, title),
        html: mprof_html::preview(result, title).into_string(),
    }
}

#[cfg(test)]
mod line_samples;
#[cfg(test)]
mod samples;
