//! Statics that macros make.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use ra_ap_syntax::SyntaxNode;
use ra_ap_syntax::ast::{self, AstNode};

use super::place::Place;
use crate::compiler::edits;
use crate::compiler::macro_calls::Known;

/// A source in which the calls that make statics are written out.
#[derive(Debug, Default)]
pub(super) struct Made {
    pub(super) source: String,
    /// What has taken the place of calls.
    calls: Vec<Range<usize>>,
}

/// Writes out calls in `source`, which is `file`. `crates` are the libraries of the dependencies. No line
/// moves.
pub(super) fn written_out(
    source: &str,
    file: &SyntaxNode,
    crates: &BTreeMap<String, PathBuf>,
) -> Made {
    let known = Known::of(file, crates);
    let calls = file.descendants().filter_map(ast::MacroCall::cast);
    let calls = calls.filter(|call| Place::of(call.syntax()).is_some());
    let edits = calls.filter_map(|call| {
        let text = known.written_out(&call, source)?;
        Some((Range::from(call.syntax().text_range()), text))
    });
    let edits: Vec<(Range<usize>, String)> = edits.collect();
    let (mut added, mut removed) = (0, 0);
    let mut calls = Vec::new();
    for (range, text) in &edits {
        let start = range.start + added - removed;
        calls.push(start..start + text.len());
        added += text.len();
        removed += range.len();
    }
    Made {
        source: edits::apply(source, edits),
        calls,
    }
}

impl Made {
    /// Whether no call is written out.
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// The item around a static that a call has made: a part of the item that is no part of the static can
    /// compute the value. `None` for a static in a function, which users know as such.
    pub(super) fn around(&self, of: &SyntaxNode) -> Option<SyntaxNode> {
        let range = |node: &SyntaxNode| Range::<usize>::from(node.text_range());
        let call = self
            .calls
            .iter()
            .find(|call| call.contains(&range(of).start))?;
        let is_inside = |node: &SyntaxNode| {
            let Range { start, end } = range(node);
            start >= call.start && end <= call.end
        };
        let around = of.ancestors().take_while(is_inside).last()?;
        let item = ast::Item::cast(around)?;
        (!matches!(item, ast::Item::Fn(_))).then(|| item.syntax().clone())
    }
}
