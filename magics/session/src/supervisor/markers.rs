//! Tells user output from rich content and questions, which share standard output.
//!
//! Crates made for evcxr display rich content, and ask the user, by printing lines that start with
//! `EVCXR_`. Everything else belongs to the user and is passed on at once, whole lines or not. Nothing on
//! standard output says how a cell ends: the session process reports that on a pipe of its own.

use super::evcxr::QUESTION;
use super::open_content::OpenContent;
use super::piece::Piece;

const PREFIX: &[u8] = b"EVCXR_";
const CONTENT: &[u8] = b"EVCXR_BEGIN_CONTENT ";
const MARKERS: [&[u8]; 2] = [CONTENT, QUESTION];

/// A longer line is neither a beginning of a content nor a question.
const MAX_LINE: usize = 4096;

/// Splits a stream of bytes into [`Piece`]s.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    /// Bytes that may be the beginning of a marker.
    held: Vec<u8>,
    /// The content that has begun and not ended.
    open: Option<OpenContent>,
}

enum Match {
    /// A content begins: the length of its first line, without the line end.
    Content(usize),
    /// A question: the length of its line.
    Question(usize),
    /// The beginning of a marker, or something else: more bytes must come first.
    Partial,
    None,
}

impl Scanner {
    /// Adds bytes and returns the pieces that are certain.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut bytes = bytes.to_vec();
        loop {
            if let Some(open) = &mut self.open {
                let Some(rest) = open.add(&bytes) else {
                    return pieces;
                };
                pieces.extend(self.open.take().map(OpenContent::into_piece));
                bytes = rest;
            }
            self.held.append(&mut bytes);
            let Some(rest) = self.scan(&mut pieces) else {
                return pieces;
            };
            bytes = rest;
        }
    }

    /// Scans the held bytes up to the beginning of a content. Returns the bytes behind its first line.
    fn scan(&mut self, pieces: &mut Vec<Piece>) -> Option<Vec<u8>> {
        let held = std::mem::take(&mut self.held);
        let mut start = 0;
        let mut search = 0;
        while let Some(at) = find_prefix(&held, search) {
            match marker_at(&held[at..]) {
                Match::Content(length) => {
                    push_output(pieces, &held[start..at]);
                    let end = at + length;
                    let mime = String::from_utf8_lossy(&held[at + CONTENT.len()..end]);
                    self.open = Some(OpenContent::new(mime.trim()));
                    return Some(held[end..].to_vec());
                }
                Match::Question(length) => {
                    push_output(pieces, &held[start..at]);
                    start = at + length;
                    search = start;
                    pieces.push(Piece::Question(held[at..start].to_vec()));
                }
                Match::Partial => {
                    push_output(pieces, &held[start..at]);
                    self.held = held[at..].to_vec();
                    return None;
                }
                Match::None => search = at + 1,
            }
        }
        push_output(pieces, &held[start..]);
        None
    }

    /// Ends the stream for now, at the end of a cell: the held bytes are no marker. `shows_open` says
    /// that the part of a content whose end is missing is text.
    pub(super) fn end(&mut self, shows_open: bool) -> Option<Piece> {
        let held = std::mem::take(&mut self.held);
        let output = match self.open.take() {
            Some(open) if shows_open => open.into_output(),
            Some(_) => Vec::new(),
            None => held,
        };
        (!output.is_empty()).then_some(Piece::Output(output))
    }
}

fn push_output(pieces: &mut Vec<Piece>, bytes: &[u8]) {
    if !bytes.is_empty() {
        pieces.push(Piece::Output(bytes.to_vec()));
    }
}

/// Where `PREFIX`, or a beginning of it at the very end, starts at or after `from`.
fn find_prefix(bytes: &[u8], from: usize) -> Option<usize> {
    memchr::memchr_iter(PREFIX[0], &bytes[from..])
        .map(|at| from + at)
        .find(|at| {
            let rest = &bytes[*at..];
            rest.starts_with(PREFIX) || PREFIX.starts_with(rest)
        })
}

