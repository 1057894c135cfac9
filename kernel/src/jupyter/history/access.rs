//! Which cells of the history a client asks for.

use serde::Deserialize;

/// Selects cells. Names and defaults are those of `history_request`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "hist_access_type", rename_all = "lowercase")]
pub(crate) enum Access {
    /// The last `n` cells of all sessions.
    Tail {
        /// The number of cells.
        #[serde(default = "ten")]
        n: u32,
    },
    /// A part of one session.
    Range {
        /// The number of the session; 0 is the current one, −1 the one before.
        #[serde(default)]
        session: i64,
        /// The first line; negative lines count from the end.
        #[serde(default)]
        start: i64,
        /// The line behind the last one; by default the end of the session.
        #[serde(default)]
        stop: Option<i64>,
    },
    /// The cells whose source matches `pattern`.
    Search {
        /// `*` stands for any text, `?` for one character.
        #[serde(default = "anything")]
        pattern: String,
        /// At most this many cells, the last ones.
        #[serde(default)]
        n: Option<u32>,
        /// Return only the last of several cells with the same source.
        #[serde(default)]
        unique: bool,
    },
}

/// A cell of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HistoryEntry {
    /// The number of its session, from 1.
    pub(crate) session: i64,
    /// The number of the cell in its session.
    pub(crate) line: i64,
    /// The cell as it was typed.
    pub(crate) source: String,
}

/// The default of IPython.
fn ten() -> u32 {
    10
}

fn anything() -> String {
    "*".to_owned()
}
