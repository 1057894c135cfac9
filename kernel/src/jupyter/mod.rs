//! The Jupyter kernel: sockets, messages, and what is answered to them.

mod connection;
mod exit;
mod history;
mod interrupt;
mod kernel;
mod kernel_info;
mod request;
mod signals;
mod socket;
mod socket_files;
mod wire;

pub(crate) use history::Place as HistoryPlace;
pub(crate) use kernel::serve;
pub(crate) use kernel_info::KernelInfo;
