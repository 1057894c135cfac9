//! Installs and removes the kernelspec: a directory with `kernel.json` and the logos, in one of the
//! directories that Jupyter searches.

mod kernelspec;
mod name;
mod prefix;
mod remove;
mod write;

pub(crate) use name::KernelName;
pub(crate) use prefix::InstallPrefix;
pub(crate) use remove::uninstall;
pub(crate) use write::Install;
