//! Makes the kernel known to Jupyter, and unknown again: the kernelspec, a directory with
//! `kernel.json` and the logos in one of the places where Jupyter looks.

mod kernelspec;
mod name;
mod prefix;
mod remove;
mod write;

pub(crate) use name::KernelName;
pub(crate) use prefix::InstallPrefix;
pub(crate) use remove::uninstall;
pub(crate) use write::Install;
