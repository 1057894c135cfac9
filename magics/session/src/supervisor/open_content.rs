//! A rich content that has begun and not ended.

use super::piece::Piece;

const END: &[u8] = b"\nEVCXR_END_CONTENT\n";

const PLAIN: &str = "text/plain";

/// Text beyond this size is left out: nobody reads it, and front-ends cannot show it.
const MAX_TEXT: usize = 16 << 20;

/// A larger content of another type is not shown, because a part of it would mean nothing.
const MAX_RICH: usize = 32 << 20;

/// See the module.
#[derive(Debug)]
pub(super) struct OpenContent {
    mime: String,
    /// Everything behind the MIME type, from the end of its line, up to the largest size.
    bytes: Vec<u8>,
    /// How many bytes came after these.
    left_out: usize,
    /// The last bytes, which may contain the beginning of the end.
    tail: Vec<u8>,
}

impl OpenContent {
    pub(super) fn new(mime: &str) -> Self {
        Self {
            mime: mime.to_owned(),
            bytes: Vec::new(),
            left_out: 0,
            tail: Vec::new(),
        }
    }

    /// Adds bytes. Returns what is behind the end of the content, if the end is there.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.tail.extend_from_slice(bytes);
        if let Some(end) = memchr::memmem::find(&self.tail, END) {
            let rest = self.tail.split_off(end + END.len());
            self.keep(end);
            return Some(rest);
        }
        self.keep(self.tail.len().saturating_sub(END.len() - 1));
        None
    }

    /// Whether a part of the content means something.
    fn is_text(&self) -> bool {
        self.mime.starts_with(PLAIN)
    }

    /// Moves bytes from the tail to the content, as far as there is room.
    fn keep(&mut self, count: usize) {
        let max = if self.is_text() { MAX_TEXT } else { MAX_RICH };
        let room = max - self.bytes.len();
        let kept = count.min(room);
        self.bytes.extend_from_slice(&self.tail[..kept]);
        self.left_out += count - kept;
        self.tail.drain(..count);
    }

    /// The content, which has ended.
    pub(super) fn into_piece(self) -> Piece {
        if self.left_out > 0 && !self.is_text() {
            let size = in_mib(self.bytes.len() + self.left_out);
            let most = in_mib(MAX_RICH);
            let note = format!(
                "[{} of {size} is too large to show: the limit is {most}]",
                self.mime
            );
            return Piece::Content(PLAIN.to_owned(), note);
        }
        let mime = self.mime.clone();
        Piece::Content(
            mime,
            String::from_utf8_lossy(&self.into_text()).into_owned(),
        )
    }

    /// The bytes of a content whose end is missing, without the beginning of an end.
    pub(super) fn into_output(mut self) -> Vec<u8> {
        let is_cut = |length: &usize| self.tail.ends_with(&END[..*length]);
        let cut = (1..END.len()).rev().find(is_cut).unwrap_or(0);
        self.keep(self.tail.len() - cut);
        self.into_text()
    }

    /// The kept bytes, and how many are left out.
    fn into_text(mut self) -> Vec<u8> {
        if self.left_out > 0 {
            // Without the beginning of a character.
            let invalid = self
                .bytes
                .utf8_chunks()
                .last()
                .map_or(0, |last| last.invalid().len());
            self.bytes.truncate(self.bytes.len() - invalid);
            let note = format!(
                "…\n[{} more of text are not shown]",
                in_mib(self.left_out + invalid)
            );
            self.bytes.extend_from_slice(note.as_bytes());
        }
        let line_end = usize::from(self.bytes.starts_with(b"\n"));
        self.bytes.split_off(line_end)
    }
}

/// A size in whole MiB, at least 1.
fn in_mib(bytes: usize) -> String {
    format!("{} MiB", ((bytes + (1 << 19)) >> 20).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown of a content with so many MiB of text.
    fn shown(mime: &str, mib: usize) -> (String, String) {
        let mut open = OpenContent::new(mime);
        assert_eq!(open.add(b"\n"), None);
        for _ in 0..mib {
            assert_eq!(open.add("é".repeat(1 << 19).as_bytes()), None);
        }
        assert_eq!(
            open.add(b"\nEVCXR_END_CONTENT\nrest"),
            Some(b"rest".to_vec())
        );
        match open.into_piece() {
            Piece::Content(mime, text) => (mime, text),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let (mime, text) = shown(PLAIN, 20);
        assert_eq!(mime, PLAIN);
        let (kept, note) = text.split_once('…').unwrap();
        assert_eq!(kept.len(), (16 << 20) - 2);
        assert!(kept.chars().all(|c| c == 'é'));
        assert_eq!(note, "\n[4 MiB more of text are not shown]");
        assert_eq!(shown(PLAIN, 15).1.len(), 15 << 20);
    }

    #[test]
    fn a_large_picture_is_not_shown() {
        let note = "[image/png of 40 MiB is too large to show: the limit is 32 MiB]";
        assert_eq!(shown("image/png", 40), (PLAIN.to_owned(), note.to_owned()));
        assert_eq!(shown("image/png", 20).1.len(), 20 << 20);
    }
}
