//! Tells user output from evcxr's own lines, which share standard output.
//!
//! Code that evcxr generates speaks to its parent by printing lines that start with `EVCXR_`: rich
//! content, a panic, a question for the user. Everything else belongs to the user and is passed on
//! at once, whole lines or not.

/// A piece of standard output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// The user's bytes.
    Output(Vec<u8>),
    /// Rich content: its MIME type and text.
    Content(String, String),
    /// A line for evcxr, with its line end.
    Protocol(Vec<u8>),
    /// evcxr's notice that the cell panicked.
    Panicked,
}

const PREFIX: &[u8] = b"EVCXR_";
const CONTENT: &[u8] = b"EVCXR_BEGIN_CONTENT ";
const CONTENT_END: &[u8] = b"\nEVCXR_END_CONTENT\n";
const PANIC: &[u8] = b"EVCXR_PANIC_NOTIFICATION\n";
const PANIC_IN_CONTENT: &[u8] = b"\nEVCXR_PANIC_NOTIFICATION\n";
const OTHERS: [&[u8]; 3] = [
    b"EVCXR_VARIABLE_CHANGED_TYPE:",
    b"EVCXR_ERROR_OCCURRED\n",
    b"EVCXR_INPUT_REQUEST",
];

/// The line that evcxr expects when a cell has panicked.
pub(super) const PANIC_LINE: &[u8] = PANIC;

/// Splits a stream of bytes into [`Piece`]s.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    /// Bytes that may be the beginning of a marker.
    held: Vec<u8>,
    /// How many of the held bytes are known not to contain the end of a content.
    searched: usize,
}

enum Match {
    /// A whole marker: its length.
    Whole(usize, Option<Piece>),
    /// The beginning of a marker, or something else: more bytes must come first.
    Partial,
    None,
}

