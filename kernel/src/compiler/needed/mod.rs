//! What a cell needs of the session's items.
//!
//! evcxr compiles a cell with all items of the session. rustc checks the body of each function again,
//! though the body has been compiled before, and for a cell that calls few of them. So a cell is
//! compiled with less:
//!
//! - A cell that names nothing of the session is compiled without the session's items.
//! - For other cells, the body of each function that the cell does not call is replaced by the call
//!   of a function that does not exist. Everything else about the function stays, so the cell means
//!   the same. Which functions the cell calls is guessed from names. The guess is right if the
//!   compiled cell does not need the function that does not exist.
//!
//! If that does not compile, the cell is compiled with everything, so errors are those of the whole
//! session. An item is left out only if the item has been compiled, and if everything is still there
//! that the session had then: a cell that changes or deletes an item meets the errors in all
//! functions.

mod calls;
mod closed;
mod items;
mod record;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::Path;
use std::time::Duration;

use super::division::Work;
use super::edits::{self, Edit};
use super::symbols;
use items::{Function, Items};
use record::{Known, Record};

/// The function that does not exist.
const LEFT_OUT: &str = "memit_left_out";

/// Cells are slow if compiling one takes longer than this.
const SLOW: Duration = Duration::from_millis(300);

/// A source that a cell may be compiled from.
pub(super) struct Attempt<'a> {
    pub(super) source: Cow<'a, str>,
    pub(super) work: Work,
    /// Whether the source has the session's items, which can use dependencies.
    pub(super) has_items: bool,
}

/// What a cell needs of the session's items.
pub(super) struct Needed<'a> {
    whole: &'a str,
    known: Known,
    /// Whether the record of the session says the same.
    is_recorded: bool,
    /// The sources to try, the first one first. The last has everything.
    attempts: VecDeque<Attempt<'a>>,
}

impl<'a> Needed<'a> {
    /// What a cell with this source needs. `crates` are the dependencies with their states.
    pub(super) fn of(session: &Path, source: &'a str, crates: &BTreeMap<String, u64>) -> Self {
        let before = Record::read(session).unwrap_or_default();
        let same = before
            .items_of(source)
            .filter(|_| before.known.crates == *crates);
        let only_cell_is_new = same.is_some();
        let known = Known {
            items: same.unwrap_or_else(|| Items::of(source)),
            crates: crates.clone(),
            is_slow: before.known.is_slow,
        };
        let (items, functions) = (&known.items, &known.items.functions);
        let are_known = if only_cell_is_new {
            Some(vec![true; functions.len()])
        } else {
            before.knows(source, &known)
        };
        let mut attempts = VecDeque::new();
        if only_cell_is_new
            && !items.of_session.is_empty()
            && let Some(cell) = &items.cell
            && closed::is_closed(&source[cell.clone()], &items.names, crates)
        {
            attempts.push_back(Attempt {
                source: edits::apply(source, closed::without(source, &items.of_session)).into(),
                work: Work::default(),
                has_items: false,
            });
        }
        let work = Work {
            bytes: source.len(),
            calls_others: !functions.is_empty(),
            is_slow: known.is_slow,
        };
        if let Some(are_known) = are_known {
            let called = calls::called(source, items, &are_known);
            let calls_others = called
                .iter()
                .zip(&are_known)
                .any(|(called, known)| *called && *known);
            let left_out = functions.iter().zip(&called);
            let left_out = left_out.filter(|(of, called)| of.is_plain && !**called);
            let edits: Vec<_> = left_out.filter_map(|(of, _)| without(source, of)).collect();
            if !edits.is_empty() {
                let bytes = edits.iter().map(|(body, _)| body.len()).sum::<usize>();
                attempts.push_back(Attempt {
                    source: edits::apply(source, edits).into(),
                    work: Work {
                        bytes: work.bytes - bytes,
                        calls_others,
                        ..work
                    },
                    has_items: true,
                });
            }
        }
        attempts.push_back(Attempt {
            source: source.into(),
            work,
            has_items: true,
        });
        Self {
            whole: source,
            known,
            is_recorded: only_cell_is_new,
            attempts,
        }
    }

    /// The source to try next; `None` if there is no other.
    pub(super) fn next(&mut self) -> Option<Attempt<'a>> {
        self.attempts.pop_front()
    }

    /// Remembers that the cell compiles, and whether that takes long.
    pub(super) fn remember(
        mut self,
        session: &Path,
        attempt: &Attempt<'_>,
        taken: Duration,
    ) -> io::Result<()> {
        let is_slow = attempt.work.calls_others && taken > SLOW;
        if self.is_recorded && self.known.is_slow >= is_slow {
            return Ok(());
        }
        self.known.is_slow |= is_slow;
        Record::new(self.whole, self.known).write(session)
    }
}

/// Whether a compiled cell calls a function whose body has been left out.
pub(super) fn is_missed(library: &[u8]) -> bool {
    symbols::is_undefined(library, LEFT_OUT)
}

/// Leaves out the body of a function: no line moves, and what stands behind stays in its column. `None`
/// if the body is too short.
fn without(source: &str, function: &Function) -> Option<Edit> {
    let body = &source[function.body.clone()];
    // Parameters are not used any more, and code behind `!` is not either.
    let call =
        format!("{{#![allow(unused)]unsafe extern \"C\"{{safe fn {LEFT_OUT}()->!;}}{LEFT_OUT}()");
    let (lines, last) = match body.rsplit_once('\n') {
        Some((lines, last)) => (lines.matches('\n').count() + 1, last),
        None => (0, body.get(call.len()..)?),
    };
    let indent = last.strip_suffix('}')?;
    let width = indent.chars().count();
    let text = format!("{call}{}{:width$}}}", "\n".repeat(lines), "");
    Some((function.body.clone(), text))
}
