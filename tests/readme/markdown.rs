//! As much Markdown as the README files use.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::support;

/// A Markdown file of the repository.
pub(crate) struct Page {
    path: PathBuf,
    text: String,
}

/// A fenced block of code.
#[derive(Debug)]
pub(crate) struct Block<'a> {
    /// The word after the opening fence: `rust`, `text`.
    pub(crate) language: &'a str,
    /// The code, with the line break at its end.
    pub(crate) code: &'a str,
}

impl Page {
    /// The file at `path`, relative to the root of the repository.
    pub(crate) fn read(path: &str) -> Self {
        let path = support::workspace().join(path);
        let text =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path, text }
    }

    /// Where the file is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// All of its text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The text from the `##` heading that starts with `title` to the next `##` heading.
    pub(crate) fn section(&self, title: &str) -> &str {
        let heading = format!("\n## {title}");
        let (_, rest) = self
            .text
            .split_once(&heading)
            .unwrap_or_else(|| panic!("{} has no section `{title}`", self.path.display()));
        rest.find("\n## ").map_or(rest, |end| &rest[..=end])
    }

    /// The text from the `##` heading that contains `part` to the next `##` heading.
    pub(crate) fn section_about(&self, part: &str) -> Option<&str> {
        let mut headings = self
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("## "));
        let heading = headings.find(|heading| heading.contains(part))?;
        Some(self.section(heading))
    }

    /// What links to a heading of the page end in, as GitHub makes it from the heading's text.
    pub(crate) fn anchors(&self) -> Vec<String> {
        let fence = Regex::new(r"(?ms)^```.*?^```$").expect("it is well-formed");
        let mut seen: HashMap<String, usize> = HashMap::new();
        fence
            .replace_all(&self.text, "")
            .lines()
            .filter(|line| line.starts_with('#'))
            .map(|line| slug(line.trim_start_matches('#').trim()))
            .map(|slug| {
                let count = seen.entry(slug.clone()).or_default();
                *count += 1;
                match *count {
                    1 => slug,
                    again => format!("{slug}-{}", again - 1),
                }
            })
            .collect()
    }
}

fn slug(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// The fenced blocks of a text, in order.
pub(crate) fn blocks(text: &str) -> Vec<Block<'_>> {
    let fenced = Regex::new(r"(?ms)^```(\w*)\n(.*?)^```$").expect("it is well-formed");
    fenced
        .captures_iter(text)
        .map(|found| {
            let [language, code] = found.extract().1;
            Block { language, code }
        })
        .collect()
}

/// The cells of the rows of all tables in a text, headers included.
pub(crate) fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines()
        .filter(|line| line.starts_with('|') && !line.starts_with("|-"))
        .map(|line| {
            let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
            inner.split(" | ").map(str::trim).collect()
        })
}

/// What stands between back-ticks.
pub(crate) fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}
