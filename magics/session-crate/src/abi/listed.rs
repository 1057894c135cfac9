//! The variables of a session, as a cell lists them for the session process.

use std::ffi::c_void;

/// A variable: where its value is, and how the value is shown.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Listed {
    /// The box of the value in the store of variables; null if the store has no such variable.
    pub(crate) place: *mut c_void,
    /// Size of the value itself in bytes, as of `size_of_val`.
    pub size: u64,
    /// Whether the value has a destructor.
    pub needs_drop: bool,
    /// Writes the value as text with the formatter of `std`; `None` if the type has no text.
    pub(crate) show: Option<unsafe extern "C-unwind" fn(*const c_void, *mut c_void) -> bool>,
}

impl Listed {
    /// Whether the store has the variable.
    pub fn is_there(&self) -> bool {
        !self.place.is_null()
    }

    /// Whether the value has a text.
    pub fn has_text(&self) -> bool {
        self.show.is_some()
    }
}

/// The variables of a session. The values live as long as the cell that lists them runs.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct List {
    pub(crate) start: *const Listed,
    pub(crate) count: usize,
    pub(crate) drop: unsafe extern "C" fn(&Listed) -> bool,
    pub(crate) show: unsafe extern "C" fn(&Listed, *mut u8, usize) -> i64,
}

// SAFETY: a list is used by the thread that runs cells only: by the cell that makes the list, and by the
// session process while the cell waits for the session process.
unsafe impl Send for List {}

impl List {
    /// The variables.
    ///
    /// # Safety
    ///
    /// The cell that has made the list must still run.
    pub unsafe fn variables(&self) -> &[Listed] {
        // SAFETY: the list was made of a slice, which lives while the cell runs.
        unsafe { std::slice::from_raw_parts(self.start, self.count) }
    }

    /// Drops a value where it is. False if the destructor has panicked.
    ///
    /// # Safety
    ///
    /// The cell that has made the list must still run, and nothing may use the value afterwards: the process must be
    /// a fork that leaves with `_exit`.
    pub unsafe fn drop_in_place(&self, variable: &Listed) -> bool {
        // SAFETY: the caller's contract.
        unsafe { (self.drop)(variable) }
    }

    /// Writes the value as text in one line, as far as `to` has room. Returns the number of bytes; `None` if the
    /// code that formats the value has panicked.
    ///
    /// # Safety
    ///
    /// The cell that has made the list must still run.
    pub unsafe fn show(&self, variable: &Listed, to: &mut [u8]) -> Option<usize> {
        // SAFETY: the caller's contract, and a buffer of that length.
        let length = unsafe { (self.show)(variable, to.as_mut_ptr(), to.len()) };
        usize::try_from(length)
            .ok()
            .map(|length| length.min(to.len()))
    }
}
