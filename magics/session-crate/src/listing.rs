//! Lists the variables of the session for `%whos`.
//!
//! The cell says of each variable how its value is shown: [`Way`] finds that out for the type of the variable, which
//! only the cell knows. The code for a type is as little as possible, because a session may have many types.

use std::any::Any;
use std::ffi::c_void;
use std::fmt::{self, Debug, Display, Formatter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::abi::entry_points::memit_list_variables;
use crate::abi::{List, Listed};

/// How a value is shown: writes it with the formatter behind the second pointer.
pub type Shown = Option<unsafe extern "C-unwind" fn(*const c_void, *mut c_void) -> bool>;

/// Finds out how a type is shown: `(&&&Way(&value)).memit_way()` takes the first of these traits that the type
/// permits.
#[derive(Debug)]
pub struct Way<'a, T>(pub &'a T);

/// A type that is shown by `Debug`.
pub trait ByDebug {
    /// How a value is shown.
    fn memit_way(&self) -> Shown;
}

/// A type that is shown by `Display`.
pub trait ByDisplay {
    /// How a value is shown.
    fn memit_way(&self) -> Shown;
}

/// A type that is not shown.
pub trait ByNothing {
    /// `None`.
    fn memit_way(&self) -> Shown;
}

impl<T: Debug> ByDebug for &&Way<'_, T> {
    fn memit_way(&self) -> Shown {
        Some(debug::<T>)
    }
}

impl<T: Display> ByDisplay for &Way<'_, T> {
    fn memit_way(&self) -> Shown {
        Some(display::<T>)
    }
}

impl<T> ByNothing for Way<'_, T> {
    fn memit_way(&self) -> Shown {
        None
    }
}

