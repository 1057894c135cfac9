//! The text of a cell's value: its `Debug` text, else its `Display` text, else its type.
//!
//! A method call on `&&&Shown` finds the first of the three traits that the value has.

use std::any::type_name;
use std::fmt::{Arguments, Debug, Display};

use crate::placed::Shown;

/// The text of a value that has a `Debug` text.
pub trait DebugText {
    /// Passes the text on.
    fn value_text(&self, to: &mut dyn FnMut(Arguments<'_>));
}

/// The text of a value that has a `Display` text.
pub trait DisplayText {
    /// Passes the text on.
    fn value_text(&self, to: &mut dyn FnMut(Arguments<'_>));
}

/// The text of any other value.
pub trait TypeText {
    /// Passes a text on that names the type.
    fn value_text(&self, to: &mut dyn FnMut(Arguments<'_>));
}

impl<T: Debug + ?Sized> DebugText for &&Shown<'_, T> {
    fn value_text(&self, to: &mut dyn FnMut(Arguments<'_>)) {
        to(format_args!("{:?}", self.0));
    }
}

impl<T: Display + ?Sized> DisplayText for &Shown<'_, T> {
    fn value_text(&self, to: &mut dyn FnMut(Arguments<'_>)) {
        to(format_args!("{}", self.0));
    }
}

impl<T: ?Sized> TypeText for Shown<'_, T> {
    fn value_text(&self, to: &mut dyn FnMut(Arguments<'_>)) {
        match short(type_name::<T>()).as_str() {
            CLOSURE => to(format_args!("a closure")),
            of => to(format_args!(
                "a value of type `{of}`, which does not implement `Debug`"
            )),
        }
    }
}

/// The name that `type_name` gives to the last part of the type of every closure.
const CLOSURE: &str = "{{closure}}";

/// Passes the text of the value behind a reference on.
#[macro_export]
macro_rules! pass_value_text {
    ($value:expr, $to:expr) => {{
        #[allow(unused_imports)]
        use $crate::{DebugText as _, DisplayText as _, TypeText as _};
        (&&&$crate::Shown($value)).value_text($to)
    }};
}

/// Shows the value behind a reference as content of this MIME type.
#[macro_export]
macro_rules! show_value {
    ($mime:expr, $value:expr) => {
        $crate::pass_value_text!($value, &mut |text| $crate::show_content($mime, text))
    };
}

/// The text of the value behind a reference.
#[macro_export]
macro_rules! value_text {
    ($value:expr) => {{
        let mut text = ::std::string::String::new();
        $crate::pass_value_text!($value, &mut |passed| text = ::std::fmt::format(passed));
        text
    }};
}

/// Shows a text as content of this MIME type.
#[inline(never)]
pub fn show_content(mime: &str, text: Arguments<'_>) {
    println!("EVCXR_BEGIN_CONTENT {mime}\n{text}\nEVCXR_END_CONTENT");
}

/// The name of a type without the modules of its parts: `Vec<Point>`.
fn short(name: &str) -> String {
    let mut short = String::new();
    let mut path = String::new();
    for c in name.chars() {
        if c.is_alphanumeric() || "_:{}#".contains(c) {
            path.push(c);
        } else {
            short += last(&path);
            path.clear();
            short.push(c);
        }
    }
    short + last(&path)
}

/// The last part of a path.
fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lack_the_modules() {
        for (name, expected) in [
            ("i32", "i32"),
            ("alloc::vec::Vec<ctx::Point>", "Vec<Point>"),
            (
                "(ctx::a::T, &[core::cell::Cell<u8>; 3])",
                "(T, &[Cell<u8>; 3])",
            ),
            ("ctx::run_user_code_3::{{closure}}", "{{closure}}"),
            (
                "dyn core::ops::function::Fn(i32) -> i32",
                "dyn Fn(i32) -> i32",
            ),
        ] {
            assert_eq!(short(name), expected);
        }
    }

    #[test]
    fn a_value_has_the_first_text_that_its_type_offers() {
        #[derive(Debug)]
        struct Both;
        struct Displayed;
        struct Silent;
        impl Display for Both {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("displayed")
            }
        }
        impl Display for Displayed {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("displayed")
            }
        }
        assert_eq!(value_text!(&Both), "Both");
        assert_eq!(value_text!(&Displayed), "displayed");
        let of = "a value of type `Vec<Silent>`, which does not implement `Debug`";
        assert_eq!(value_text!(&vec![Silent]), of);
        assert_eq!(value_text!("unsized"), "\"unsized\"");
        assert_eq!(value_text!(&|| 1), "a closure");
    }
}
