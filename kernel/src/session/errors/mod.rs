//! Errors of cells, which point at the code that the user typed.

mod cell_error;
pub(crate) mod diagnostics;
pub(crate) mod panic_site;

pub(crate) use cell_error::CellError;
