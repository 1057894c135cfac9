//! Notes that explain the figures to a reader.

use crate::units;
use crate::{Backend, Clock, Kind, Profile};

/// The notes of a profile, each a line without a full stop.
pub fn of(profile: &Profile) -> Vec<String> {
    let first = match profile.kind {
        Kind::Memory {
            backend, baseline, ..
        } => memory(backend, baseline),
        Kind::Time { clock } => time(clock, profile.wall_ns),
    };
    behind(first, profile)
}

/// The notes for an ordinary program, where measuring begins with the first call.
pub fn of_program(profile: &Profile) -> Vec<String> {
    let first = match profile.kind {
        Kind::Memory { backend, .. } => match name(backend) {
            Some((name, short)) => format!("memory: {name} of the process ({short})"),
            None => "memory: live heap above that at the first call of a profiled function".into(),
        },
        Kind::Time { clock } => time(clock, profile.wall_ns),
    };
    behind(first, profile)
}

/// The first note and those that do not depend on what was measured.
fn behind(first: String, profile: &Profile) -> Vec<String> {
    let mut notes = vec![first];
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

/// The text in place of the tables if no table is shown.
pub fn nothing_shown(profile: &Profile) -> &'static str {
    if profile.functions.is_empty() {
        "no function was measured"
    } else {
        "no function was called"
    }
}

fn memory(backend: Backend, baseline: u64) -> String {
    let Some((name, short)) = name(backend) else {
        return "memory: live heap above the start of the statement".to_owned();
    };
    let start = units::bytes(baseline);
    format!("memory: {name} of the process ({short}), {start} at the start of the statement")
}

/// Name and abbreviation of a size that the system reports; `None` for the heap, which memit counts.
fn name(backend: Backend) -> Option<(&'static str, &'static str)> {
    match backend {
        Backend::Heap => None,
        Backend::Rss => Some(("resident set size", "RSS")),
        Backend::Pss => Some(("proportional set size", "PSS")),
        Backend::Uss => Some(("unique set size", "USS")),
    }
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
