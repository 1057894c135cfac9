//! The board on which a measured run writes figures. The session process can read the board however
//! the run ends.

use std::io;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::SeqCst};

use memit_measurement::Remark;
use memit_session::abi::Lazy;

use crate::shared::Shared;

/// Room for the text of a panic or an error; a longer text is cut.
const TEXT: usize = 16 << 10;

/// Numbers and a text, shared between the session and its forks.
pub(crate) struct Board {
    numbers: Shared<AtomicU64>,
    /// The number of the [`Lazy`] that the value of the statements is, or 0.
    lazy: Shared<AtomicU64>,
    text_length: Shared<AtomicU64>,
    text: Shared<AtomicU8>,
}

impl Board {
    /// A board with room for `numbers` numbers, all zero, and no text.
    pub(crate) fn new(numbers: usize) -> io::Result<Self> {
        Ok(Self {
            numbers: Shared::new(numbers)?,
            lazy: Shared::new(1)?,
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

    /// Removes the text and the note about the value.
    pub(crate) fn clear_notes(&self) {
        self.lazy[0].store(0, SeqCst);
        self.text_length[0].store(0, SeqCst);
    }

    /// Notes that the value of the statements stands for work that has not been done.
    pub(crate) fn set_lazy(&self, lazy: Lazy) {
        self.lazy[0].store(lazy as u64, SeqCst);
    }

    /// A remark about a value that stands for work that has not been done.
    pub(crate) fn lazy(&self) -> Option<Remark> {
        let noted = self.lazy[0].load(SeqCst);
        [
            (Lazy::Future, Remark::Future),
            (Lazy::Iterator, Remark::Iterator),
        ]
        .into_iter()
        .find_map(|(lazy, remark)| (noted == lazy as u64).then_some(remark))
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
