//! Settlements: each charges the line that ran with everything since the previous settlement.
//!
//! Each function has an account of its own on each thread. The work of a called function therefore
//! counts for the calling line, and once more for the lines of the called function if that function
//! is profiled too. A recursive function has one account: the calling line is settled before the
//! inner call, and is not charged for the lines within. The increments of the lines therefore add up
//! to the increment of the function.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};

use memit_session::lines::counters::{ENDS, Table, Thread};

use super::level::{self, Level};
use super::record::Record;
use super::thread_clock;

/// Whether lines are charged with time, and with probes instead of allocations.
static TIMED: AtomicBool = AtomicBool::new(false);
/// Whether every probe calls the runtime, although nothing may have changed.
static EVERY: AtomicBool = AtomicBool::new(false);

/// The bit of an epoch that makes every probe call the runtime: no line remembers such an epoch.
const ALWAYS: u64 = 1 << 63;

/// Chooses what lines are charged with, for threads that have no record yet: time, with every probe;
/// or memory, with the probes that follow a change of the heap, or with every probe.
pub(super) fn charge(time: bool, every_probe: bool) {
    if time && every_probe {
        thread_clock::begin();
    }
    TIMED.store(time, Relaxed);
    EVERY.store(every_probe, Relaxed);
}

/// Whether every probe reads the clock.
pub(super) fn reads_clock() -> bool {
    TIMED.load(Relaxed) && EVERY.load(Relaxed)
}

/// The epoch with which a thread begins.
pub(super) fn first_epoch() -> u64 {
    if EVERY.load(Relaxed) { 1 | ALWAYS } else { 1 }
}

/// Makes every probe of a thread call the runtime from now on.
pub(super) fn see_every_probe(thread: &Thread) {
    EVERY.store(true, Relaxed);
    thread.epoch.fetch_or(ALWAYS, Relaxed);
}

/// The epoch that a line may remember; 0, which is never an epoch, while every probe calls the
/// runtime.
#[inline]
fn rememberable_epoch(thread: &Thread) -> u64 {
    let epoch = thread.epoch.load(Relaxed);
    if epoch & ALWAYS == 0 { epoch } else { 0 }
}

/// The readings of a settlement.
#[derive(Clone, Copy)]
struct Now {
    level: Level,
    allocations: u64,
    time: u64,
}

impl Now {
    fn read(own: Table<'static>) -> Self {
        let thread = own.head().thread();
        if TIMED.load(Relaxed) {
            add(&thread.probes, 1);
            let time = if EVERY.load(Relaxed) {
                // SAFETY: the counts that the runtime gives to counters are those of a record.
                unsafe { Record::of(thread) }.clock().read()
            } else {
                // A sampler takes the time.
                0
            };
            return Self {
                level: Level { now: 0, peak: 0 },
                allocations: thread.probes.load(Relaxed),
                time,
            };
        }
        let level = level::read(own.head());
        pass_on_peak(own);
        Self {
            level,
            allocations: thread.allocations.load(Relaxed),
            time: 0,
        }
    }
}

/// Restarts the peak of the thread, and passes the old peak to every other running function, which
/// has seen it too.
fn pass_on_peak(to_all_but: Table<'static>) {
    let thread = to_all_but.head().thread();
    let peak = thread.peak.load(Relaxed);
    let live = thread.live.load(Relaxed);
    if peak == live {
        return;
    }
    // SAFETY: the counts that the runtime gives to counters are those of a record.
    let record = unsafe { Record::of(thread) };
    for other in record.tables() {
        let head = other.head();
        if head.line.load(Relaxed) != 0 && !std::ptr::eq(other.address(), to_all_but.address()) {
            raise(&head.peak, peak);
        }
    }
    thread.peak.store(live, Relaxed);
}

fn raise(peak: &AtomicI64, to: i64) {
    peak.store(peak.load(Relaxed).max(to), Relaxed);
}

fn add(to: &AtomicU64, by: u64) {
    to.store(to.load(Relaxed).saturating_add(by), Relaxed);
}

/// Charges the running line of a body with everything since the last settlement of its function.
fn settle(own: Table<'_>, now: Now) {
    let head = own.head();
    raise(&head.peak, now.level.peak);
    let line = head.line.load(Relaxed).checked_sub(1);
    if let Some(line) = line.and_then(|line| own.lines().get(line as usize)) {
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
        let peak = u64::try_from(peak).unwrap_or(0);
        line.peak.store(line.peak.load(Relaxed).max(peak), Relaxed);
        add(&line.time, now.time.saturating_sub(head.time.load(Relaxed)));
    }
    head.level.store(now.level.now, Relaxed);
    head.allocations.store(now.allocations, Relaxed);
    head.time.store(now.time, Relaxed);
}

/// Settles the line that was running when its process ended, by the counts of its thread.
#[cfg(unix)]
pub(super) fn settle_late(own: Table<'_>) {
    let thread = own.head().thread();
    let live = thread.live.load(Relaxed);
    let now = Now {
        level: Level {
            now: live,
            peak: thread.peak.load(Relaxed).max(live),
        },
        allocations: thread.allocations.load(Relaxed),
        time: own.head().time.load(Relaxed),
    };
    settle(own, now);
}

/// Settles the running line of a body. Without a running line, everything since the last settlement
/// is charged to no line.
#[inline]
pub(super) fn settle_body(own: Table<'static>) {
    settle_until_now(own);
}

/// See [`settle_body`]. Returns the level, and the epoch that a line may remember.
#[inline]
fn settle_until_now(own: Table<'static>) -> (Level, u64) {
    let head = own.head();
    let epoch = rememberable_epoch(head.thread());
    let now = Now::read(own);
    settle(own, now);
    head.seen.store(epoch, Relaxed);
    (now.level, epoch)
}

/// Settles the line that ran, and begins the line with this index.
#[inline]
pub(super) fn begin_line(own: Table<'static>, index: u32, hits: u32) {
    leave_panicked(own);
    let (level, epoch) = settle_until_now(own);
    let head = own.head();
    head.line.store(index + 1, Relaxed);
    head.start.store(level.now, Relaxed);
    head.peak.store(level.now, Relaxed);
    if let Some(line) = own.lines().get(index as usize) {
        if line.number & ENDS == 0 {
            // Only ends of blocks run during a panic, so the panic was caught.
            head.panicked.store(0, Relaxed);
        }
        add(&line.hits, u64::from(hits));
        line.memory.store(level.now, Relaxed);
        line.seen.store(epoch, Relaxed);
    }
}

/// Settles the running lines of a thread at a panic, and notes them: when the panic is known not to be
/// caught, the lines have ended.
pub(super) fn note_panic(record: &'static Record) {
    for own in record.tables() {
        let head = own.head();
        let line = head.line.load(Relaxed);
        if line != 0 {
            settle_body(own);
        }
        head.panicked.store(line, Relaxed);
    }
}

/// Settles the running line of a body that ends.
pub(super) fn settle_end(own: Table<'static>) {
    leave_panicked(own);
    settle_body(own);
}

/// Leaves the running line if the line has panicked: what the panic itself needs is charged to no
/// line.
fn leave_panicked(own: Table<'static>) {
    let head = own.head();
    let line = head.line.load(Relaxed);
    if line != 0 && line == head.panicked.load(Relaxed) {
        head.line.store(0, Relaxed);
    }
}
