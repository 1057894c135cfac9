//! Splits a cell into Rust and magics.

mod extent;
mod head;
mod placing;
mod request;
mod shell_lines;

use std::ops::Range;

use crate::cell::syntax::Statements;
use crate::cell::{rust, split_commands, without_commands};
use crate::error::MagicError;
use crate::magic::{Content, Magic};
use crate::magics::registry;
use extent::Within;
use head::Head;
pub use placing::{Placing, place};
pub use request::{Request, blank_magics};
pub use shell_lines::set_rust_apart;

/// A piece of a cell. Ranges are bytes of the cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Rust, or evcxr's commands.
    Rust(Range<usize>),
    /// A magic.
    Magic(MagicText),
}

/// The text of a magic in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MagicText {
    /// All of the magic but its body, from the variable or the `%` to the end of its statements.
    pub whole: Range<usize>,
    /// The `%` and the name.
    pub sign: Range<usize>,
    /// The name, without `%`.
    pub name: Range<usize>,
    /// The text behind the name: options, and the statements of a line magic.
    pub line: Range<usize>,
    /// The lines below a cell magic.
    pub body: Option<Range<usize>>,
    /// The variable in `let variable = %name …`.
    pub variable: Option<Range<usize>>,
    /// The user asks for help: `%name?` or `?%name`.
    pub help: bool,
}

impl MagicText {
    /// What stands behind the options and below the line of this magic, a part of `cell`.
    pub fn content(&self, cell: &str) -> Content {
        registry::find(&cell[self.name.clone()]).map_or(Content::Rust, Magic::content)
    }
}

/// Splits a cell into parts, in the order in which they run.
///
/// `%name` is a magic where a new statement may begin, at the top of the cell. `%%name` is a magic on the
/// first line that is neither blank nor a comment nor a command. Commands and shell lines begin a part of
/// their own. [`placed`] finds the magics in blocks of the Rust.
///
/// # Errors
///
/// If `%%name` is further down, or if a `;` is missing above a magic.
pub fn split(cell: &str) -> Result<Vec<Part>, MagicError> {
    let mut parts = Vec::new();
    let mut rust_start = 0;
    let mut places = Places::of(cell, 0..cell.len());
    while let Some(place) = places.next() {
        match place {
            Place::Command(at) => {
                push_rust(&mut parts, cell, rust_start..at);
                rust_start = at;
            }
            Place::Top(head) if head.cell => {
                if !Statements::parse(without_commands(&cell[..head.whole.start])).is_blank() {
                    return Err(not_first(cell, &head));
                }
                push_rust(&mut parts, cell, rust_start..head.whole.start);
                let magic = MagicText::read(cell, head, Within::FirstLine);
                let below = next_line(cell, magic.whole.end);
                let (commands, _) = split_commands(&cell[below..]);
                let has_commands =
                    magic.content(cell) == Content::Rust && commands.lines().any(is_command);
                let body = below + if has_commands { commands.len() } else { 0 };
                push_rust(&mut parts, cell, below..body);
                parts.push(Part::Magic(MagicText {
                    body: Some(body..cell.len()),
                    ..magic
                }));
                return Ok(parts);
            }
            Place::Top(head) => {
                push_rust(&mut parts, cell, rust_start..head.whole.start);
                let magic = MagicText::read(cell, head, Within::Cell);
                rust_start = next_line(cell, magic.whole.end);
                places.leave_out(&magic);
                parts.push(Part::Magic(magic));
            }
            Place::Block(head) => places.leave_out(&MagicText::read(cell, head, Within::Block)),
            Place::Unended(head) => return Err(missing_semicolon(cell, rust_start, &head)),
        }
    }
    push_rust(&mut parts, cell, rust_start..cell.len());
    Ok(parts)
}

