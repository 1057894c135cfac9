//! Lists the variables of the session for `%whos`.
//!
//! The cell says of each type of a variable how a value is shown: [`Way`] finds that out, and only the cell knows the
//! types. The values stay in the store, so the cell is as small for many variables of a type as for one.

use std::any::{Any, TypeId};
use std::ffi::c_void;
use std::fmt::{self, Debug, Display, Formatter, Write};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::VariableStore;
use crate::abi::entry_points::{memit_list_variables, memit_store};
use crate::abi::{List, Listed};

/// How a value is shown: writes it with the formatter behind the second pointer.
pub type Shown = Option<unsafe extern "C-unwind" fn(*const c_void, *mut c_void) -> bool>;

/// Finds out how a type is shown: `(&&&Way::<T>(PhantomData)).memit_way()` takes the first of these traits that the
/// type permits.
#[derive(Debug)]
pub struct Way<T>(pub PhantomData<T>);

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

impl<T: Debug> ByDebug for &&Way<T> {
    fn memit_way(&self) -> Shown {
        Some(debug::<T>)
    }
}

impl<T: Display> ByDisplay for &Way<T> {
    fn memit_way(&self) -> Shown {
        Some(display::<T>)
    }
}

impl<T> ByNothing for Way<T> {
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

/// A type of variables.
#[derive(Debug, Clone, Copy)]
pub struct Type {
    id: TypeId,
    needs_drop: bool,
    show: Shown,
}

impl Type {
    /// The type `T`, which is shown so.
    pub fn of<T: 'static>(show: Shown) -> Self {
        Self {
            id: TypeId::of::<T>(),
            needs_drop: std::mem::needs_drop::<T>(),
            show,
        }
    }
}

/// Gives the session process a list of these variables, each with the place of its type among `types`. Returns what
/// must live until the measurement has ended.
///
/// # Safety
///
/// No definition that the types reach may have changed since the variables were put into the store, and no variable
/// may be put, taken or dropped before the measurement has ended.
#[inline(never)]
#[must_use]
pub unsafe fn list(variables: &[(&str, usize)], types: &[Type]) -> Box<[Listed]> {
    // SAFETY: the session process returns what `create_variable_store` has made, or null. The cell that runs uses
    // the store for nothing else now.
    let mut store = unsafe { memit_store().cast::<VariableStore>().as_mut() };
    let listed: Box<[Listed]> = variables
        .iter()
        .map(|&(name, of)| {
            let value = store.as_mut().and_then(|store| store.value_mut(name));
            listed(value, types.get(of))
        })
        .collect();
    memit_list_variables(List {
        start: listed.as_ptr(),
        count: listed.len(),
        drop: drop_caught,
        show: show_caught,
    });
    listed
}

fn listed(value: Option<&mut Box<dyn Any>>, of: Option<&Type>) -> Listed {
    let Some(value) = value else {
        return Listed {
            place: std::ptr::null_mut(),
            size: 0,
            needs_drop: false,
            show: None,
        };
    };
    let of = of.filter(|of| of.id == (**value).type_id());
    Listed {
        size: size_of_val(&**value) as u64,
        needs_drop: of.is_none_or(|of| of.needs_drop),
        show: of.and_then(|of| of.show),
        place: std::ptr::from_mut(value).cast(),
    }
}

/// # Safety
///
/// As [`List::drop_in_place`].
unsafe extern "C" fn drop_caught(variable: &Listed) -> bool {
    let value = variable.place.cast::<Box<dyn Any>>();
    // SAFETY: the pointer comes from a box of the store or is null. By the caller's contract, nothing uses the value
    // afterwards; the memory of the box stays.
    let drop = || unsafe {
        if let Some(value) = value.as_mut() {
            std::ptr::drop_in_place::<dyn Any>(&raw mut **value);
        }
    };
    let dropped = catch_unwind(AssertUnwindSafe(drop));
    dropped
        .map_err(std::mem::forget::<Box<dyn Any + Send>>)
        .is_ok()
}

/// # Safety
///
/// As [`List::show`], with a buffer of this length.
unsafe extern "C" fn show_caught(variable: &Listed, to: *mut u8, length: usize) -> i64 {
    // SAFETY: the pointer comes from a box of the store or is null.
    let value = unsafe { variable.place.cast::<Box<dyn Any>>().as_ref() };
    let (Some(show), Some(value)) = (variable.show, value) else {
        return 0;
    };
    let value = std::ptr::from_ref::<dyn Any>(&**value).cast::<c_void>();
    // SAFETY: the caller's contract.
    let to = unsafe { std::slice::from_raw_parts_mut(to, length) };
    let mut line = Line { to, length: 0 };
    let shown = catch_unwind(AssertUnwindSafe(|| write!(line, "{}", Value(value, show))));
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
        // SAFETY: the value has the type of the function (see `listed`), and the formatter is ours.
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
    use super::*;

    #[unsafe(no_mangle)]
    extern "C" fn memit_list_variables(_list: List) {}

    #[unsafe(no_mangle)]
    extern "C" fn memit_store() -> *mut c_void {
        std::ptr::null_mut()
    }

    macro_rules! way {
        ($type:ty) => {
            (&&&Way::<$type>(PhantomData)).memit_way()
        };
    }

    fn shown<T: 'static>(value: T, show: Shown) -> Option<String> {
        let mut value: Box<dyn Any> = Box::new(value);
        let listed = listed(Some(&mut value), Some(&Type::of::<T>(show)));
        let mut line = [0; 20];
        // SAFETY: the value lives, and the buffer has this length.
        let length = unsafe { show_caught(&listed, line.as_mut_ptr(), line.len()) };
        std::mem::forget(value);
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
        let debug = shown("größer".to_owned(), way!(String));
        assert_eq!(debug.as_deref(), Some("\"größer\""));
        assert_eq!(shown(Named, way!(Named)).as_deref(), Some("a name"));
        assert!(way!(Plain).is_none());
        // A value of another type is not shown.
        let mut other: Box<dyn Any> = Box::new(1_u8);
        let string = Type::of::<String>(way!(String));
        assert!(!listed(Some(&mut other), Some(&string)).has_text());
    }

    #[test]
    fn a_long_value_is_not_looked_at_to_its_end() {
        let long = shown(vec![1_u8; 1 << 30], way!(Vec<u8>));
        assert_eq!(long.as_deref(), Some("[1, 1, 1, 1, 1, 1, 1"));
    }

    #[test]
    fn panics_are_caught() {
        assert_eq!(shown(Panics, way!(Panics)), None);
        let mut value: Box<dyn Any> = Box::new(Panics);
        let listed = listed(Some(&mut value), None);
        // SAFETY: the value is never used again.
        assert!(!unsafe { drop_caught(&listed) });
        std::mem::forget(value);
    }

    #[test]
    fn a_value_is_dropped_in_its_box() {
        let shared = std::rc::Rc::new(());
        let mut value: Box<dyn Any> = Box::new(shared.clone());
        let listed = listed(Some(&mut value), None);
        assert!(listed.needs_drop);
        // SAFETY: the value is never used again.
        assert!(unsafe { drop_caught(&listed) });
        std::mem::forget(value);
        assert_eq!(std::rc::Rc::strong_count(&shared), 1);
        assert!(!Type::of::<u8>(None).needs_drop);
    }

    #[test]
    fn without_a_store_nothing_is_there() {
        // SAFETY: there is no store.
        let listed = unsafe { list(&[("v", 0)], &[]) };
        assert!(listed[0].place.is_null());
    }
}
