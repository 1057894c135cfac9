//! How a cell says that it did not come to its end.
//!
//! The code that evcxr generates prints lines for this, which any text could imitate. The compiler
//! of a session replaces these lines by calls of the functions here.

use std::panic::Location;

use crate::abi::entry_points::{memit_failed, memit_panic_was_not_caught};

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

/// A panic ends the cell.
pub fn panicked() {
    memit_panic_was_not_caught();
}