/// The cell with blanks in front of the body of a cell magic. Bytes, lines and columns are those of the cell.
pub fn body_alone(cell: &str, body: &Range<usize>) -> String {
    let before = cell[..body.start].bytes();
    let blanks = before.map(|byte| if byte == b'\n' { '\n' } else { ' ' });
    blanks.collect::<String>() + &cell[body.clone()]
}

/// The magics in blocks of a range of Rust, such as the body of a loop. Their results are shown when the
/// block runs.
pub fn placed(cell: &str, range: Range<usize>) -> Vec<MagicText> {
    let mut places = Places::of(cell, range.clone());
    let mut found = Vec::new();
    while let Some(place) = places.next() {
        if let Place::Block(head) = place {
            let magic = MagicText::read(cell, head, Within::Block);
            places.leave_out(&magic);
            found.push(magic);
        }
    }
    let is_statement = |magic: &MagicText| {
        let text = &places.rust[range.clone()];
        let at = magic.whole.start - range.start;
        let without = [&text[..at], " ", &text[at + 1..]].concat();
        rust(text).is_valid() || !rust(&without).is_valid()
    };
    // Between the arms of a `match` or the fields of a struct, no statement can stand.
    found.retain(is_statement);
    found
}

/// The byte behind a line break at `at`.
fn next_line(cell: &str, at: usize) -> usize {
    at + usize::from(cell[at..].starts_with('\n'))
}

fn push_rust(parts: &mut Vec<Part>, cell: &str, range: Range<usize>) {
    if !cell[range.clone()].trim().is_empty() {
        parts.push(Part::Rust(range));
    }
}

/// A place of a cell where something other than Rust begins.
enum Place {
    /// A magic at the top of the cell.
    Top(Head),
    /// A magic in a block.
    Block(Head),
    /// A magic below an expression that a `;` must end.
    Unended(Head),
    /// A command or a shell line, at this byte.
    Command(usize),
}

/// Finds the places of a range of a cell where something other than Rust begins.
struct Places<'a> {
    cell: &'a str,
    /// The cell, where a `;` and blanks replace each magic that was found.
    rust: String,
    /// Where the statements begin that stand above.
    start: usize,
    at: usize,
    end: usize,
}

impl<'a> Places<'a> {
    fn of(cell: &'a str, range: Range<usize>) -> Self {
        Self {
            cell,
            rust: cell.to_owned(),
            start: range.start,
            at: range.start,
            end: range.end,
        }
    }

    /// The next place in the cell.
    fn next(&mut self) -> Option<Place> {
        while self.at < self.end {
            let from = self.at;
            let line_end = self.cell[from..self.end]
                .find('\n')
                .map_or(self.end, |length| from + length + 1);
            let text = &self.cell[from..line_end];
            let is_line = from == 0 || self.cell[..from].ends_with('\n');
            self.at = next_start(text).map_or(line_end, |at| from + at);
            if is_line && is_command(text) && self.is_below_rust(from) {
                self.start = from;
                return Some(Place::Command(from));
            }
            let text = is_line.then_some(text);
            let head = Head::read(&self.cell[from..line_end], from);
            if let Some(place) = head.and_then(|head| self.place(head, text)) {
                return Some(place);
            }
        }
        None
    }

    /// Goes on behind a magic.
    fn leave_out(&mut self, magic: &MagicText) {
        let blanks = magic
            .whole
            .clone()
            .map(|at| match self.cell.as_bytes()[at] {
                b'\n' => '\n',
                _ if at == magic.whole.start => ';',
                _ => ' ',
            });
        let blanks: String = blanks.collect();
        self.rust.replace_range(magic.whole.clone(), &blanks);
        self.at = magic.whole.end;
    }

