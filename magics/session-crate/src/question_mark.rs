//! The end of a cell by `?`, whatever the `?` stands behind.
//!
//! This module needs unstable features of the compiler. A compiler that does not know them builds the
//! crate without this module: `?` then accepts only errors that evcxr can print, and no `Option`.

use std::convert::Infallible;
use std::fmt::{Debug, Display};
use std::ops::{ControlFlow, FromResidual};

use crate::ending::report;

/// What the user's part of a cell returns. The session process hears of an error before this is made.
pub struct CellEnd;

impl<E> FromResidual<Result<Infallible, E>> for CellEnd {
    #[track_caller]
    fn from_residual(error: Result<Infallible, E>) -> Self {
        let Err(error) = error;
        let debug = error.debug_text();
        let display = error.display_text().or_else(|| debug.clone());
        let display = display.unwrap_or_else(|| std::any::type_name::<E>().to_owned());
        report(&display, &debug.unwrap_or_default());
        Self
    }
}

impl FromResidual<Option<Infallible>> for CellEnd {
    #[track_caller]
    fn from_residual(_: Option<Infallible>) -> Self {
        report("the value is `None`", "");
        Self
    }
}

impl<B> FromResidual<ControlFlow<B, Infallible>> for CellEnd {
    #[track_caller]
    fn from_residual(_: ControlFlow<B, Infallible>) -> Self {
        report("the value is `ControlFlow::Break`", "");
        Self
    }
}

/// The `Debug` text of a value of any type; `None` if the type has none.
trait DebugText {
    fn debug_text(&self) -> Option<String>;
}

impl<T> DebugText for T {
    default fn debug_text(&self) -> Option<String> {
        None
    }
}

impl<T: Debug> DebugText for T {
    fn debug_text(&self) -> Option<String> {
        Some(format!("{self:?}"))
    }
}

/// The `Display` text of a value of any type; `None` if the type has none.
trait DisplayText {
    fn display_text(&self) -> Option<String>;
}

impl<T> DisplayText for T {
    default fn display_text(&self) -> Option<String> {
        None
    }
}

impl<T: Display> DisplayText for T {
    fn display_text(&self) -> Option<String> {
        Some(self.to_string())
    }
}
