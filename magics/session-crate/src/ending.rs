//! How a cell says that a `?` ended it.
//!
//! The code that evcxr generates prints a line for this, which any text could imitate. The compiler
//! of a session replaces the line by a call of a function here.

use std::panic::Location;

use crate::abi::entry_points::memit_failed;

/// A `?` met an error with this text and ends the cell.
#[track_caller]
pub fn failed(text: &str) {
    report(text, "");
}

/// Tells the session process of an error: its `Display` text, or what stands in for it, and its
/// `Debug` text.
#[track_caller]
pub(crate) fn report(display: &str, debug: &str) {
    let at = Location::caller();
    memit_failed(
        display.into(),
        debug.into(),
        at.file().into(),
        at.line(),
        at.column(),
    );
}
