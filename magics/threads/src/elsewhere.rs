//! The same names for systems where a process cannot be forked with its threads.

use std::convert::Infallible;

use crate::{Error, StopOptions, Unsupported};

/// There is no value of this type on this system.
#[derive(Debug, Clone, Copy)]
pub struct Checked(Infallible);

/// There is no value of this type on this system.
#[derive(Debug)]
pub struct Stopped(Infallible);

/// There is no value of this type on this system.
#[derive(Debug)]
pub struct Alone(Infallible);

/// The two processes behind a fork.
#[derive(Debug)]
pub enum Forked {
    /// In the process that has forked: the id of the fork. The threads are still stopped.
    Parent(i32, Stopped),
    /// In the fork.
    Child(Alone),
}

/// Says that this process cannot be forked with its threads.
///
/// # Errors
///
/// Always.
pub fn check() -> Result<Checked, Error> {
    Err(Error::Unsupported(Unsupported::System))
}

/// Does nothing: no thread is made anew on this system.
///
/// # Safety
///
/// There is nothing to observe.
pub unsafe fn take_over_mutex(_: *mut libc::pthread_mutex_t) {}

/// As [`take_over_mutex`].
///
/// # Safety
///
/// There is nothing to observe.
pub unsafe fn take_over_rwlock(_: *mut libc::pthread_rwlock_t) {}

impl Checked {
    /// Never called.
    ///
    /// # Errors
    ///
    /// None.
    pub fn stop(&self, _: &StopOptions) -> Result<Stopped, Error> {
        match self.0 {}
    }
}

impl Stopped {
    /// Never called.
    pub fn threads(&self) -> usize {
        match self.0 {}
    }

    /// Never called.
    ///
    /// # Errors
    ///
    /// None.
    ///
    /// # Safety
    ///
    /// There is none.
    pub unsafe fn fork(self) -> Result<Forked, Error> {
        match self.0 {}
    }
}

impl Alone {
    /// Never called.
    ///
    /// # Errors
    ///
    /// None.
    pub fn revive(self) -> Result<(), Error> {
        match self.0 {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_says_where_it_works() {
        assert_eq!(
            check().unwrap_err().to_string(),
            "threads can be copied only on Linux on x86-64 with glibc"
        );
    }
}
