//! The title, notes and suggestions of a message of the compiler, for somebody who types cells.

use annotate_snippets::Level;
use evcxr::CompilationError;
use serde_json::Value;

use super::{place, wording};

/// The title of the message.
pub(super) fn title(error: &CompilationError) -> String {
    let title = error.message();
    match unreadable(&title) {
        // rustc is given a path in evcxr's directory.
        Some(file) => title.replace(&format!("`src/{file}`"), &format!("`{file}`")),
        None => title,
    }
}

/// The notes and suggestions below the message.
pub(super) fn notes(error: &CompilationError, code: &str) -> Vec<(Level<'static>, String)> {
    if error.code() == Some("E0583") {
        return vec![(Level::HELP, MODULE_IN_A_CRATE.to_owned())];
    }
    let mut notes = of_children(&error.json, code);
    if unreadable(&error.message()).is_some() {
        notes.push((Level::HELP, FILE_IN_A_CRATE.to_owned()));
    }
    notes
}

/// The notes and suggestions of a message of the compiler.
fn of_children(error: &Value, code: &str) -> Vec<(Level<'static>, String)> {
    let mut notes = Vec::new();
    for child in error["children"].as_array().into_iter().flatten() {
        let level = match child["level"].as_str() {
            Some("help") => Level::HELP,
            Some("note") => Level::NOTE,
            _ => continue,
        };
        let Some(message) = child["message"].as_str() else {
            continue;
        };
        if wording::is_internal(message) || LEFT_OUT.iter().any(|text| message.contains(text)) {
            continue;
        }
        if message.ends_with(" here") && level == Level::NOTE {
            // Without a place, the note says nothing.
            let line = lines(child).next();
            let line = line.filter(|line| !wording::is_internal(line));
            notes.extend(line.map(|line| (level, format!("{message}: `{line}`"))));
            continue;
        }
        let message = if let Some(name) = crate_to_add(message) {
            format!(
                "if you wanted to use a crate named `{name}`, write `:dep {name}` above the Rust of a cell"
            )
        } else {
            with_suggestion(&wording::plain(message), child, code) + &listed(child)
        };
        notes.push((level, message));
    }
    notes
}

const MODULE_IN_A_CRATE: &str = "a cell has no directory of source files. Put the module into a \
     crate, and write `:dep name = { path = \"…\" }` above the Rust of a cell";

const FILE_IN_A_CRATE: &str = "a cell has no directory of source files. Write an absolute path, or \
     put the file into a crate and write `:dep name = { path = \"…\" }` above the Rust of a cell";

/// Notes about files and options that a cell does not have.
const LEFT_OUT: &[&str] = &[
    "the full type name has been written to",
    "the full name for the type has been written to",
    "consider using `--verbose` to print the full type name",
];

/// The file that a macro such as `include!` could not read.
fn unreadable(title: &str) -> Option<&str> {
    let rest = title.strip_prefix("couldn't read `")?;
    let (file, _) = rest.split_once('`')?;
    Some(file.strip_prefix("src/").unwrap_or(file))
}

/// The crate that rustc would add with `cargo add`.
fn crate_to_add(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("`cargo add ")?;
    rest.split_once('`').map(|(name, _)| name)
}

/// The lines of the notebook that a note is about.
fn lines(child: &Value) -> impl Iterator<Item = &str> {
    let spans = child["spans"].as_array().into_iter().flatten();
    spans
        .filter(|span| span["file_name"] == "src/lib.rs" && span["is_primary"] == true)
        .filter_map(|span| Some(span["text"].get(0)?["text"].as_str()?.trim()))
}

/// What a note lists, each on a line of its own: `u8` implements `Add`. rustc shows the list as labels of
/// places in the standard library.
fn listed(child: &Value) -> String {
    let is_list = child["message"]
        .as_str()
        .is_some_and(|message| message.starts_with("the following"));
    let spans = child["spans"].as_array().into_iter().flatten();
    let labels = spans.filter_map(|span| span["label"].as_str());
    let labels = labels.filter(|label| is_list && !wording::is_internal(label));
    labels.fold(String::new(), |list, label| {
        list + "\n  " + &wording::plain(label)
    })
}

/// The text that a suggestion inserts, with the word behind it if the text alone would say nothing:
/// `&mut v`.
fn with_word(span: &Value, inserted: &str) -> Option<String> {
    let is_before_word = inserted.ends_with([' ', '&', '*']);
    let is_insertion = span["byte_start"] == span["byte_end"];
    let text = span["text"]
        .get(0)
        .filter(|_| is_before_word && is_insertion)?;
    let column = usize::try_from(text["highlight_start"].as_u64()?).ok()?;
    let behind = text["text"].as_str()?.chars().skip(column.checked_sub(1)?);
    let word: String = behind
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    (!word.is_empty()).then(|| format!("{}{word}", inserted.trim_start()))
}

