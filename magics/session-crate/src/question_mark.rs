//! The end of a cell, or of the statements of a magic, by `?`, whatever the `?` stands behind.
//!
//! This module needs unstable features of the compiler. A compiler that does not know them builds the
//! crate without this module: `?` then accepts only errors that evcxr can print, and no `Option`.

use std::convert::Infallible;
use std::fmt::{Debug, Display};
use std::ops::{ControlFlow, FromResidual, Try};

use crate::ending::report;
use crate::harness::Returned;

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

/// How the statements of a magic end.
pub struct SnippetEnd(Result<(), Returned>);

impl From<Result<(), Returned>> for SnippetEnd {
    fn from(end: Result<(), Returned>) -> Self {
        Self(end)
    }
}

impl From<SnippetEnd> for Result<(), Returned> {
    fn from(SnippetEnd(end): SnippetEnd) -> Self {
        end
    }
}

/// The end of statements within those that a `?` leaves.
pub struct LeftEarly(Returned);

impl Try for SnippetEnd {
    type Output = ();
    type Residual = LeftEarly;

    fn from_output((): ()) -> Self {
        Self(Ok(()))
    }

    fn branch(self) -> ControlFlow<LeftEarly> {
        match self.0 {
            Ok(()) => ControlFlow::Continue(()),
            Err(returned) => ControlFlow::Break(LeftEarly(returned)),
        }
    }
}

impl FromResidual<LeftEarly> for SnippetEnd {
    fn from_residual(LeftEarly(returned): LeftEarly) -> Self {
        Self(Err(returned))
    }
}

impl<E> FromResidual<Result<Infallible, E>> for SnippetEnd {
    fn from_residual(error: Result<Infallible, E>) -> Self {
        let Err(error) = error;
        let text = error.debug_text().or_else(|| error.display_text());
        let text = text.unwrap_or_else(|| std::any::type_name::<E>().to_owned());
        Self(Err(Returned::with(&text)))
    }
}

impl FromResidual<Option<Infallible>> for SnippetEnd {
    fn from_residual(_: Option<Infallible>) -> Self {
        Self(Err(Returned::with("the value is `None`")))
    }
}

impl<B> FromResidual<ControlFlow<B, Infallible>> for SnippetEnd {
    fn from_residual(_: ControlFlow<B, Infallible>) -> Self {
        Self(Err(Returned::with("the value is `ControlFlow::Break`")))
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
