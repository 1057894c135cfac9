//! Edits of a source.

use std::ops::Range;

/// What takes the place of a range.
pub(super) type Edit = (Range<usize>, String);

/// The source with the edits, which do not overlap. Edits at one place stay in order.
pub(super) fn apply(source: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let mut changed = String::with_capacity(source.len());
    let mut copied = 0;
    for (range, text) in edits {
        changed.push_str(&source[copied..range.start]);
        changed.push_str(&text);
        copied = range.end;
    }
    changed + &source[copied..]
}
