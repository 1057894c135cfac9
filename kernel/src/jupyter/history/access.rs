//! What a client may want to know of the history.

use serde::Deserialize;

/// Which cells. The names and defaults are those of `history_request`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "hist_access_type", rename_all = "lowercase")]
pub(crate) enum Access {
    /// The last `n`, of whichever session.
    Tail {
        /// How many.
        #[serde(default = "ten")]
        n: u32,
    },
    /// A part of one session.
    Range {
        /// The number of the session; 0 is the current one, −1 the one before.
        #[serde(default)]
        session: i64,
        /// The first line; counted from the end if negative.
        #[serde(default)]
        start: i64,
        /// The line behind the last; the end of the session without one.
        #[serde(default)]
        stop: Option<i64>,
    },
    /// Those that look like `pattern`.
    Search {
        /// `*` stands for any text, `?` for one character.
        #[serde(default = "anything")]
        pattern: String,
        /// No more than the last so many.
        #[serde(default)]
        n: Option<u32>,
        /// Of cells with the same source only the last.
        #[serde(default)]
        unique: bool,
    },
}

/// A cell that was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HistoryEntry {
    /// The number of its session, from 1.
    pub(crate) session: i64,
    /// The number of the cell in its session.
    pub(crate) line: i64,
    /// The cell as it was typed.
    pub(crate) source: String,
}

/// As many as IPython gives.
fn ten() -> u32 {
    10
}

fn anything() -> String {
    "*".to_owned()
}