/// # Safety
///
/// The pointers must be to a `T` and to a `Formatter`.
unsafe extern "C-unwind" fn debug<T: Debug>(value: *const c_void, formatter: *mut c_void) -> bool {
    // SAFETY: the caller's contract.
    unsafe { (*value.cast::<T>()).fmt(&mut *formatter.cast::<Formatter<'_>>()) }.is_ok()
}

/// # Safety
///
/// The pointers must be to a `T` and to a `Formatter`.
unsafe extern "C-unwind" fn display<T: Display>(
    value: *const c_void,
    formatter: *mut c_void,
) -> bool {
    // SAFETY: the caller's contract.
    unsafe { (*value.cast::<T>()).fmt(&mut *formatter.cast::<Formatter<'_>>()) }.is_ok()
}

/// Drops a bitwise copy. The copy is in a block of its own, because a large value may not fit on the stack twice.
///
/// # Safety
///
/// The pointer must be to a `T` that nobody uses or drops afterwards.
unsafe extern "C-unwind" fn drop_copy<T>(value: *const c_void) {
    let mut copy = Box::<T>::new_uninit();
    // SAFETY: the caller's contract: the copy has the bytes of a `T`, and is the only one that is dropped.
    unsafe {
        copy.as_mut_ptr()
            .copy_from_nonoverlapping(value.cast::<T>(), 1);
        copy.as_mut_ptr().drop_in_place();
    }
}

/// A variable of the list.
pub fn variable<T>(value: &T, show: Shown) -> Listed {
    Listed {
        place: std::ptr::from_ref(value).cast(),
        size: size_of::<T>() as u64,
        drop: std::mem::needs_drop::<T>().then_some(drop_copy::<T>),
        show,
    }
}

/// Gives the list to the session process. The values must live until the measurement has ended.
#[inline(never)]
pub fn list(variables: &[Listed]) {
    memit_list_variables(List {
        start: variables.as_ptr(),
        count: variables.len(),
        drop: drop_caught,
        show: show_caught,
    });
}

/// # Safety
///
/// As [`List::drop_copy`].
unsafe extern "C" fn drop_caught(variable: &Listed) -> bool {
    let Some(drop) = variable.drop else {
        return true;
    };
    // SAFETY: the caller's contract.
    let dropped = catch_unwind(AssertUnwindSafe(|| unsafe { drop(variable.place) }));
    dropped
        .map_err(std::mem::forget::<Box<dyn Any + Send>>)
        .is_ok()
}

/// # Safety
///
/// As [`List::show`], with a buffer of this length.
unsafe extern "C" fn show_caught(variable: &Listed, to: *mut u8, length: usize) -> i64 {
    let Some(show) = variable.show else { return 0 };
    // SAFETY: the caller's contract.
    let to = unsafe { std::slice::from_raw_parts_mut(to, length) };
    let mut line = Line { to, length: 0 };
    let shown = catch_unwind(AssertUnwindSafe(|| {
        write!(line, "{}", Value(variable.place, show))
    }));
    match shown {
        Err(payload) if !payload.is::<Full>() => {
            // The payload may have a destructor of its own.
            std::mem::forget(payload);
            -1
        }
        _ => i64::try_from(line.length).unwrap_or(-1),
    }
}

/// A value and how it is shown.
struct Value(
    *const c_void,
    unsafe extern "C-unwind" fn(*const c_void, *mut c_void) -> bool,
);

impl Display for Value {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let formatter: *mut Formatter<'_> = formatter;
        // SAFETY: the pointers of a `Listed` belong together, and the formatter is ours.
        let is_shown = unsafe { self.1(self.0, formatter.cast()) };
        is_shown.then_some(()).ok_or(fmt::Error)
    }
}

/// What unwinds when the line is full. An error would end the text, but not the loop of a collection over its
/// elements.
struct Full;

/// One line of text with room for so many bytes.
struct Line<'a> {
    to: &'a mut [u8],
    length: usize,
}

impl Write for Line<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| self.write_char(c))
    }

    fn write_char(&mut self, c: char) -> fmt::Result {
        let blank_before = self.to[..self.length].last() == Some(&b' ');
        let c = if c.is_control() { ' ' } else { c };
        if c == ' ' && blank_before {
            return Ok(());
        }
        let end = self.length + c.len_utf8();
        let Some(room) = self.to.get_mut(self.length..end) else {
            resume_unwind(Box::new(Full));
        };
        c.encode_utf8(room);
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::mem::ManuallyDrop;

    use super::*;

    #[unsafe(no_mangle)]
    extern "C" fn memit_list_variables(_list: List) {}

    fn shown(variable: &Listed) -> Option<String> {
        let mut line = [0; 20];
        // SAFETY: the value lives, and the buffer has this length.
        let length = unsafe { show_caught(variable, line.as_mut_ptr(), line.len()) };
        let length = usize::try_from(length).ok()?;
        Some(String::from_utf8(line[..length].to_vec()).unwrap())
    }

    struct Plain;
    struct Named;

    impl Display for Named {
        fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
            formatter.write_str("a\n   name")
        }
    }

    struct Panics;

    impl Debug for Panics {
        fn fmt(&self, _: &mut Formatter<'_>) -> fmt::Result {
            panic!()
        }
    }

    impl Drop for Panics {
        fn drop(&mut self) {
            panic!()
        }
    }

    #[test]
    fn a_value_is_shown_as_its_type_permits() {
        let text = "größer".to_owned();
        let debug = variable(&text, (&&&Way(&text)).memit_way());
        assert_eq!(shown(&debug).as_deref(), Some("\"größer\""));
        let display = variable(&Named, (&&&Way(&Named)).memit_way());
        assert_eq!(shown(&display).as_deref(), Some("a name"));
        assert!((&&&Way(&Plain)).memit_way().is_none());
    }

    #[test]
    fn a_long_value_is_not_looked_at_to_its_end() {
        let long = vec![1_u8; 1 << 30];
        let long = variable(&long, (&&&Way(&long)).memit_way());
        assert_eq!(shown(&long).as_deref(), Some("[1, 1, 1, 1, 1, 1, 1"));
    }

    #[test]
    fn panics_are_caught() {
        let value = ManuallyDrop::new(Panics);
        let listed = variable(&*value, (&&&Way(&*value)).memit_way());
        assert_eq!(shown(&listed), None);
        // SAFETY: the original is never dropped.
        assert!(!unsafe { drop_caught(&listed) });
    }

    #[test]
    fn a_copy_is_dropped_once() {
        let shared = std::rc::Rc::new(());
        let value = ManuallyDrop::new(shared.clone());
        let listed = variable(&*value, None);
        // SAFETY: the original is never dropped.
        assert!(unsafe { drop_caught(&listed) });
        assert_eq!(std::rc::Rc::strong_count(&shared), 1);
        assert!(!variable(&3_u8, None).needs_drop());
    }
}
