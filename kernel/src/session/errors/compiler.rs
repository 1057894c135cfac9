//! The errors and warnings of the compiler in a cell.

use std::borrow::Cow;

use annotate_snippets::Level;
use evcxr::CompilationError;
use serde_json::Value;

use super::cell_error::CellError;
use super::diagnostics::{EARLIER, Mark, ORIGIN, byte_at};
use super::explanations::{Explanation, Explanations};
use super::message::Message;
use super::{allocator, cargo, dependency, hints, misplaced, place, unfinished, value, wording};

const COMPILE_ERROR: &str = "CompileError";

/// The errors of the compiler in the cell `code`, and below them the warnings about it. `cells` are
/// the cells so far; `cell_line` maps a line of the compiled source to a line of the cell.
pub(crate) fn of_compiler(
    errors: &[CompilationError],
    explanations: &Explanations,
    code: &str,
    cells: &[String],
    cell_line: impl Fn(usize) -> Option<usize>,
) -> CellError {
    let errors = errors.iter().filter(|error| !is_of_copy(error, code));
    let (warnings, errors): (Vec<_>, Vec<_>) = errors.partition(|error| is_warning(error));
    let read_one =
        |error: &CompilationError| read(error, explanations.get(error), code, cells, &cell_line);
    let mut messages: Vec<Message> = errors.into_iter().map(read_one).collect();
    // Whatever the compiler makes of the code behind the cell: the cell ends too early.
    let lacks_semicolon = |first: &Message| first.title.starts_with("expected `;`");
    if !messages.first().is_some_and(lacks_semicolon)
        && let Some(message) = unfinished::message(code)
    {
        messages = vec![message];
    }
    if let Some(message) = misplaced::message(code, messages.first()) {
        messages = vec![message];
    }
    say_which_crate(&mut messages);
    let evalue = messages.first().map(Message::headline);
    // A warning about another cell was shown there.
    let is_alone = messages.is_empty();
    let warnings = warnings.into_iter().map(read_one);
    messages.extend(warnings.filter(|warning| is_alone || warning.is_about_the_cell()));
    let mut shown: Vec<&Message> = Vec::new();
    for message in &messages {
        // evcxr compiles a cell in more than one form, and each form can have the same error.
        if !shown.iter().any(|shown| shown.is_about_the_same(message)) {
            shown.push(message);
        }
    }
    let rendered = shown.iter().map(|message| message.render());
    CellError {
        ename: COMPILE_ERROR.to_owned(),
        evalue: evalue.unwrap_or_else(|| "the cell does not compile".to_owned()),
        traceback: rendered
            .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
            .collect(),
    }
}

/// Whether an error is about the source of a crate that the cell depends on.
pub(crate) fn is_of_crate(errors: &[CompilationError]) -> bool {
    errors
        .iter()
        .any(|error| dependency::place(&error.json).is_some())
}

/// Says which crate the errors are about, if they are about a crate.
fn say_which_crate(messages: &mut [Message]) {
    let last = messages
        .iter_mut()
        .rfind(|message| message.crate_directory.is_some());
    if let Some(message) = last
        && let Some(directory) = &message.crate_directory
    {
        let directory = directory.display();
        let note = format!(
            "the crate in `{directory}` does not compile. The session is as it was before the cell"
        );
        message.notes.push((Level::NOTE, note));
    }
}

/// The error of a build that failed before the compiler could say why. `text` is cargo's.
pub(crate) fn of_cargo(text: &str) -> CellError {
    of_message(&cargo::message(text))
}

/// The error that consists of one message.
pub(super) fn of_message(message: &Message) -> CellError {
    CellError {
        ename: COMPILE_ERROR.to_owned(),
        evalue: message.headline(),
        traceback: message.render().lines().map(str::to_owned).collect(),
    }
}

/// Whether the compiler only warns.
pub(crate) fn is_warning(error: &CompilationError) -> bool {
    error.level() == "warning"
}

/// Whether the warning is that a macro is unused which the cell `code` calls: such a call may be one of
/// the copy of the macro that the stand-in for rustc makes.
pub(crate) fn is_of_copy(error: &CompilationError, code: &str) -> bool {
    let message = raw_title(error);
    let name = message.strip_prefix("unused macro definition: `");
    let call = name.map(|name| name.replace('`', "!"));
    call.is_some_and(|call| code.contains(&call))
}

