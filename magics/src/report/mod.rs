//! The views of results: text, HTML and JSON.

mod card;
mod costs_html;
mod costs_text;
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
mod once_html;
mod once_text;
pub(crate) mod remarks;
mod run_axis;
mod run_strips;
mod time_html;
mod time_text;
mod views;
mod whos_html;
mod whos_text;

use maud::{Markup, PreEscaped, html};
use serde::Serialize;
use serde_json::{Value, json};

use crate::result::{CellCost, MprofResult};

/// The views of one result.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// `text/plain`: a few lines, without a newline at the end.
    pub text: String,
    /// `text/html`: a card without scripts, style sheets or anything to load. It takes its colours
    /// from the page.
    pub html: String,
    /// `application/vnd.memit+json`: the data of the result.
    pub json: Value,
    /// The text for a variable that holds the result: `<MemitResult : …>`.
    pub repr: String,
}

/// A result that can be shown in a [`Report`].
pub trait Views: Serialize {
    /// The struct of the result: `MemitResult`.
    const NAME: &'static str;
    /// The user's choices about the views.
    type Options<'a>: Copy;

    /// A few lines of text, without a newline at the end.
    fn text(&self, options: Self::Options<'_>) -> String;
    /// A card.
    fn html(&self, options: Self::Options<'_>) -> Markup;
    /// The most important figures in one line.
    fn summary(&self) -> String;
}

impl Report {
    /// All views of a result.
    pub fn of<R: Views>(result: &R, options: R::Options<'_>) -> Self {
        Self {
            text: result.text(options),
            html: result.html(options).into_string(),
            json: serde_json::to_value(result).expect("a result is JSON"),
            repr: format!("<{} : {}>", R::NAME, result.summary()),
        }
    }

    /// The same views with notes below the figures. JSON has them as `remarks`.
    #[must_use]
    pub(crate) fn with_notes(mut self, notes: &[String]) -> Self {
        for note in notes {
            self.text = format!("{}\n{note}", self.text.trim_end_matches('\n'));
            self.html += &card::notes(std::slice::from_ref(note)).into_string();
            let fields = self.json.as_object_mut();
            let remarks = fields.map(|fields| fields.entry("remarks").or_insert(json!([])));
            if let Some(Value::Array(remarks)) = remarks {
                remarks.push(note.as_str().into());
            }
        }
        self
    }

    /// The same report of a magic in a block, below the values of the variables around the magic. JSON
    /// has them as `values`.
    #[must_use]
    pub fn at(mut self, values: &str) -> Self {
        if values.is_empty() {
            return self;
        }
        self.text = format!("{values}\n{}", self.text);
        self.html = html! {
            div style="margin:4px 0;font-family:var(--jp-code-font-family, monospace)" { (values) }
            (PreEscaped(self.html))
        }
        .into_string();
        if let Value::Object(fields) = &mut self.json {
            fields.insert("values".to_owned(), values.into());
        }
        self
    }
}

/// The line below a cell that says what the cell has cost, as text and as HTML.
///
/// `None` about a cell that has compiled and run nothing.
pub fn cost_line(cell: &CellCost) -> Option<[String; 2]> {
    let text = costs_text::line(cell)?;
    let html = costs_html::line(&text).into_string();
    Some([text, html])
}

/// The views of an unfinished measurement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// `text/plain`: a few lines, without a newline at the end.
    pub text: String,
    /// `text/html`: a card, as in a [`Report`].
    pub html: String,
}

impl Preview {
    /// The views of an unfinished `%mprof`, whose `wall_ns` is the time since the start. They are
    /// fast enough to be drawn several times a second.
    pub fn of(result: &MprofResult, title: Option<&str>) -> Self {
        Self {
            text: mprof_text::preview(result, title),
            html: mprof_html::preview(result, title).into_string(),
        }
    }
}

#[cfg(test)]
mod line_samples;
#[cfg(test)]
mod samples;
