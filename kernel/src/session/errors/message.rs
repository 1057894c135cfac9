//! A message about a cell, of the compiler or of cargo.

use std::borrow::Cow;
use std::ops::Range;
use std::path::PathBuf;

use annotate_snippets::Level;

use super::diagnostics::{Mark, ORIGIN, render};

/// A message about a cell.
#[derive(Default)]
pub(super) struct Message {
    pub(super) is_warning: bool,
    pub(super) code: Option<String>,
    pub(super) title: String,
    /// The name of the source; `None` if the place is not known.
    pub(super) origin: Option<Cow<'static, str>>,
    pub(super) source: String,
    pub(super) marks: Vec<Mark>,
    pub(super) notes: Vec<(Level<'static>, String)>,
    /// The directory of the crate that the message is about, if the message is not about a cell.
    pub(super) crate_directory: Option<PathBuf>,
}

impl Message {
    /// The message at places in the cell `code`.
    pub(super) fn at(self, code: &str, marks: Vec<Mark>) -> Self {
        Self {
            origin: (!marks.is_empty()).then_some(Cow::Borrowed(ORIGIN)),
            source: code.to_owned(),
            marks,
            ..self
        }
    }

    pub(super) fn headline(&self) -> String {
        match &self.code {
            Some(code) => format!("[{code}] {}", self.title),
            None => self.title.clone(),
        }
    }

    pub(super) fn is_about_the_cell(&self) -> bool {
        self.origin.as_deref() == Some(ORIGIN)
    }

    /// The place in the cell; `None` if the message is about something else.
    pub(super) fn place_in_cell(&self) -> Option<&Range<usize>> {
        self.place().filter(|_| self.is_about_the_cell())
    }

    fn place(&self) -> Option<&Range<usize>> {
        let primary = self.marks.iter().find(|mark| mark.primary);
        primary.or(self.marks.first()).map(|mark| &mark.span)
    }

    pub(super) fn is_about_the_same(&self, other: &Self) -> bool {
        let key = |message: &Self| (message.origin.clone(), message.place().cloned());
        self.headline() == other.headline() && key(self) == key(other)
    }

    pub(super) fn render(&self) -> String {
        let level = if self.is_warning {
            Level::WARNING
        } else {
            Level::ERROR
        };
        let mut title = level.primary_title(self.title.as_str());
        if let Some(code) = &self.code {
            title = title.id(code.as_str());
        }
        let origin = self.origin.as_deref().unwrap_or(ORIGIN);
        render(title, origin, &self.source, &self.marks, &self.notes)
    }
}