/// The label of the compiler under its primary place; empty if the label repeats the title.
pub(crate) fn label(error: &CompilationError, label: &str) -> String {
    let is_title = label
        .strip_prefix(error.level())
        .and_then(|rest| rest.strip_prefix(": "))
        .unwrap_or(label)
        == raw_title(error);
    if is_title || wording::is_internal(label) {
        String::new()
    } else {
        wording::plain(label)
    }
}

/// The suggestions of the compiler.
pub(crate) fn helps(error: &CompilationError, code: &str) -> impl Iterator<Item = String> {
    let notes = hints::notes(error, code).into_iter();
    notes.filter_map(|(level, text)| (level == Level::HELP).then_some(text))
}

/// The title in the words of the compiler, which evcxr repeats as a label.
fn raw_title(error: &CompilationError) -> String {
    match error.json["message"].as_str() {
        Some(message) => message.to_owned(),
        None => error.message(),
    }
}

/// The message of an error of evcxr's.
fn read(
    error: &CompilationError,
    explanation: Option<&Explanation>,
    code: &str,
    cells: &[String],
    cell_line: &impl Fn(usize) -> Option<usize>,
) -> Message {
    if error.json == Value::Null {
        // evcxr's own message, which may repeat what cargo says.
        let marks = marks(error, code, cell_line);
        return cargo::message(&error.message()).at(code, marks);
    }
    if let Some(message) = allocator::in_place_of(&raw_title(error)) {
        return message;
    }
    let mut message = Message {
        is_warning: is_warning(error),
        code: error.code().map(str::to_owned),
        title: wording::plain(&hints::title(error)),
        notes: hints::notes(error, code),
        ..Message::default()
    };
    if let Some(explanation) = explanation {
        message.title = explanation.title.clone().unwrap_or(message.title);
        if explanation.is_all {
            message.notes.clear();
        }
        message.notes.push((Level::HELP, explanation.help.clone()));
    }
    let marks = marks(error, code, cell_line);
    if let Some(mark) = value::mark(&error.json, code) {
        let notes = &mut message.notes;
        notes.retain(|(_, note)| !value::is_about_reference(note));
        return message.at(code, vec![mark]);
    }
    if !marks.is_empty() {
        return message.at(code, marks);
    }
    // evcxr knows the places in the statements and items of this cell only.
    let found = place::of_error(&error.json, code).map(|(span, label)| (ORIGIN, code, span, label));
    let found = found.or_else(|| {
        let earlier = cells.iter().rev().skip(1);
        earlier.map(String::as_str).find_map(|cell| {
            let (span, label) = place::of_error(&error.json, cell)?;
            Some((EARLIER, cell, span, label))
        })
    });
    let Some((origin, source, span, text)) = found else {
        return in_a_crate(error, message);
    };
    let mark = Mark {
        span,
        label: label(error, &text),
        primary: true,
    };
    Message {
        origin: Some(Cow::Borrowed(origin)),
        ..message.at(source, vec![mark])
    }
}

/// The message at its place in the source of a crate, if it is about a crate.
fn in_a_crate(error: &CompilationError, message: Message) -> Message {
    let Some(place) = dependency::place(&error.json) else {
        return message;
    };
    let mark = Mark {
        label: label(error, &place.label),
        span: place.span,
        primary: true,
    };
    Message {
        origin: Some(Cow::Owned(place.file)),
        crate_directory: Some(place.directory),
        ..message.at(&place.source, vec![mark])
    }
}

/// The places that evcxr knows.
fn marks(
    error: &CompilationError,
    code: &str,
    cell_line: &impl Fn(usize) -> Option<usize>,
) -> Vec<Mark> {
    let messages = error.spanned_messages().iter();
    let marks = messages.filter_map(|message| {
        let span = message.span?;
        let start = byte_at(code, cell_line(span.start_line)?, span.start_column)?;
        let end = byte_at(code, cell_line(span.end_line)?, span.end_column)?;
        Some(Mark {
            span: start..end.max(start),
            label: label(error, &message.label),
            primary: message.is_primary,
        })
    });
    marks.collect()
}