/// The marker at the start of `bytes`.
fn marker_at(bytes: &[u8]) -> Match {
    if MARKERS
        .iter()
        .any(|marker| bytes.len() < marker.len() && marker.starts_with(bytes))
    {
        return Match::Partial;
    }
    let is_content = bytes.starts_with(CONTENT);
    if !is_content && !bytes.starts_with(QUESTION) {
        return Match::None;
    }
    match memchr::memchr(b'\n', &bytes[..bytes.len().min(MAX_LINE)]) {
        Some(end) if is_content => Match::Content(end),
        Some(end) => Match::Question(end + 1),
        None if bytes.len() < MAX_LINE => Match::Partial,
        None => Match::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(text: &str) -> Piece {
        Piece::Output(text.as_bytes().to_vec())
    }

    fn question(text: &str) -> Piece {
        Piece::Question(text.as_bytes().to_vec())
    }

    fn content(mime: &str, text: &str) -> Piece {
        Piece::Content(mime.to_owned(), text.to_owned())
    }

    #[test]
    fn text_without_a_newline_is_not_held_back() {
        let mut scanner = Scanner::default();
        assert_eq!(scanner.feed(b"50 %\r"), [output("50 %\r")]);
        assert_eq!(scanner.end(true), None);
    }

    #[test]
    fn a_marker_behind_a_partial_line_is_found() {
        let mut scanner = Scanner::default();
        assert_eq!(
            scanner.feed(b"no newlineEVCXR_INPUT_REQUEST:name\nrest"),
            [
                output("no newline"),
                question("EVCXR_INPUT_REQUEST:name\n"),
                output("rest")
            ]
        );
    }

    #[test]
    fn content_is_one_piece_whatever_is_in_it() {
        let bytes =
            b"EVCXR_BEGIN_CONTENT text/plain\nline\nEVCXR_INPUT_REQUEST:n\n\nEVCXR_END_CONTENT\n";
        let mut scanner = Scanner::default();
        assert_eq!(
            scanner.feed(bytes),
            [content("text/plain", "line\nEVCXR_INPUT_REQUEST:n\n")]
        );
        assert_eq!(
            scanner.feed(b"EVCXR_BEGIN_CONTENT text/html\nEVCXR_END_CONTENT\n"),
            [content("text/html", "")]
        );
    }

    #[test]
    fn content_that_has_no_end_is_shown_without_its_marker_or_not_at_all() {
        let bytes = b"EVCXR_BEGIN_CONTENT text/plain\nhalf\nEVCXR_END_";
        let mut scanner = Scanner::default();
        assert_eq!(scanner.feed(bytes), []);
        assert_eq!(scanner.end(true), Some(output("half")));
        assert_eq!(scanner.feed(bytes), []);
        assert_eq!(scanner.end(false), None);
        assert_eq!(scanner.feed(b"text"), [output("text")]);
    }

    #[test]
    fn words_that_only_look_like_markers_are_output() {
        for text in [
            "EVCXR_TMPDIR is set\n",
            "EVCXR_PANIC_NOTIFICATION\n",
            "EVCXR_ERROR_OCCURRED\n",
            "EVCXR_VARIABLE_CHANGED_TYPE:x\n",
            "EVCXR_EXECUTION_COMPLETE\n",
            "EVCXR_END_CONTENT\n",
        ] {
            let mut scanner = Scanner::default();
            assert_eq!(scanner.feed(text.as_bytes()), [output(text)]);
        }
        let mut scanner = Scanner::default();
        assert_eq!(scanner.feed(b"ends in EVC"), [output("ends in ")]);
        assert_eq!(scanner.end(true), Some(output("EVC")));
    }

    #[test]
    fn a_long_line_is_neither_the_beginning_of_a_content_nor_a_question() {
        for marker in ["EVCXR_BEGIN_CONTENT ", "EVCXR_INPUT_REQUEST:"] {
            let line = format!("{marker}{}\n", "x".repeat(5000));
            assert_eq!(Scanner::default().feed(line.as_bytes()), [output(&line)]);
        }
    }

    #[test]
    fn the_pieces_do_not_depend_on_how_the_bytes_arrive() {
        let text = b"aEEVCXR_INPUT_REQUEST:name\nxEVCXR_BEGIN_CONTENT a/b\nc\nEVCXR_END_CONTENTS\n\
            \nEVCXR_END_CONTENT\nEVCXR_BEGIN_CONTENT c/d\ne\nEVCXR_END_CONTENT\ny";
        for chunk in 1..text.len() {
            let mut scanner = Scanner::default();
            let mut pieces: Vec<_> = text.chunks(chunk).flat_map(|c| scanner.feed(c)).collect();
            pieces.extend(scanner.end(true));
            let mut joined: Vec<Piece> = Vec::new();
            for piece in pieces {
                match (joined.last_mut(), piece) {
                    (Some(Piece::Output(before)), Piece::Output(more)) => before.extend(more),
                    (_, piece) => joined.push(piece),
                }
            }
            assert_eq!(
                joined,
                [
                    output("aE"),
                    question("EVCXR_INPUT_REQUEST:name\n"),
                    output("x"),
                    content("a/b", "c\nEVCXR_END_CONTENTS\n"),
                    content("c/d", "e"),
                    output("y"),
                ],
                "chunks of {chunk}"
            );
        }
    }
}
