//! Settlements: each charges the line that ran with everything since the previous settlement.
//!
//! Each function has an account of its own. The work of a called function therefore counts for the
//! calling line, and once more for the lines of the called function if that function is profiled
//! too. A recursive function has one account: the calling line is settled before the inner call,
//! and is not charged for the lines within. The increments of the lines therefore add up to the
//! increment of the function.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};

use memit_session::lines::counters::{Common, Head, Table};

use super::level::{self, Level};
use super::{clock, known, own_line};
use crate::common::{self, COMMON, rememberable_epoch, see_every_probe};
use crate::threads;

/// Whether lines are charged with time, and with probes instead of allocations.
static TIMED: AtomicBool = AtomicBool::new(false);
/// Probes passed so far in a timed measurement.
static PROBES: AtomicU64 = AtomicU64::new(0);

/// Makes every line call the runtime when it is next passed, and after that only if there is
/// something to settle. Lines are no longer charged with time.
pub(super) fn begin_epoch() {
    common::begin_epoch();
    TIMED.store(false, Relaxed);
    if threads::are_many() {
        see_every_probe();
    }
}

/// Charges lines with time, and with the number of probes that were passed meanwhile: the cost of
/// these probes is subtracted later.
pub(super) fn charge_time() {
    PROBES.store(0, Relaxed);
    TIMED.store(true, Relaxed);
    see_every_probe();
}

/// Probes passed since [`charge_time`].
pub(super) fn probes() -> u64 {
    PROBES.load(Relaxed)
}

/// The readings of a settlement.
#[derive(Clone, Copy)]
struct Now {
    level: Level,
    allocations: u64,
    time: u64,
}

impl Now {
    fn read(function: Table<'_>) -> Self {
        let (time, allocations) = if TIMED.load(Relaxed) {
            add(&PROBES, 1);
            (clock::ticks(), probes())
        } else {
            (0, COMMON.allocations.load(Relaxed))
        };
        let level = level::read(level::backend(function.head()));
        pass_on_peak(function);
        Self {
            level,
            allocations,
            time,
        }
    }
}

/// Restarts the peak of the heap, and passes the old peak to every other running function, which
/// has seen it too.
fn pass_on_peak(to_all_but: Table<'_>) {
    let peak = COMMON.peak.load(Relaxed);
    let live = COMMON.live.load(Relaxed);
    if peak == live {
        return;
    }
    for other in known::all() {
        let head = other.head();
        if head.line.load(Relaxed) != 0 && !std::ptr::eq(other.address(), to_all_but.address()) {
            raise(&head.peak, peak);
        }
    }
    COMMON.peak.store(live, Relaxed);
}

fn raise(peak: &AtomicI64, to: i64) {
    peak.store(peak.load(Relaxed).max(to), Relaxed);
}

fn add(to: &AtomicU64, by: u64) {
    to.store(to.load(Relaxed).saturating_add(by), Relaxed);
}

/// Charges a line with everything since the last settlement of its function. `line` is an index
/// plus 1, or 0 for no line.
fn settle(function: Table<'_>, line: u32, now: Now) {
    let head = function.head();
    raise(&head.peak, now.level.peak);
    let line = line.checked_sub(1);
    if let Some(line) = line.and_then(|line| function.lines().get(line as usize)) {
        let level = now.level.now;
        let increment = level - head.level.load(Relaxed);
        line.increment
            .store(line.increment.load(Relaxed) + increment, Relaxed);
        add(
            &line.allocations,
            now.allocations - head.allocations.load(Relaxed),
        );
        line.memory.store(level, Relaxed);
        let peak = head.peak.load(Relaxed) - head.start.load(Relaxed);
        line.peak
            .fetch_max(u64::try_from(peak).unwrap_or(0), Relaxed);
        add(&line.time, now.time.saturating_sub(head.time.load(Relaxed)));
    }
    head.level.store(now.level.now, Relaxed);
    head.allocations.store(now.allocations, Relaxed);
    head.time.store(now.time, Relaxed);
}

/// Settles the line that was running when its process ended. `common` holds the counts of that
/// process.
#[cfg(unix)]
pub(super) fn settle_late(function: Table<'_>, common: &Common) {
    let live = common.live.load(Relaxed);
    let now = Now {
        level: Level {
            now: live,
            peak: common.peak.load(Relaxed).max(live),
        },
        allocations: common.allocations.load(Relaxed),
        time: function.head().time.load(Relaxed),
    };
    settle(function, function.head().line.load(Relaxed), now);
}

/// Settles a line of `function`, an index plus 1. With 0, everything since the last settlement is
/// charged to no line.
#[inline]
pub(super) fn settle_line(function: Table<'static>, line: u32) {
    settle_until_now(function, line);
}

/// See [`settle_line`]. Returns the level, and the epoch that a line may remember.
#[inline]
fn settle_until_now(function: Table<'static>, line: u32) -> (Level, u64) {
    let epoch = rememberable_epoch();
    let now = Now::read(function);
    settle(function, line, now);
    function.head().seen.store(epoch, Relaxed);
    (now.level, epoch)
}

/// Settles the line that ran, and begins the line with this index.
#[inline]
pub(super) fn begin_line(function: Table<'static>, index: u32, hits: u32) {
    let (level, epoch) = settle_until_now(function, own_line::get(function));
    own_line::set(function, index + 1);
    let head = function.head();
    head.start.store(level.now, Relaxed);
    head.peak.store(level.now, Relaxed);
    if let Some(line) = function.lines().get(index as usize) {
        add(&line.hits, u64::from(hits));
        line.memory.store(level.now, Relaxed);
        line.seen.store(epoch, Relaxed);
    }
}

/// Counts calls of a function.
#[inline]
pub(super) fn count_calls(head: &Head, calls: u32) {
    add(&head.calls, u64::from(calls));
}
