//! Text that crosses the border.

use std::marker::PhantomData;

/// A borrowed text with a defined layout, which `&str` does not have.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    start: *const u8,
    length: usize,
    borrowed: PhantomData<&'a str>,
}

// SAFETY: as `&str`, a text is a shared reference to bytes that never change.
unsafe impl Send for Text<'_> {}
// SAFETY: as above.
unsafe impl Sync for Text<'_> {}

impl<'a> Text<'a> {
    /// The text of a `&str`.
    pub const fn new(text: &'a str) -> Self {
        Self {
            start: text.as_ptr(),
            length: text.len(),
            borrowed: PhantomData,
        }
    }

    /// The text as `&str`.
    pub fn as_str(self) -> &'a str {
        // SAFETY: the only constructor takes both fields from a `&'a str`.
        unsafe {
            let bytes = std::slice::from_raw_parts(self.start, self.length);
            std::str::from_utf8_unchecked(bytes)
        }
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_survives() {
        for text in ["", "größer"] {
            assert_eq!(Text::from(text).as_str(), text);
        }
    }
}
