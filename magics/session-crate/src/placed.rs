//! Magics in blocks of a cell: the measurement is made where the block runs, each time it runs.

use std::fmt::Debug;

use crate::abi::Plan;
use crate::abi::entry_points::{memit_measure_placed, memit_refusal};
use crate::harness::{Snippet, Thin};

/// Measures `snippet` as `plan` says, for the magic with this number. `places` say for which values of
/// variables. If the measurement fails, it ends the cell: the kernel knows why.
///
/// # Panics
///
/// If no measurement can be made here.
#[inline(never)]
#[track_caller]
pub fn measure_placed(plan: Plan, magic: u32, places: &[&str], snippet: &mut Snippet<'_>) {
    let refusal = memit_refusal().as_str();
    assert!(refusal.is_empty(), "{refusal}");
    let places: Vec<_> = places
        .iter()
        .copied()
        .filter(|place| !place.is_empty())
        .collect();
    let place = places.join(", ");
    let mut snippet = Thin::new(snippet);
    // SAFETY: `snippet` outlives the measurement, and nothing else uses it meanwhile.
    let is_well =
        unsafe { memit_measure_placed(&plan, snippet.body(), magic, place.as_str().into()) };
    if !is_well {
        std::panic::resume_unwind(Box::new(()));
    }
}

/// A value whose `Debug` text is wanted, if it has one.
#[derive(Debug)]
pub struct Shown<'a, T: ?Sized>(pub &'a T);

/// The text of a value that has one.
pub trait WithText {
    /// The `Debug` text.
    fn text(&self) -> Option<String>;
}

/// The text of any other value. A method call finds [`WithText`] first, as it borrows once less.
pub trait WithoutText {
    /// No text.
    fn text(&self) -> Option<String>;
}

/// Values of variables are cut to this many characters.
const WIDTH: usize = 40;

impl<T: Debug + ?Sized> WithText for Shown<'_, T> {
    fn text(&self) -> Option<String> {
        let text = format!("{:?}", self.0);
        Some(match text.char_indices().nth(WIDTH) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        })
    }
}

impl<T: ?Sized> WithoutText for &Shown<'_, T> {
    fn text(&self) -> Option<String> {
        None
    }
}

/// The variables of a block with their texts: `n = 10, name = "a"`.
pub fn place(variables: &[(&str, Option<String>)]) -> String {
    let texts = variables
        .iter()
        .filter_map(|(name, text)| Some(format!("{name} = {}", text.as_ref()?)));
    texts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_shows_the_variables_that_have_a_text() {
        struct Silent;
        let (n, silent, long) = (10, Silent, "x".repeat(99));
        let of_n = Shown(&n).text();
        let of_silent = (&Shown(&silent)).text();
        let of_long = Shown(&long).text();
        assert_eq!(
            of_long.as_deref().map(|text| text.chars().count()),
            Some(41)
        );
        assert_eq!(place(&[("n", of_n), ("silent", of_silent)]), "n = 10");
    }
}
