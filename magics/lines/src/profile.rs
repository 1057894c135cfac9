//! The result of measuring functions line by line. Sizes are in bytes, times in nanoseconds.

use crate::Backend;
use crate::function::Function;

/// One run of a statement, by the lines of some functions.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Profile {
    /// The profiled functions, in the order in which they are shown.
    pub functions: Vec<Function>,
    /// What was measured, and how.
    pub kind: Kind,
    /// How long the statement ran, probes included.
    pub wall_ns: u64,
    /// Whether the run was a fork of the session (false: in place).
    pub isolated: bool,
    /// Threads of the session when the run started.
    pub threads: u32,
    /// Whether more than one thread ran during the run. Lines that run at the same time may be charged
    /// with each other's memory.
    pub threaded: bool,
    /// Threads that the statements had started and that still ran at the end.
    pub outlasting: u32,
    /// Why the run stopped early; absent if the run finished.
    pub stopped: Option<Stopped>,
}

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "measured", rename_all = "lowercase")
)]
pub enum Kind {
    /// Memory, as `%mprun` measures it.
    Memory {
        /// Which memory.
        backend: Backend,
        /// Whether child processes are included.
        children: bool,
        /// Memory at the start of the run; 0 for the heap, which is counted from the start.
        baseline: u64,
    },
    /// Time, as `%lprun` measures it.
    Time {
        /// How the time was measured.
        clock: Clock,
    },
}

/// How the time of a line was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "clock", rename_all = "lowercase")
)]
pub enum Clock {
    /// A thread looked at an interval which line was running.
    Sampled {
        /// Time between two looks.
        interval_ns: u64,
        /// Looks that found a line running.
        samples: u64,
    },
    /// Each probe read the time stamp counter.
    Exact {
        /// Time that a probe takes, already subtracted from the figures.
        probe_ns: f64,
    },
}

/// How a run stopped early.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Stopped {
    /// What happened, without a full stop: `the statement panicked`.
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::{Figures, Line, Place};

    #[test]
    fn a_profile_survives_json() {
        let figures = Figures {
            hits: 1,
            increment: -100,
            peak: 5,
            ..Figures::default()
        };
        let function = Function {
            name: "f".to_owned(),
            place: Place::Unknown,
            first: 1,
            calls: 1,
            lines: vec![Line {
                number: 1,
                source: String::new(),
                figures: Some(figures),
            }],
            stopped_at: None,
        };
        let profile = Profile {
            functions: vec![function],
            kind: Kind::Time {
                clock: Clock::Exact { probe_ns: 7.5 },
            },
            wall_ns: 1_000,
            isolated: true,
            threads: 1,
            threaded: false,
            outlasting: 0,
            stopped: Some(Stopped {
                why: "interrupted".to_owned(),
            }),
        };
        let json = serde_json::to_string(&profile).unwrap();
        assert_eq!(
            json,
            concat!(
                r#"{"functions":[{"name":"f","place":"unknown","first":1,"calls":1,"lines":["#,
                r#"{"number":1,"source":"","figures":{"hits":1,"memory":0,"increment":-100,"#,
                r#""peak":5,"allocations":0,"time_ns":0}}],"stopped_at":null}],"#,
                r#""kind":{"measured":"time","clock":{"clock":"exact","probe_ns":7.5}},"#,
                r#""wall_ns":1000,"isolated":true,"threads":1,"threaded":false,"outlasting":0,"#,
                r#""stopped":{"why":"interrupted"}}"#
            )
        );
        assert_eq!(serde_json::from_str::<Profile>(&json).unwrap(), profile);
    }
}
