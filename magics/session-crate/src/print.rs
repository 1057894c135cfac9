//! `print!` for cells. The one of `std` keeps text until its line ends.

use std::fmt::Arguments;
use std::io::Write as _;

/// Prints like the macro of `std`, and lets the text be seen at once, before anything that a program
/// started by the cell writes.
#[macro_export]
macro_rules! print {
    ($($part:tt)*) => {
        $crate::print_at_once(::std::format_args!($($part)*))
    };
}

/// Prints text, and flushes standard output.
#[inline(never)]
pub fn print_at_once(text: Arguments<'_>) {
    std::print!("{text}");
    let _ = std::io::stdout().flush();
}
