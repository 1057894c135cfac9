//! Notes that explain the figures to a reader.

use crate::units;
use crate::{Backend, Clock, Function, Kind, NoTotal, Profile, Total};

/// The notes of a profile, each a line without a full stop.
pub fn of(profile: &Profile) -> Vec<String> {
    let first = match profile.kind {
        Kind::Memory {
            backend, baseline, ..
        } => vec![memory(backend, baseline)],
        Kind::Time { clock, total } => time(clock, total, profile.wall_ns),
    };
    behind(first, profile)
}

/// The notes for an ordinary program, where measuring begins with the first call.
pub fn of_program(profile: &Profile) -> Vec<String> {
    let first = match profile.kind {
        Kind::Memory { backend, .. } => vec![match name(backend) {
            Some((name, short)) => format!("memory: {name} of the process ({short})"),
            None => "memory: live heap above that at the first call of a profiled function".into(),
        }],
        Kind::Time { clock, total } => time(clock, total, profile.wall_ns),
    };
    behind(first, profile)
}

/// The first notes and those that do not depend on what was measured.
fn behind(mut notes: Vec<String>, profile: &Profile) -> Vec<String> {
    if matches!(profile.kind, Kind::Memory { children: true, .. }) {
        notes.push("child processes are included".to_owned());
    }
    if profile.threaded {
        let what = match profile.kind {
            Kind::Memory {
                backend: Backend::Heap,
                ..
            } => "a line is charged with what its own thread allocates and frees",
            Kind::Memory { .. } => {
                "lines that ran at the same time may be charged with each other's memory"
            }
            Kind::Time {
                clock: Clock::Sampled { .. },
                ..
            } => "threads that ran a function at the same time share that time",
            Kind::Time { .. } => "times are sums over the threads",
        };
        notes.push(format!("more than one thread ran: {what}"));
    }
    notes
}

/// A word on a function whose table has no figure; `None` if a line has figures.
pub fn without_figures(function: &Function) -> Option<String> {
    if function.calls == 0 {
        return Some("never called".to_owned());
    }
    let runs_nothing = !function.lines.iter().any(|line| line.active().is_some());
    runs_nothing.then(|| {
        let calls = units::counted(&units::count(function.calls), "call");
        format!("{calls}, but no line does anything")
    })
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

fn time(clock: Clock, total: Total, wall_ns: u64) -> Vec<String> {
    let mut notes = vec![of_clock(clock, wall_ns)];
    notes.push(match total {
        Total::Compared {
            plain_ns,
            probes_ns,
        } => format!(
            "the run takes {} without probes and {} with probes: the times are those without",
            units::time(plain_ns as f64, 3),
            units::time((plain_ns + probes_ns) as f64, 3)
        ),
        Total::Bounded { probes_ns } => format!(
            "probes included: at most {} of {}",
            units::time(probes_ns as f64, 3),
            units::time(wall_ns as f64, 3)
        ),
        Total::Unknown { why } => format!(
            "no total: {}; the shares include the time of probes",
            match why {
                NoTotal::Threads => "several threads read the clock at every probe",
                NoTotal::Clock => "reading the clock takes nearly all of the time",
                NoTotal::InPlace => {
                    "probes take much of the time, and statements that change the session cannot be \
                     run again without them"
                }
                NoTotal::Failed => {
                    "probes take much of the time, and no run of the statements without probes is at hand"
                }
            }
        ),
    });
    if let Some(points) = share_error(clock, total) {
        notes.push(points);
    }
    notes
}

fn of_clock(clock: Clock, wall_ns: u64) -> String {
    let wall = units::time(wall_ns as f64, 3);
    match clock {
        Clock::Sampled {
            interval_ns,
            samples,
            runs,
            ..
        } => {
            let every = units::time(interval_ns as f64, 3);
            let samples = units::counted(&units::count(samples), "sample");
            let runs = match runs {
                0 | 1 => String::new(),
                runs => format!("{} of ", units::counted(&units::count(runs.into()), "run")),
            };
            format!("time sampled every {every}: {samples} in {runs}{wall}")
        }
        Clock::Exact {
            probe_ns,
            too_short,
        } => {
            let why = if too_short {
                ", because the run is too short for samples"
            } else {
                ""
            };
            format!(
                "time exact: time stamp counter read at every probe{why}; {} subtracted for each",
                units::time(probe_ns, 3)
            )
        }
    }
}

/// By how much the share of a line may be off.
fn share_error(clock: Clock, total: Total) -> Option<String> {
    let probes = match total {
        Total::Compared {
            plain_ns,
            probes_ns,
        } => probes_ns as f64 / plain_ns.max(1) as f64,
        Total::Bounded { .. } => 0.0,
        Total::Unknown { .. } => return None,
    };
    let fast = if probes > 0.2 {
        ", and of lines of some nanoseconds by more: probes slow them down"
    } else {
        ""
    };
    match clock {
        Clock::Sampled {
            samples, points, ..
        } if samples > 0 => {
            let points = units::counted(&format!("{:.0}", points.ceil()), "point");
            Some(format!("the share of a line may be off by {points}{fast}"))
        }
        Clock::Exact { probe_ns, .. } => Some(format!(
            "the time of a line may be off by {} a hit",
            units::time(probe_ns / 2.0, 2)
        )),
        Clock::Sampled { .. } => None,
    }
}
