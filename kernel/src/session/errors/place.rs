//! Finds the place of a message that evcxr cannot place.
//!
//! evcxr writes each `use` anew, one name a line, and knows no places in earlier cells. The compiler
//! sends the line of the source with a message; the line, or the last name in it, is looked up.

use std::ops::Range;

use memit_magics::cell;
use serde_json::Value;

/// The place in `code` of the error with this JSON, and the compiler's label.
pub(super) fn of_error(json: &Value, code: &str) -> Option<(Range<usize>, String)> {
    let spans = json["spans"].as_array()?;
    let is_primary = |span: &&Value| span["is_primary"].as_bool() == Some(true);
    let (primary, others): (Vec<_>, Vec<_>) = spans.iter().partition(is_primary);
    primary.into_iter().chain(others).find_map(|span| {
        let label = span["label"].as_str().unwrap_or_default().to_owned();
        Some((of_span(span, code)?, label))
    })
}

/// The place in `code` of a span of the compiler.
pub(super) fn of_span(span: &Value, code: &str) -> Option<Range<usize>> {
    let highlighted = Highlighted::read(span)?;
    let literal = highlighted.in_text(code);
    literal.or_else(|| highlighted.in_use(code))
}

/// A line of the compiled source with a part that is highlighted.
struct Highlighted<'a> {
    line: &'a str,
    /// Bytes of `line`.
    part: Range<usize>,
}

impl<'a> Highlighted<'a> {
    fn read(span: &'a Value) -> Option<Self> {
        let is_cell = span["file_name"].as_str()? == "src/lib.rs";
        if !is_cell {
            return Self::read(span["expansion"].get("span")?);
        }
        let text = span["text"].get(0)?;
        let line = text["text"].as_str()?;
        let column = |key: &str| usize::try_from(text[key].as_u64()?).ok();
        let byte = |column: usize| {
            let mut characters = line.char_indices();
            characters
                .nth(column.saturating_sub(1))
                .map_or(line.len(), |(at, _)| at)
        };
        let (start, end) = (
            byte(column("highlight_start")?),
            byte(column("highlight_end")?),
        );
        let indent = line.len() - line.trim_start().len();
        Some(Self {
            line: line.trim(),
            part: start.saturating_sub(indent)..end.saturating_sub(indent),
        })
    }

    /// Where the whole line stands in `code`.
    fn in_text(&self, code: &str) -> Option<Range<usize>> {
        if !self.line.contains(char::is_alphanumeric) {
            return None;
        }
        let (start, _) = code
            .match_indices(self.line)
            .find(|(at, _)| is_whole_word(code, *at..at + self.line.len()))?;
        let end = (start + self.part.end).min(start + self.line.len());
        Some(start + self.part.start..end)
    }

    /// Where the last name of a `use` stands in a `use` of `code`.
    fn in_use(&self, code: &str) -> Option<Range<usize>> {
        if !self.line.starts_with("use ") {
            return None;
        }
        let names = self.line.get(self.part.clone())?.split("::");
        let names: Vec<_> = names.map(|name| name.trim_start_matches("r#")).collect();
        let items = cell::rust(code).items();
        let uses = items
            .iter()
            .filter(|item| cell::syntax::mentions(item, "use"));
        let uses: Vec<_> = uses
            .filter_map(|item| Some((code.find(item.as_str())?, item)))
            .collect();
        names.iter().rev().find_map(|name| {
            uses.iter().find_map(|(start, item)| {
                let mut hits = item.match_indices(name);
                let (at, _) = hits.find(|(at, _)| is_whole_word(item, *at..at + name.len()))?;
                Some(start + at..start + at + name.len())
            })
        })
    }
}

fn is_whole_word(text: &str, range: Range<usize>) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let before = text[..range.start].chars().next_back();
    let after = text[range.end..].chars().next();
    let starts = text[range.clone()].starts_with(is_part) && before.is_some_and(is_part);
    let ends = text[range].ends_with(is_part) && after.is_some_and(is_part);
    !starts && !ends
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn span(line: &str, part: &str) -> Value {
        let start = line.find(part).unwrap() + 1;
        json!({
            "file_name": "src/lib.rs",
            "text": [{"text": line, "highlight_start": start, "highlight_end": start + part.len()}],
        })
    }

    fn found<'a>(code: &'a str, line: &str, part: &str) -> Option<&'a str> {
        of_span(&span(line, part), code).map(|range| &code[range])
    }

    #[test]
    fn a_line_or_the_last_name_of_a_use_is_found() {
        let code = "let a = 1;\nuse std::{fmt, collections::{HashMapp as Map}};\nlet b = c;";
        assert_eq!(found(code, "let b = c;", "c"), Some("c"));
        let line = "use std::collections::HashMapp as Map;";
        assert_eq!(
            found(code, line, "std::collections::HashMapp"),
            Some("HashMapp")
        );
        assert_eq!(
            found("use serde::Serialize;", "use serde::Serialize;", "serde"),
            Some("serde")
        );
        assert_eq!(found(code, "use serde::Serialize;", "serde"), None);
        assert_eq!(found("f();\n}", "}", "}"), None);
        assert_eq!(found("let ab = 1", "b = 1", "b"), None);
    }
}
