//! Decodes text that arrives in pieces.

/// Decodes UTF-8 lossily, and waits for the rest of a character that is cut in two.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    incomplete: Vec<u8>,
}

impl Decoder {
    /// Adds bytes, and returns the complete characters.
    pub(crate) fn decode(&mut self, bytes: &[u8]) -> String {
        self.incomplete.extend_from_slice(bytes);
        let cut = match self.incomplete.utf8_chunks().last() {
            Some(chunk) if is_beginning(chunk.invalid()) => {
                self.incomplete.len() - chunk.invalid().len()
            }
            _ => self.incomplete.len(),
        };
        let rest = self.incomplete.split_off(cut);
        let text = String::from_utf8_lossy(&self.incomplete).into_owned();
        self.incomplete = rest;
        text
    }

    /// Called at the end of a cell: returns the incomplete character, if any, as invalid.
    pub(crate) fn finish(&mut self) -> String {
        let rest = std::mem::take(&mut self.incomplete);
        String::from_utf8_lossy(&rest).into_owned()
    }
}

/// Whether more bytes could complete a character.
fn is_beginning(bytes: &[u8]) -> bool {
    matches!(std::str::from_utf8(bytes), Err(error) if error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::Decoder;
    use proptest::prelude::*;

    #[test]
    fn a_character_cut_in_two_arrives_whole() {
        let mut decoder = Decoder::default();
        let bytes = "aé€".as_bytes();
        assert_eq!(decoder.decode(&bytes[..2]), "a");
        assert_eq!(decoder.decode(&bytes[2..4]), "é");
        assert_eq!(decoder.decode(&bytes[4..]), "€");
        assert_eq!(decoder.decode(b"x\xff"), "x\u{fffd}");
        assert_eq!(decoder.decode(b"\xe2\x82"), "");
        assert_eq!(decoder.finish(), "\u{fffd}");
    }

    proptest! {
        #[test]
        fn the_pieces_make_the_same_text(text in ".*", size in 1usize..5) {
            let mut decoder = Decoder::default();
            let mut decoded: String =
                text.as_bytes().chunks(size).map(|piece| decoder.decode(piece)).collect();
            decoded += &decoder.finish();
            prop_assert_eq!(decoded, text);
        }
    }
}
