//! Completes code, and decides whether a cell is complete.

use std::borrow::Cow;
use std::task::Poll;
use std::time::Duration;

use memit_magics::cell;
use memit_magics::cell::options::{HELP, OptionSpec};
use memit_magics::cell::syntax::{Completeness, Statements};
use memit_magics::magic::{Content, Form, Magic};
use memit_magics::registry;
use memit_magics::split::{MagicText, Part, Request, blank_magics, body_alone, split};

use super::position;
use crate::session::engine::Engine;

/// A completion of the code under the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Match {
    /// The text that replaces [`Completions::start`] to [`Completions::end`].
    pub text: String,
    /// The kind: `function`, `magic`, …; empty if unknown.
    pub kind: String,
}

/// Completions, and the range that they replace, in Unicode code points.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Completions {
    /// The possible replacements.
    pub matches: Vec<Match>,
    /// The start of the text to replace.
    pub start: usize,
    /// The end of the text to replace.
    pub end: usize,
}

/// The completions of the name or an option of a magic at `cursor`, in code points; `None` if there is no
/// magic.
pub(crate) fn complete_magic(code: &str, cursor: usize) -> Option<Completions> {
    in_magic_head(code, position::to_bytes(code, cursor))
}

/// The completions of Rust at `cursor`, in code points, or `Pending` if the analyser has not found them after
/// `patience`.
pub(crate) fn complete(
    engine: &mut Engine,
    code: &str,
    cursor: usize,
    patience: Duration,
) -> Poll<Completions> {
    let at = position::to_bytes(code, cursor);
    let found = engine.completions(&blank_magics(code), at, patience);
    found.map(|found| {
        if found.all.is_empty() {
            return Completions {
                matches: Vec::new(),
                start: cursor,
                end: cursor,
            };
        }
        let mut matches: Vec<Match> = Vec::new();
        for completion in found.all {
            let new = Match {
                text: completion.code,
                kind: completion.kind,
            };
            if !matches.contains(&new) {
                matches.push(new);
            }
        }
        // The order of the analyser means nothing. The shortest name is nearest to what was typed.
        if found.start < at {
            matches.sort_by_key(|found| found.text.chars().count());
        }
        Completions {
            matches,
            start: position::to_code_points(code, found.start),
            end: position::to_code_points(code, found.end),
        }
    })
}

/// The completions of a magic's name or options, if the byte `at` lies in one.
fn in_magic_head(code: &str, at: usize) -> Option<Completions> {
    let code = &*innermost(code, at);
    let line_start = code[..at].rfind('\n').map_or(0, |end| end + 1);
    let typed = &code[line_start..at];
    let sigil = typed.trim_start();
    let offer = |from: usize, matches: Vec<Match>| Completions {
        matches,
        start: position::to_code_points(code, from),
        end: position::to_code_points(code, at),
    };
    // Only `%` so far, which is not a magic yet.
    if sigil == "%" || sigil == "%%" {
        return Some(offer(at - sigil.len(), names(sigil, "")));
    }
    let Some(magic) = magic_at(code, at) else {
        return is_in_text(code, at).then(|| offer(at, Vec::new()));
    };
    if at <= magic.name.end {
        let sigil = if magic.body.is_some() { "%%" } else { "%" };
        let start = magic.name.start - sigil.len();
        return Some(offer(start, names(sigil, &code[magic.name.start..at])));
    }
    let known = registry::find(&code[magic.name.clone()])?;
    let word_start = code[..at]
        .rfind(char::is_whitespace)
        .map_or(0, |end| end + 1);
    let word = &code[word_start..at];
    let before = &code[magic.line.start..word_start.max(magic.line.start)];
    let mut specs = known.options().to_vec();
    specs.push(HELP);
    let only_options_before = memit_magics::cell::options::parse(before, 0, &specs)
        .is_ok_and(|(_, end)| before[end..].trim().is_empty());
    if word.starts_with('-') && only_options_before {
        return Some(offer(word_start, option_names(&specs, word)));
    }
    (known.content() != Content::Rust).then(|| offer(at, Vec::new()))
}

/// Whether the byte `at` lies in text below a magic.
fn is_in_text(code: &str, at: usize) -> bool {
    let parts = split(code).unwrap_or_default();
    parts.iter().any(|part| match part {
        Part::Magic(magic) if magic.content(code) == Content::Text => {
            magic.body.as_ref().is_some_and(|body| at >= body.start)
        }
        _ => false,
    })
}

/// The code with blanks in place of the magics whose bodies are cells and contain the byte `at`.
fn innermost(code: &str, at: usize) -> Cow<'_, str> {
    let parts = split(code).unwrap_or_default().into_iter();
    let mut bodies = parts.filter_map(|part| match part {
        Part::Magic(magic) if magic.content(code) == Content::Cell => magic.body,
        _ => None,
    });
    match bodies.find(|body| at >= body.start) {
        Some(body) => Cow::Owned(innermost(&body_alone(code, &body), at).into_owned()),
        None => Cow::Borrowed(code),
    }
}

/// The magic whose line the byte `at` lies on.
pub(crate) fn magic_at(code: &str, at: usize) -> Option<MagicText> {
    let code = &*innermost(code, at);
    let parts = split(code).ok()?;
    parts.into_iter().find_map(|part| match part {
        Part::Magic(magic) if (magic.name.start..=magic.line.end).contains(&at) => Some(magic),
        _ => None,
    })
}

