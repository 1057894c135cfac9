//! The Jupyter kernel: sockets, messages, and the answers to requests.

mod connection;
mod history;
mod kernel;
mod lifecycle;
mod request;
mod serve;
mod socket;
mod socket_files;
pub mod wire;

pub(crate) use history::DatabasePlace;
pub(crate) use kernel::serve;
