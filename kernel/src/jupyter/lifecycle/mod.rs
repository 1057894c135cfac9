//! Ends the kernel and interrupts cells.

mod exit;
mod interrupt;
mod signals;

pub(crate) use exit::{Alive, ExitOnDrop, ExitRequest, alive, exit_requests};
pub(crate) use interrupt::Interrupt;
pub(crate) use signals::handle as handle_signals;
