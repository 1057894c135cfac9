//! The figures of variables, in memory that forks share with the session process.

use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::SeqCst};

use super::forks::End;
use crate::shared::Shared;

/// A number that is kept for each variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    /// How the fork ended that dropped the variable alone: an [`End`] as a number, or 0.
    End,
    /// Bytes freed by dropping the variable alone.
    Own,
    /// Blocks freed by dropping the variable alone.
    Blocks,
    /// How the fork ended that dropped the variable after the others.
    LastEnd,
    /// Bytes freed by dropping the variable after the others.
    Last,
    /// Bytes of the text of the value, plus 1; 0 if there is none.
    Value,
    /// Bytes of the message of a panic.
    Message,
}

const NUMBERS: usize = 7;

/// Room for the text of a value in bytes: 61 characters, of which the last says that there are more.
pub(super) const VALUE: usize = 61 * 4;
/// Room for the message of a panic in bytes; a longer message is cut.
const MESSAGE: usize = 400;

/// The figures of all variables.
pub(super) struct Figures {
    count: usize,
    numbers: Shared<AtomicU64>,
    texts: Shared<AtomicU8>,
}

/// Numbers that are not of one variable come first.
#[derive(Debug, Clone, Copy)]
pub(super) enum Common {
    /// How the fork ended that dropped all variables.
    End,
    /// Bytes freed by dropping all variables.
    Together,
    /// Why the copy has no shield: the system's number of the error.
    NotShielded,
    /// The variable that the fork is at, plus 1.
    Progress,
}

const COMMON: usize = 4;

impl Figures {
    /// Room for the figures of `count` variables, all zero.
    pub(super) fn new(count: usize) -> io::Result<Self> {
        Ok(Self {
            count,
            numbers: Shared::new(COMMON + count * NUMBERS)?,
            texts: Shared::new((count * (VALUE + MESSAGE)).max(1))?,
        })
    }

    /// The addresses of the shared memory.
    pub(super) fn ranges(&self) -> [Range<usize>; 2] {
        let numbers = self.numbers.as_ptr() as usize;
        let texts = self.texts.as_ptr() as usize;
        [
            numbers..numbers + self.numbers.len() * size_of::<u64>(),
            texts..texts + self.texts.len(),
        ]
    }

    pub(super) fn get(&self, variable: usize, number: Number) -> u64 {
        self.numbers[COMMON + variable * NUMBERS + number as usize].load(SeqCst)
    }

    pub(super) fn set(&self, variable: usize, number: Number, value: u64) {
        self.numbers[COMMON + variable * NUMBERS + number as usize].store(value, SeqCst);
    }

    pub(super) fn common(&self, number: Common) -> u64 {
        self.numbers[number as usize].load(SeqCst)
    }

    pub(super) fn set_common(&self, number: Common, value: u64) {
        self.numbers[number as usize].store(value, SeqCst);
    }

    /// How the fork ended that dropped the variable alone; `None` if there was none.
    pub(super) fn end(&self, variable: usize) -> Option<End> {
        End::from_number(self.get(variable, Number::End))
    }

    /// Bytes that are freed if all variables are dropped.
    pub(super) fn freed_together(&self) -> Option<u64> {
        let end = End::from_number(self.common(Common::End));
        (end == Some(End::Dropped)).then(|| self.common(Common::Together))
    }

    /// More bytes that are freed if the variable is dropped after the others.
    pub(super) fn shared(&self, variable: usize) -> Option<u64> {
        let end = End::from_number(self.get(variable, Number::LastEnd));
        let own = self.get(variable, Number::Own);
        (end == Some(End::Dropped)).then(|| self.get(variable, Number::Last).saturating_sub(own))
    }

    /// The system's number of the error due to which the copy has no shield.
    pub(super) fn not_shielded(&self) -> i32 {
        i32::try_from(self.common(Common::NotShielded)).unwrap_or(0)
    }

    pub(super) fn set_value(&self, variable: usize, text: &[u8]) {
        self.write(variable * (VALUE + MESSAGE), &text[..text.len().min(VALUE)]);
        self.set(variable, Number::Value, text.len().min(VALUE) as u64 + 1);
    }

    /// The text of a value.
    pub(super) fn value(&self, variable: usize) -> Option<String> {
        let length = usize::try_from(self.get(variable, Number::Value)).ok()?;
        let length = length.checked_sub(1)?;
        Some(self.read(variable * (VALUE + MESSAGE), length.min(VALUE)))
    }

    pub(super) fn set_message(&self, variable: usize, text: &str) {
        let text = &text[..text.floor_char_boundary(MESSAGE)];
        self.write(variable * (VALUE + MESSAGE) + VALUE, text.as_bytes());
        self.set(variable, Number::Message, text.len() as u64);
    }

    /// The message of a panic.
    pub(super) fn message(&self, variable: usize) -> String {
        let length = usize::try_from(self.get(variable, Number::Message)).unwrap_or(0);
        self.read(variable * (VALUE + MESSAGE) + VALUE, length.min(MESSAGE))
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    fn write(&self, start: usize, bytes: &[u8]) {
        for (to, from) in self.texts[start..].iter().zip(bytes) {
            to.store(*from, SeqCst);
        }
    }

    fn read(&self, start: usize, length: usize) -> String {
        let bytes = self.texts[start..start + length].iter();
        let bytes: Vec<u8> = bytes.map(|byte| byte.load(SeqCst)).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_have_figures_and_texts_of_their_own() {
        let figures = Figures::new(2).unwrap();
        figures.set(0, Number::Own, 3);
        figures.set(1, Number::Last, 7);
        figures.set(1, Number::LastEnd, End::Dropped.number());
        figures.set_value(1, "größer".as_bytes());
        figures.set_message(0, &"x".repeat(1000));
        assert_eq!(figures.get(0, Number::Own), 3);
        assert_eq!((figures.shared(0), figures.shared(1)), (None, Some(7)));
        assert_eq!(figures.value(0), None);
        assert_eq!(figures.value(1).as_deref(), Some("größer"));
        assert_eq!(figures.message(0).len(), MESSAGE);
        assert_eq!(figures.message(1), "");
    }
}