/// The message with the text that its suggestion inserts.
fn with_suggestion(message: &str, child: &Value, code: &str) -> String {
    let spans = child["spans"].as_array().map_or(&[][..], Vec::as_slice);
    let parts: Vec<(&Value, &str)> = spans
        .iter()
        .filter_map(|span| Some((span, span["suggested_replacement"].as_str()?)))
        .collect();
    let Some((first, _)) = parts.first() else {
        return message.to_owned();
    };
    let place = |span: &Value| [&span["byte_start"], &span["byte_end"]].map(Value::as_u64);
    let are_alternatives = parts.iter().all(|(span, _)| place(span) == place(first));
    let suggested = if are_alternatives {
        let texts = parts.iter().map(|(span, text)| {
            let with_word = with_word(span, text);
            with_word.unwrap_or_else(|| text.trim().to_owned())
        });
        texts.filter(|text| !text.is_empty()).collect()
    } else {
        patched_line(&parts, code).into_iter().collect::<Vec<_>>()
    };
    let quoted: Vec<_> = suggested
        .iter()
        .filter(|text| !text.contains('\n'))
        .map(|text| format!("`{text}`"))
        .filter(|quoted| !message.contains(quoted.as_str()) && !wording::is_internal(quoted))
        .collect();
    if quoted.is_empty() {
        message.to_owned()
    } else {
        format!("{message}: {}", quoted.join(" or "))
    }
}

/// The line of the cell with all parts of a suggestion; `None` if the parts are on several lines.
fn patched_line(parts: &[(&Value, &str)], code: &str) -> Option<String> {
    let mut edits = Vec::new();
    for (span, replacement) in parts {
        edits.push((place::of_span(span, code)?, *replacement));
    }
    edits.sort_by_key(|(range, _)| range.start);
    let first = edits.first()?.0.start;
    let start = code[..first].rfind('\n').map_or(0, |end| end + 1);
    let end = code[first..].find('\n').map_or(code.len(), |at| first + at);
    let mut line = code[start..end].to_owned();
    for (range, replacement) in edits.into_iter().rev() {
        if range.start < start || range.end > end {
            return None;
        }
        line.replace_range(range.start - start..range.end - start, replacement);
    }
    Some(line.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A part of a suggestion in the only line of the cell.
    fn part(code: &str, at: usize, length: usize, replacement: &str) -> Value {
        json!({
            "file_name": "src/lib.rs",
            "byte_start": 100 + at,
            "byte_end": 100 + at + length,
            "suggested_replacement": replacement,
            "text": [{
                "text": code,
                "highlight_start": at + 1,
                "highlight_end": at + 1 + length,
            }],
        })
    }

    #[test]
    fn a_suggestion_says_what_to_write() {
        let code = "fn id(a: &str) -> &str { a }";
        let said = |message: &str, parts: &[Value]| {
            with_suggestion(message, &json!({"spans": parts}), code)
        };
        let import = part("", 0, 0, "use std::io::Write;\n");
        let other = part("", 0, 0, "use std::fmt::Write;\n");
        let lifetimes = [(5, "<'a>"), (10, "'a "), (19, "'a ")];
        let lifetimes = lifetimes.map(|(at, text)| part(code, at, 0, text));
        let all = [
            said(
                "consider importing this trait",
                std::slice::from_ref(&import),
            ),
            said("import one of these", &[import, other]),
            said("name the lifetime", &lifetimes),
            said("add `;` here", &[part(code, 28, 0, ";")]),
            said("remove this", &[part(code, 0, 3, "")]),
            said("no suggestion", &[]),
        ];
        insta::assert_snapshot!(all.join("\n"), @"
        consider importing this trait: `use std::io::Write;`
        import one of these: `use std::io::Write;` or `use std::fmt::Write;`
        name the lifetime: `fn id<'a>(a: &'a str) -> &'a str { a }`
        add `;` here
        remove this
        no suggestion
        ");
    }

    #[test]
    fn a_suggestion_is_shown_with_the_word_that_it_is_put_before() {
        let code = "f(v)";
        let said = |inserted: &str, at: usize| {
            let child = json!({"spans": [part(code, at, 0, inserted)]});
            with_suggestion("do this", &child, code)
        };
        assert_eq!(said("&mut ", 2), "do this: `&mut v`");
        assert_eq!(said("*", 2), "do this: `*v`");
        assert_eq!(said("move ", 3), "do this: `move`");
        assert_eq!(said(".to_owned()", 3), "do this: `.to_owned()`");
    }

    #[test]
    fn lists_and_places_of_notes_are_shown() {
        let of_library = |label: &str| json!({"file_name": "/library/core/src/ops/arith.rs", "is_primary": true, "label": label});
        let of_cell = json!({
            "file_name": "src/lib.rs",
            "is_primary": true,
            "label": null,
            "text": [{"text": "    fn f(x: u8) {}"}],
        });
        let error = json!({"children": [
            {
                "level": "help",
                "message": "the following other types implement trait `Add<Rhs>`",
                "spans": [of_library("`u8` implements `Add`"), of_library("`&u8` implements `Add<u8>`")],
            },
            {"level": "note", "message": "function defined here", "spans": [of_cell]},
            {"level": "note", "message": "method defined here", "spans": [of_library("x")]},
        ]});
        let all = of_children(&error, "");
        let texts: Vec<_> = all.iter().map(|(_, text)| text.as_str()).collect();
        insta::assert_snapshot!(texts.join("\n"), @"
        the following other types implement trait `Add<Rhs>`
          `u8` implements `Add`
          `&u8` implements `Add<u8>`
        function defined here: `fn f(x: u8) {}`
        ");
    }

    #[test]
    fn a_crate_to_add_is_found_in_rustcs_advice() {
        let advice = "use `cargo add serde` to add it to your `Cargo.toml`";
        assert_eq!(crate_to_add(advice), Some("serde"));
        assert_eq!(crate_to_add("use `serde`"), None);
        assert_eq!(
            unreadable("couldn't read `src/x.rs`: No such file"),
            Some("x.rs")
        );
    }
}
