//! Makes the kernel known to Jupyter, and unknown again: the kernelspec, a directory with
//! `kernel.json` and the logos in one of the places where Jupyter looks.

mod environment;
mod kernelspec;
mod name;
mod place;
mod remove;
mod write;

pub(crate) use environment::Environment;
pub(crate) use name::KernelName;
pub(crate) use place::{Place, user_data};
pub(crate) use remove::uninstall;
pub(crate) use write::Install;
