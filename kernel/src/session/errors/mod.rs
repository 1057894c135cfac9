//! How cells fail, in the words and at the places of the user's code.

mod cell_error;
pub(crate) mod diagnostics;
pub(crate) mod panic_site;

pub(crate) use cell_error::CellError;
