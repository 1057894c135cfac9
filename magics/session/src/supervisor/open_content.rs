//! A rich content that has begun and not ended.

use super::markers::Piece;

const END: &[u8] = b"\nEVCXR_END_CONTENT\n";

/// See the module.
#[derive(Debug)]
pub(super) struct OpenContent {
    mime: String,
    /// Everything behind the MIME type, from the end of its line.
    bytes: Vec<u8>,
    /// How many of the bytes contain no end, and no beginning of one.
    searched: usize,
}

impl OpenContent {
    pub(super) fn new(mime: &str) -> Self {
        Self {
            mime: mime.to_owned(),
            bytes: Vec::new(),
            searched: 0,
        }
    }

    /// Adds bytes. Returns what is behind the end of the content, if the end is there.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.bytes.extend_from_slice(bytes);
        let found = memchr::memmem::find(&self.bytes[self.searched..], END);
        let Some(end) = found.map(|at| self.searched + at) else {
            let reach = self.bytes.len().saturating_sub(END.len() - 1);
            self.searched = self.searched.max(reach);
            return None;
        };
        let rest = self.bytes.split_off(end + END.len());
        self.bytes.truncate(end);
        Some(rest)
    }

    /// The content, which has ended.
    pub(super) fn into_piece(self) -> Piece {
        let text = self.bytes.strip_prefix(b"\n").unwrap_or(&self.bytes);
        Piece::Content(self.mime, String::from_utf8_lossy(text).into_owned())
    }

    /// The bytes of a content whose end is missing, without the beginning of an end.
    pub(super) fn into_output(mut self) -> Vec<u8> {
        let is_cut = |length: &usize| self.bytes.ends_with(&END[..*length]);
        let cut = (1..END.len()).rev().find(is_cut).unwrap_or(0);
        self.bytes.truncate(self.bytes.len() - cut);
        let line_end = usize::from(self.bytes.starts_with(b"\n"));
        self.bytes.split_off(line_end)
    }
}