    /// What stands at the head; `None` if it belongs to the Rust around it. `line` is the line that begins
    /// with the head, if one does.
    fn place(&self, head: Head, line: Option<&str>) -> Option<Place> {
        let name = &self.cell[head.name.clone()];
        // Within a line, a name that no magic has is more likely Rust.
        if line.is_none() && registry::find(name).is_none() {
            return None;
        }
        let before = &self.rust[self.start..head.whole.start];
        let statements = rust(before);
        if Statements::parse(before).ends_in_comment() || statements.unterminated().is_some() {
            return None;
        }
        if statements.end_is_boundary() {
            return Some(Place::Top(head));
        }
        let is_in_block = || {
            let rust = without_commands(before);
            matches!(statements.unclosed(), Some(('{', at))
                if Statements::parse(&rust[at + 1..]).end_is_boundary())
        };
        if !head.cell && registry::find(name).is_some() && is_in_block() {
            return Some(Place::Block(head));
        }
        let is_unended = |line| lacks_semicolon(before, line, head.variable.is_some());
        line.is_some_and(is_unended).then_some(Place::Unended(head))
    }

    /// Whether a statement ends above the line at the byte `at`.
    fn is_below_rust(&self, at: usize) -> bool {
        let above = rust(&self.rust[self.start..at]);
        !above.is_blank() && above.end_is_boundary()
    }
}

/// Where a magic may begin in the rest of a line, behind the start of the rest.
fn next_start(text: &str) -> Option<usize> {
    let at = text.find([';', '{', '}']).filter(|_| text.contains('%'))?;
    Some(at + 1).filter(|at| *at < text.len())
}

fn is_command(line: &str) -> bool {
    let text = line.trim_start();
    line.starts_with('!') || (text.starts_with(':') && !text.starts_with("::"))
}

/// Whether only a `;` behind `before` would make the line a magic. `total\n%memit - 1` is Rust.
fn lacks_semicolon(before: &str, line: &str, has_variable: bool) -> bool {
    let is_magic = has_variable || !rust(&format!("{before}{line}\n;")).is_valid();
    rust(&format!("{before}\n;")).end_is_boundary() && is_magic
}

fn missing_semicolon(cell: &str, start: usize, head: &Head) -> MagicError {
    let end = start + cell[start..head.whole.start].trim_end().len();
    let line = cell[..head.whole.start].matches('\n').count() + 1;
    let message = format!("`;` is missing before line {line}");
    MagicError::new(message, end..end).with_help(format!(
        "`%{}` begins a new statement: end the one above it with `;`",
        &cell[head.name.clone()]
    ))
}

fn not_first(cell: &str, head: &Head) -> MagicError {
    let name = &cell[head.name.clone()];
    MagicError::new(
        format!("`%%{name}` is not on the first line of the cell"),
        head.sign.clone(),
    )
    .with_help("a `%%` magic takes the whole cell: move the lines above it to another cell")
}

/// The lines of `cell` that look like magics but belong to the Rust around them, each with the bytes of
/// its name. The ranges begin at the `%`.
pub fn lines_like_magics(cell: &str) -> Vec<(Range<usize>, Range<usize>)> {
    let parts = split(cell).unwrap_or_default().into_iter();
    let rust = parts.filter_map(|part| match part {
        Part::Rust(range) => Some(range),
        Part::Magic(_) => None,
    });
    let mut found = Vec::new();
    for range in rust {
        let placed = placed(cell, range.clone());
        let heads = lines(&cell[range.clone()]).filter_map(|line| {
            let at = range.start + line.start;
            let text = cell[at..range.start + line.end].trim_end();
            Some((Head::read(text, at)?, at + text.len()))
        });
        let heads = heads.filter(|(head, _)| {
            let is_placed = |magic: &MagicText| magic.whole.contains(&head.sign.start);
            !placed.iter().any(is_placed)
        });
        found.extend(heads.map(|(head, end)| (head.sign.start..end, head.name)));
    }
    found
}

/// The lines of a text, with their line ends.
fn lines(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |line| {
        let range = start..start + line.len();
        start = range.end;
        range
    })
}

#[cfg(test)]
mod tests;