impl Scanner {
    /// Adds bytes and returns the pieces that are certain.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Piece> {
        self.held.extend_from_slice(bytes);
        let mut pieces = Vec::new();
        let mut start = 0;
        let mut search = 0;
        while let Some(at) = find_prefix(&self.held, search) {
            let searched = std::mem::take(&mut self.searched);
            match marker_at(&self.held[at..], searched) {
                Match::Whole(length, piece) => {
                    push_output(&mut pieces, &self.held[start..at]);
                    pieces.extend(piece);
                    start = at + length;
                    search = start;
                }
                Match::Partial => {
                    push_output(&mut pieces, &self.held[start..at]);
                    self.held.drain(..at);
                    self.searched = self.held.len();
                    return pieces;
                }
                Match::None => search = at + 1,
            }
        }
        push_output(&mut pieces, &self.held[start..]);
        self.held.clear();
        pieces
    }

    /// Ends the stream for now, at the end of a cell: the held bytes are no marker.
    pub(super) fn flush(&mut self) -> Option<Piece> {
        self.searched = 0;
        let held = std::mem::take(&mut self.held);
        (!held.is_empty()).then_some(Piece::Output(held))
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

/// The marker at the start of `bytes`. The first `searched` bytes have been searched before.
fn marker_at(bytes: &[u8], searched: usize) -> Match {
    if bytes.starts_with(CONTENT) {
        return content_at(bytes, searched);
    }
    if bytes.starts_with(PANIC) {
        return Match::Whole(PANIC.len(), Some(Piece::Panicked));
    }
    if OTHERS.iter().any(|marker| bytes.starts_with(marker)) {
        return match memchr::memchr(b'\n', bytes) {
            Some(end) => {
                let line = bytes[..=end].to_vec();
                Match::Whole(end + 1, Some(Piece::Protocol(line)))
            }
            None => Match::Partial,
        };
    }
    let is_beginning = |marker: &[u8]| bytes.len() < marker.len() && marker.starts_with(bytes);
    if is_beginning(CONTENT) || is_beginning(PANIC) || OTHERS.iter().any(|m| is_beginning(m)) {
        Match::Partial
    } else {
        Match::None
    }
}

fn content_at(bytes: &[u8], searched: usize) -> Match {
    // The search of the first half of an end did not find the end.
    let from = searched.saturating_sub(PANIC_IN_CONTENT.len());
    let find = |marker| memchr::memmem::find(&bytes[from..], marker).map(|at| from + at);
    let end = find(CONTENT_END);
    // A panic while the content was being written leaves it without an end.
    let panic = find(PANIC_IN_CONTENT).filter(|panic| end.is_none_or(|end| *panic < end));
    if let Some(panic) = panic {
        // Up to the line end before the notice, which is the next marker.
        return Match::Whole(panic + 1, None);
    }
    let Some(end) = end else {
        return Match::Partial;
    };
    let content = String::from_utf8_lossy(&bytes[CONTENT.len()..end]);
    let (mime, text) = content.split_once('\n').unwrap_or((&content, ""));
    let piece = Piece::Content(mime.trim().to_owned(), text.to_owned());
    Match::Whole(end + CONTENT_END.len(), Some(piece))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(text: &str) -> Piece {
        Piece::Output(text.as_bytes().to_vec())
    }

    fn protocol(text: &str) -> Piece {
        Piece::Protocol(text.as_bytes().to_vec())
    }

    fn content(mime: &str, text: &str) -> Piece {
        Piece::Content(mime.to_owned(), text.to_owned())
    }

    #[test]
    fn text_without_a_newline_is_not_held_back() {
        let mut scanner = Scanner::default();
        assert_eq!(scanner.feed(b"50 %\r"), [output("50 %\r")]);
        assert_eq!(scanner.flush(), None);
    }

    #[test]
    fn a_marker_behind_a_partial_line_is_found() {
        let mut scanner = Scanner::default();
        assert_eq!(
            scanner.feed(b"no newlineEVCXR_PANIC_NOTIFICATION\nrest"),
            [output("no newline"), Piece::Panicked, output("rest")]
        );
    }

    #[test]
    fn content_is_one_piece_whatever_is_in_it() {
        let bytes =
            b"EVCXR_BEGIN_CONTENT text/plain\nline\nEVCXR_PANIC_NOTIFICATIO\nEVCXR_END_CONTENT\n";
        let mut scanner = Scanner::default();
        assert_eq!(
            scanner.feed(bytes),
            [content("text/plain", "line\nEVCXR_PANIC_NOTIFICATIO")]
        );
    }

    #[test]
    fn a_panic_ends_content_that_has_no_end() {
        let mut scanner = Scanner::default();
        assert_eq!(
            scanner.feed(b"EVCXR_BEGIN_CONTENT text/plain\nhalf\nEVCXR_PANIC_NOTIFICATION\n"),
            [Piece::Panicked]
        );
    }

    #[test]
    fn words_that_only_look_like_markers_are_output() {
        let mut scanner = Scanner::default();
        assert_eq!(
            scanner.feed(b"EVCXR_TMPDIR is set\n"),
            [output("EVCXR_TMPDIR is set\n")]
        );
        assert_eq!(scanner.feed(b"ends in EVC"), [output("ends in ")]);
        assert_eq!(scanner.flush(), Some(output("EVC")));
    }

    #[test]
    fn the_pieces_do_not_depend_on_how_the_bytes_arrive() {
        let text = b"aEVCXR_ERROR_OCCURRED\nEEVCXR_INPUT_REQUEST:name\nxEVCXR_BEGIN_CONTENT a/b\nc\nEVCXR_END_CONTENT\n";
        for chunk in 1..text.len() {
            let mut scanner = Scanner::default();
            let mut pieces: Vec<_> = text.chunks(chunk).flat_map(|c| scanner.feed(c)).collect();
            pieces.extend(scanner.flush());
            assert_eq!(
                pieces,
                [
                    output("a"),
                    protocol("EVCXR_ERROR_OCCURRED\n"),
                    output("E"),
                    protocol("EVCXR_INPUT_REQUEST:name\n"),
                    output("x"),
                    content("a/b", "c"),
                ],
                "chunks of {chunk}"
            );
        }
    }
}
