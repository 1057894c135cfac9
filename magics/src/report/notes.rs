//! Notes on how the figures were measured.

use memit_lines::Profile;
use memit_measurement::{Clock, Source};

use crate::result::{MemitResult, MprofResult, TimeitResult};
use crate::{failure, units};

pub(super) fn of_memory(result: &MemitResult) -> Vec<String> {
    in_place(result.isolated)
        .into_iter()
        .chain(inexact_peak(result.source))
        .chain(children(result.children))
        .chain(outlasting(result.outlasting))
        .collect()
}

pub(super) fn of_time(result: &TimeitResult) -> Vec<String> {
    let peak = result.memory.as_ref().map(|memory| memory.source);
    cpu_time(result.clock)
        .into_iter()
        .chain(in_place(result.isolated))
        .chain(peak.and_then(inexact_peak))
        .chain(clock_error(result))
        .chain(growth(result))
        .chain(outlasting(result.outlasting))
        .collect()
}

/// The possible error of times around which the clock was read, unless it is small beside them.
fn clock_error(result: &TimeitResult) -> Option<String> {
    let is_seen = result.clock_error >= 0.1 && result.clock_error > 0.02 * result.best;
    is_seen.then(|| {
        let error = units::time(result.clock_error, result.precision);
        format!("the clock was read between set-ups, so the times may be off by {error}")
    })
}

/// A note that a loop works on more than the loop before.
fn growth(result: &TimeitResult) -> Option<String> {
    if result.grown == 0 {
        return None;
    }
    let grown = units::bytes(result.grown);
    let then = if !result.isolated {
        ", and the session keeps that".to_owned()
    } else if result.restarts > 0 {
        let times = units::counted(&units::count(u64::from(result.restarts)), "time");
        format!(". The runs began anew {times} with the variables of the session")
    } else {
        String::new()
    };
    Some(format!(
        "the statements grow what they work on: the heap rose by up to {grown}{then}"
    ))
}

/// A note that the figures lack what some threads did later.
fn outlasting(threads: u32) -> Option<String> {
    if threads == 0 {
        return None;
    }
    let threads = units::counted(&units::count(u64::from(threads)), "thread");
    Some(format!(
        "{threads} of the statements still ran after 10 s: what came later is not measured"
    ))
}

pub(super) fn of_timeline(result: &MprofResult) -> Vec<String> {
    let measured = &result.measurement;
    let left_out = measured.left_out > 0;
    let left_out = left_out.then(|| {
        let phases = units::counted(&units::count(measured.left_out), "more phase");
        format!("{phases} followed, which were counted but not recorded")
    });
    left_out
        .into_iter()
        .chain(in_place(measured.isolated))
        .chain(inexact_peak(measured.source))
        .chain(children(measured.children))
        .chain(outlasting(measured.outlasting))
        .collect()
}

/// Why a run stopped early, if it did.
pub(super) fn stopped(result: &MprofResult) -> Option<String> {
    let failure = result.measurement.failure.as_ref()?;
    Some(format!("stopped early: {}", failure::message(failure)))
}

fn children(included: bool) -> Option<String> {
    included.then(|| "child processes are included".to_owned())
}

pub(super) fn of_lines(profile: &Profile) -> Vec<String> {
    memit_lines::notes::of(profile)
        .into_iter()
        .chain(in_place(profile.isolated))
        .chain(outlasting(profile.outlasting))
        .collect()
}

/// `IPython`'s warning that the runs differ too much to trust their mean.
pub(super) fn spread(result: &TimeitResult) -> Option<String> {
    let times = result.suspicious_spread()?;
    Some(format!(
        "The slowest run took {times:.2} times longer than the fastest. \
         This could mean that an intermediate result is being cached."
    ))
}

/// A warning that the compiler may have removed the snippet, with the remedy.
pub(super) fn removed_work(result: &TimeitResult) -> Option<String> {
    result.work_may_be_removed().then(|| {
        let empty = units::time(result.empty_loop, result.precision);
        format!(
            "as fast as an empty loop ({empty}): the statements take a few cycles at \
             most, or the compiler has removed the work or done it at compile time. To keep the work, \
             pass the inputs through black_box: %timeit f(std::hint::black_box(x))"
        )
    })
}

/// A note that the session itself ran the statements.
pub(super) fn in_place(isolated: bool) -> Option<String> {
    (!isolated).then(|| "ran in place, not in a fork of the session".to_owned())
}

fn inexact_peak(source: Source) -> Option<String> {
    let note = match source {
        Source::Vmhwm => return None,
        Source::Maxrss => "peak from ru_maxrss: it covers the whole life of the measured process",
        Source::Sampled => "peak sampled: short peaks may be missed",
    };
    Some(note.to_owned())
}

fn cpu_time(clock: Clock) -> Option<String> {
    match clock {
        Clock::Wall => None,
        Clock::Cpu => Some("CPU time: waiting is not counted".to_owned()),
    }
}