fn names(sigil: &str, prefix: &str) -> Vec<Match> {
    let fits = |magic: &&&dyn Magic| {
        let has_form = match sigil {
            "%%" => magic.form() != Form::Line,
            _ => true,
        };
        has_form && magic.name().starts_with(prefix)
    };
    registry::all()
        .iter()
        .filter(fits)
        .map(|magic| {
            let sigil = if magic.form() == Form::Cell {
                "%%"
            } else {
                sigil
            };
            Match {
                text: format!("{sigil}{}", magic.name()),
                kind: "magic".to_owned(),
            }
        })
        .collect()
}

fn option_names(specs: &[OptionSpec], word: &str) -> Vec<Match> {
    let long = specs.iter().map(|spec| format!("--{}", spec.long));
    let short = specs.iter().map(|spec| format!("-{}", spec.short));
    let all = if word.starts_with("--") {
        long.collect()
    } else {
        short.chain(long).collect::<Vec<_>>()
    };
    all.into_iter()
        .filter(|name| name.starts_with(word))
        .map(|text| Match {
            text,
            kind: "option".to_owned(),
        })
        .collect()
}

/// Whether `code` is complete, so that it can be run.
pub(crate) fn completeness(code: &str) -> Completeness {
    let Ok(parts) = split(code) else {
        return Completeness::Invalid;
    };
    let Some(last) = parts.last() else {
        return Completeness::Complete;
    };
    match last {
        Part::Magic(magic) => match &magic.body {
            Some(body) => of_cell_magic(magic.content(code), &code[body.clone()]),
            None => of_line_magic(magic, code),
        },
        Part::Rust(range) => {
            let blanked = blank_magics(code);
            of_rust(cell::without_commands(&blanked[range.clone()]))
        }
    }
}

/// Statements on the line of a magic may be unfinished. The magic reports any other problem.
fn of_line_magic(magic: &MagicText, code: &str) -> Completeness {
    let argument = match magic.request(code) {
        Ok(Request::Run(known, call)) if known.content() == Content::Rust => call.argument,
        _ => return Completeness::Complete,
    };
    match of_rust(argument.text()) {
        incomplete @ Completeness::Incomplete { .. } => incomplete,
        Completeness::Complete | Completeness::Invalid => Completeness::Complete,
    }
}

/// As in IPython, a blank line ends the body of a cell magic.
fn of_cell_magic(content: Content, body: &str) -> Completeness {
    let completeness = match content {
        Content::Rust => of_rust(body),
        Content::Text => Completeness::Complete,
        Content::Cell => completeness(body),
    };
    match completeness {
        Completeness::Complete if body.trim().is_empty() || !body.ends_with('\n') => {
            Completeness::Incomplete { depth: 0 }
        }
        other => other,
    }
}

fn of_rust(code: &str) -> Completeness {
    Statements::parse(code).completeness()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(code: &str) -> Vec<String> {
        in_magic_head(code, code.len())
            .into_iter()
            .flat_map(|completions| completions.matches)
            .map(|found| found.text)
            .collect()
    }

    #[test]
    fn magics_and_their_options_are_completed() {
        assert_eq!(texts("%me"), ["%memit"]);
        assert_eq!(texts("// timed\n%%ti"), ["%%timeit"]);
        let all = texts("%");
        assert_eq!(all.len(), registry::all().len());
        assert!(all.starts_with(&["%memit".to_owned(), "%timeit".to_owned()]));
        assert!(all.contains(&"%%bash".to_owned()));
        assert_eq!(texts("%%capture é\n%%lp"), ["%%lprun"]);
        assert_eq!(texts("%%capture\n%memit -r 3 --qu"), ["--quiet"]);
        let in_text = in_magic_head("%%bash\nlet x", 12);
        assert_eq!(in_text.unwrap().matches, []);
        assert_eq!(texts("%memit --re"), ["--repeat", "--return"]);
        assert_eq!(texts("%memit -r 3 --qu"), ["--quiet"]);
        assert_eq!(texts("%memit x --qu"), Vec::<String>::new());
        assert_eq!(texts("let s = \"%me"), Vec::<String>::new());
    }

    #[test]
    fn the_place_of_a_completion_counts_code_points() {
        let code = "let é = 1;\n%me";
        let found = in_magic_head(code, code.len()).unwrap();
        assert_eq!((found.start, found.end), (11, 14));
    }

    #[test]
    fn completeness_knows_magics_and_commands() {
        let incomplete = |depth: usize| Completeness::Incomplete { depth };
        assert_eq!(completeness("%memit vec![1]"), Completeness::Complete);
        assert_eq!(completeness("%timeit vec![1, 2"), incomplete(1));
        assert_eq!(completeness("%memit -r 2 f({"), incomplete(2));
        assert_eq!(completeness("let x = 1;\n%memit x +"), incomplete(0));
        assert_eq!(completeness("%timeit foo)"), Completeness::Complete);
        assert_eq!(completeness("%session"), Completeness::Complete);
        assert_eq!(completeness("%%memit\n"), incomplete(0));
        assert_eq!(completeness("%%memit\nf(\n"), incomplete(1));
        assert_eq!(completeness("%%memit\nf()"), incomplete(0));
        assert_eq!(completeness("%%memit\nf()\n"), Completeness::Complete);
        assert_eq!(completeness(":dep regex = \"1\""), Completeness::Complete);
        assert_eq!(completeness("fn f() {"), incomplete(1));
        assert_eq!(completeness("foo)"), Completeness::Invalid);
        assert_eq!(completeness(""), Completeness::Complete);
    }
}
