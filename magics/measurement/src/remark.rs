//! What a reader of the figures should know about a run.

use serde::{Deserialize, Serialize};

/// Something about a run that its figures do not show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "remark", rename_all = "snake_case")]
pub enum Remark {
    /// The run has written to files, sockets or pipes of the session, and the bytes stay.
    Wrote {
        /// Their names.
        to: Vec<String>,
    },
    /// The run has read bytes from sockets or pipes of the session, and the bytes are gone.
    Read {
        /// Their names.
        from: Vec<String>,
    },
    /// The run has shut down sockets of the session.
    ShutDown {
        /// Their names.
        which: Vec<String>,
    },
    /// The session itself ran the statements, because it could not be forked.
    InPlace {
        /// Why, as a clause.
        why: String,
    },
    /// The value of the statements is a future that was not awaited.
    Future,
    /// The value of the statements is an iterator that has not come to its end.
    Iterator,
}

impl Remark {
    /// Whether the run has changed something that the session has open.
    pub fn is_change(&self) -> bool {
        match self {
            Self::Wrote { .. } | Self::Read { .. } | Self::ShutDown { .. } => true,
            Self::InPlace { .. } | Self::Future | Self::Iterator => false,
        }
    }
}
