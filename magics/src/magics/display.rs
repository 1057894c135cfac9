//! `%%html`, `%%markdown`, `%%latex` and `%%svg`: show the cell.

use crate::error::MagicError;
use crate::magic::{Action, Call, Content, Form, Magic};

/// The magic for a kind of text.
pub(crate) struct Display {
    name: &'static str,
    summary: &'static str,
    /// The MIME type of the text.
    mime: &'static str,
}

/// `%%html`
pub(crate) const HTML: Display = Display {
    name: "html",
    summary: "Show the cell as HTML",
    mime: "text/html",
};

/// `%%markdown`
pub(crate) const MARKDOWN: Display = Display {
    name: "markdown",
    summary: "Show the cell as Markdown",
    mime: "text/markdown",
};

/// `%%latex`
pub(crate) const LATEX: Display = Display {
    name: "latex",
    summary: "Show the cell as LaTeX",
    mime: "text/latex",
};

/// `%%svg`
pub(crate) const SVG: Display = Display {
    name: "svg",
    summary: "Show the cell as an SVG picture",
    mime: "image/svg+xml",
};

impl Magic for Display {
    fn name(&self) -> &'static str {
        self.name
    }

    fn form(&self) -> Form {
        Form::Cell
    }

    fn content(&self) -> Content {
        Content::Text
    }

    fn summary(&self) -> &'static str {
        self.summary
    }

    fn first_line(&self) -> &'static str {
        ""
    }

    fn argument(&self) -> &'static str {
        "TEXT"
    }

    fn details(&self) -> &'static str {
        "The lines below are an output of the cell, which a front-end renders. A console shows the text itself."
    }

    fn resolve(&self, call: &Call) -> Result<Action, MagicError> {
        call.expect_only_body(self.name, "text")?;
        Ok(Action::Display {
            mime: self.mime,
            text: call.body_text(),
        })
    }
}
