//! The board on which a measured run writes figures. The session process can read the board however
//! the run ends.

use std::io;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::SeqCst};

use crate::shared::Shared;

/// Room for the text of a panic or an error; a longer text is cut.
const TEXT: usize = 16 << 10;

/// Numbers and a text, shared between the session and its forks.
pub(crate) struct Board {
    numbers: Shared<AtomicU64>,
    text_length: Shared<AtomicU64>,
    text: Shared<AtomicU8>,
}

impl Board {
    /// A board with room for `numbers` numbers, all zero, and no text.
    pub(crate) fn new(numbers: usize) -> io::Result<Self> {
        Ok(Self {
            numbers: Shared::new(numbers)?,
            text_length: Shared::new(1)?,
            text: Shared::new(TEXT)?,
        })
    }

    pub(crate) fn set(&self, index: usize, value: u64) {
        self.numbers[index].store(value, SeqCst);
    }

    pub(crate) fn get(&self, index: usize) -> u64 {
        self.numbers[index].load(SeqCst)
    }

    /// Removes the text.
    pub(crate) fn clear_text(&self) {
        self.text_length[0].store(0, SeqCst);
    }

    pub(crate) fn set_text(&self, text: &str) {
        let text = &text[..text.floor_char_boundary(TEXT)];
        for (to, from) in self.text.iter().zip(text.bytes()) {
            to.store(from, SeqCst);
        }
        self.text_length[0].store(text.len() as u64, SeqCst);
    }

    pub(crate) fn text(&self) -> String {
        let length = usize::try_from(self.text_length[0].load(SeqCst))
            .unwrap_or(0)
            .min(TEXT);
        let bytes: Vec<u8> = self.text[..length]
            .iter()
            .map(|byte| byte.load(SeqCst))
            .collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
