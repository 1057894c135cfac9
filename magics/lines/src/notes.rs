//! What a reader has to know about the figures.

use crate::profile::{Backend, Clock, Kind, Profile};
use crate::units;

/// A line each, without a full stop.
pub fn of(profile: &Profile) -> Vec<String> {
    let mut notes = vec![match profile.kind {
        Kind::Memory {
            backend, baseline, ..
        } => memory(backend, baseline),
        Kind::Time { clock } => time(clock, profile.wall_ns),
    }];
    if matches!(profile.kind, Kind::Memory { children: true, .. }) {
        notes.push("child processes are included".to_owned());
    }
    if profile.threaded {
        let what = match profile.kind {
            Kind::Memory { .. } => "memory",
            Kind::Time { .. } => "time",
        };
        notes.push(format!(
            "more than one thread ran: lines that ran at the same time may be charged with each \
             other's {what}"
        ));
    }
    notes
}

/// Why the run stopped early.
pub fn stopped(profile: &Profile) -> Option<String> {
    let stopped = profile.stopped.as_ref()?;
    Some(format!("stopped early: {}", stopped.why))
}

/// What stands in place of the tables where none is shown.
pub fn nothing_shown(profile: &Profile) -> &'static str {
    if profile.functions.is_empty() {
        "no function was measured"
    } else {
        "no function was called"
    }
}

fn memory(backend: Backend, baseline: u64) -> String {
    let (name, short) = match backend {
        Backend::Heap => {
            return "memory: live heap above the start of the statement".to_owned();
        }
        Backend::Rss => ("resident set size", "RSS"),
        Backend::Pss => ("proportional set size", "PSS"),
        Backend::Uss => ("unique set size", "USS"),
    };
    let start = units::bytes(baseline);
    format!("memory: {name} of the process ({short}), {start} at the start of the statement")
}

fn time(clock: Clock, wall_ns: u64) -> String {
    match clock {
        Clock::Sampled {
            interval_ns,
            samples,
        } => format!(
            "time sampled every {}: {} in {}",
            units::time(interval_ns as f64, 3),
            units::counted(&units::count(samples), "sample"),
            units::time(wall_ns as f64, 3)
        ),
        Clock::Exact { probe_ns } => format!(
            "time exact: time stamp counter read at every probe, {} subtracted for each",
            units::time(probe_ns, 3)
        ),
    }
}
