//! The statements that are measured, and how they end.

use std::ffi::c_void;

/// A function of a cell that runs the measured statements, and its only argument.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Body {
    call: unsafe extern "C" fn(*mut c_void) -> Ending,
    data: *mut c_void,
}

impl Body {
    /// A body that calls `call` with `data`.
    pub fn new(call: unsafe extern "C" fn(*mut c_void) -> Ending, data: *mut c_void) -> Self {
        Self { call, data }
    }

    /// Runs the statements once.
    ///
    /// # Safety
    ///
    /// The function must be callable with the data at this moment.
    pub unsafe fn run(self) -> Ending {
        // SAFETY: the caller's contract.
        unsafe { (self.call)(self.data) }
    }
}

/// How the measured statements ended.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The statements came to their end.
    Finished = 1,
    /// A `?` in the statements met an error.
    Returned = 2,
    /// The statements panicked.
    Panicked = 3,
}

impl Ending {
    /// The ending with this number, as shared memory stores it.
    pub fn from_number(number: u64) -> Option<Self> {
        [Self::Finished, Self::Returned, Self::Panicked]
            .into_iter()
            .find(|ending| ending.number() == number)
    }

    /// The number of the ending, which is never 0.
    pub fn number(self) -> u64 {
        self as u64
    }
}

/// A value that stands for work which has not been done.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lazy {
    /// A future.
    Future = 1,
    /// An iterator whose items are still to be computed.
    Iterator = 2,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_survives_as_a_number() {
        for ending in [Ending::Finished, Ending::Returned, Ending::Panicked] {
            assert_eq!(Ending::from_number(ending.number()), Some(ending));
        }
        assert_eq!(Ending::from_number(0), None);
    }
}
