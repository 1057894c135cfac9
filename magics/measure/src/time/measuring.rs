//! Times the runs of `%timeit`.
//!
//! A run is executed in one go, unless the statements grow what they work on: then the run is
//! executed in pieces, and a fork that has grown too much is replaced by a new fork.

use memit_session::abi::{Clock, TimePlan};

use super::batch::Batches;
use super::empty_loop;
use super::progress::{Number, Progress, Stage};
use crate::board::Board;
use crate::fork::{self, Silence};
use crate::measuring::Measuring;
use crate::rss::PeakMeter;
use crate::unhook::unhook;
use crate::{heap, host};
use std::sync::Arc;

/// A run must take this long for its number of loops to be enough, as in Python's `timeit`.
const LONG_ENOUGH_NS: u64 = 200_000_000;
/// Powers of ten that are tried for the number of loops, as in Python's `timeit`.
const MAX_LOOPS: u64 = 1_000_000_000;
/// Time of a loop that is compared with an empty loop.
const HARDLY_ANY_NS: u64 = 10;
/// A lower growth of the heap is that of caches.
const GROWTH: u64 = 64 << 10;
/// The first executions may fill caches, so their growth says nothing about later ones.
const WARM: u64 = 10;

/// Times the runs.
pub(super) struct MeasuringTime {
    progress: Progress,
    plan: TimePlan,
    /// Growth of the live heap that ends a fork.
    limit: u64,
    meter: Option<PeakMeter>,
    baseline: Option<u64>,
    /// Bytes in use at the start of this fork, behind its first executions, and before the current
    /// executions.
    in_use_at_start: u64,
    in_use_behind_first: Option<u64>,
    in_use_before: u64,
    /// Time of the current executions, and readings of the clock.
    elapsed_ns: u64,
    started_ns: u64,
    began_ns: u64,
    batches: Option<Batches>,
    silence: Option<Silence>,
}

impl MeasuringTime {
    /// Call this in the process of the run: in the fork, if the run is a fork.
    pub(super) fn new(progress: Progress, plan: TimePlan, limit: u64) -> Self {
        if plan.isolated {
            unhook();
        }
        Self {
            batches: plan
                .fresh
                .then(|| Batches::new(progress.clone(), limit, plan.isolated)),
            progress,
            plan,
            limit,
            meter: PeakMeter::open_if_wanted(),
            baseline: None,
            in_use_at_start: heap::in_use(),
            in_use_behind_first: None,
            in_use_before: 0,
            elapsed_ns: 0,
            started_ns: 0,
            began_ns: 0,
            silence: None,
        }
    }

    /// Whether an interrupt ends the runs. In place, nobody else could end them.
    fn interrupted(&self) -> bool {
        !self.plan.isolated && host::is_interrupted()
    }

    fn now_ns(&self) -> u64 {
        now_ns(match self.plan.clock {
            Clock::Wall => libc::CLOCK_MONOTONIC,
            Clock::Cpu => libc::CLOCK_PROCESS_CPUTIME_ID,
        })
    }

    /// Notes what the executions that have just ended have taken.
    fn end_executions(&mut self) {
        let executions = self.progress.take(Number::Current);
        if executions == 0 {
            return;
        }
        let progress = &self.progress;
        progress.add(Number::Done, executions);
        progress.add(Number::Elapsed, std::mem::take(&mut self.elapsed_ns));
        progress.add(Number::Whole, monotonic_ns() - self.began_ns);
        progress.set(Number::Preparing, 0);
        if executions == 1 {
            progress.set(Number::FinishedOne, 1);
        }
        let peak = self.meter.as_ref().and_then(|meter| meter.read().ok());
        let peak = peak.map_or_else(memit_process::resident, |resident| resident.peak);
        if progress.get(Number::FirstPeak) == 0 {
            progress.set(Number::FirstPeak, peak);
        }
        let baseline = self.baseline.unwrap_or(peak);
        let highest = progress.get(Number::Peak) - progress.get(Number::Baseline);
        if peak.saturating_sub(baseline) >= highest {
            progress.set(Number::Baseline, baseline);
            progress.set(Number::Peak, peak.max(baseline));
        }
        let in_use = heap::in_use();
        let first = if executions < WARM {
            in_use
        } else {
            self.in_use_before
        };
        let first = *self.in_use_behind_first.get_or_insert(first);
        progress.raise(Number::Grown, in_use.saturating_sub(first));
        if executions >= WARM {
            let grown = in_use.saturating_sub(self.in_use_before);
            let grown = if grown < GROWTH { 0 } else { grown };
            progress.set_float(Number::GrowthEach, grown as f64 / executions as f64);
        }
        // The first executions have shown the snippet's output; nobody wants it a million times.
        if self.silence.is_none() {
            if self.plan.isolated {
                fork::silence();
            } else {
                self.silence = Some(Silence::begin());
            }
        }
    }

    /// Ends the current run if all of its executions are done.
    fn end_run(&self) {
        let progress = &self.progress;
        let (done, elapsed) = (progress.get(Number::Done), progress.get(Number::Elapsed));
        match progress.stage() {
            Stage::Trying if done > 0 => progress.begin(Stage::Running(0)),
            Stage::Running(run) if done >= progress.get(Number::Loops) => {
                progress.set_time(run, elapsed);
                self.compare_with_an_empty_loop(done, elapsed);
                progress.begin(Stage::Running(run + 1));
            }
            Stage::Ranging if done >= progress.get(Number::Loops) => {
                let loops = progress.get(Number::Loops);
                let whole = if self.plan.fresh {
                    progress.get(Number::Whole)
                } else {
                    0
                };
                let is_enough = elapsed.max(whole) >= LONG_ENOUGH_NS || loops >= MAX_LOOPS;
                if is_enough || self.grows_too_much(loops * 10) {
                    progress.begin(Stage::Running(0));
                } else {
                    progress.set(Number::Loops, loops * 10);
                    progress.begin(Stage::Ranging);
                }
            }
            _ => {}
        }
    }

    /// Times an empty loop beside a run whose loops take hardly any time.
    fn compare_with_an_empty_loop(&self, loops: u64, elapsed: u64) {
        if elapsed >= loops.saturating_mul(HARDLY_ANY_NS) {
            return;
        }
        let now = empty_loop::round_ns(loops);
        let before = self.progress.float(Number::EmptyLoop);
        let shortest = if before > 0.0 { before.min(now) } else { now };
        self.progress.set_float(Number::EmptyLoop, shortest);
    }

    /// Growth of the live heap over so many executions, as far as one can tell.
    fn expected_growth(&self, executions: u64) -> f64 {
        self.progress.float(Number::GrowthEach) * executions as f64
    }

    /// Whether runs of this many loops would grow beyond the limit. Only a run in a fork can begin
    /// with the memory of before.
    fn grows_too_much(&self, loops: u64) -> bool {
        if self.plan.isolated {
            return self.expected_growth(loops) > self.limit as f64;
        }
        let runs = u64::from(self.plan.repeat) + 1;
        let so_far = heap::in_use().saturating_sub(self.in_use_at_start);
        so_far as f64 + self.expected_growth(loops * runs) > self.limit as f64
    }

    /// Executions that can be made in one go; 0 if this process must not make any.
    fn next_executions(&self, left: u64) -> u64 {
        let progress = &self.progress;
        let at_once = match progress.get(Number::AtOnce) {
            0 => left,
            at_once => left.min(at_once),
        };
        let grown = self.in_use_before.saturating_sub(self.in_use_at_start) as f64;
        let has_room = |executions| grown + self.expected_growth(executions) <= self.limit as f64;
        if has_room(at_once) {
            return at_once;
        }
        if grown < GROWTH as f64 {
            // A new fork would not have more room: a part of the run.
            let parts = std::iter::successors(Some(at_once), |part| Some(part / 10));
            let part = parts
                .take_while(|part| *part > 0)
                .find(|part| has_room(*part));
            return part.unwrap_or(1);
        }
        let may_stop = matches!(progress.stage(), Stage::Running(done) if done > 0);
        if self.plan.isolated || may_stop {
            progress.set(Number::MustRestart, 1);
            return 0;
        }
        at_once
    }
}

impl Measuring for MeasuringTime {
    fn board(&self) -> &Arc<Board> {
        &self.progress.board
    }

    fn is_forked(&self) -> bool {
        self.plan.isolated
    }

    fn next_run(&mut self) -> u64 {
        self.end_executions();
        self.end_run();
        let progress = &self.progress;
        let left = match progress.stage() {
            Stage::Running(done) if done >= self.plan.repeat => return 0,
            Stage::Trying => 1,
            _ => progress.get(Number::Loops) - progress.get(Number::Done),
        };
        if self.interrupted() {
            return 0;
        }
        self.in_use_before = heap::in_use();
        let executions = self.next_executions(left);
        self.began_ns = monotonic_ns();
        self.progress.set(Number::Current, executions);
        executions
    }

    fn start_clock(&mut self) {
        if self.baseline.is_none() {
            // The peak is that of the statements, not that of the set-up.
            let now = self.meter.as_ref().and_then(|meter| {
                meter.reset().ok()?;
                Some(meter.read().ok()?.now)
            });
            self.baseline = Some(now.unwrap_or_else(memit_process::resident));
        }
        if let Some(batches) = &mut self.batches {
            batches.are_set_up();
        }
        self.started_ns = self.now_ns();
    }

    fn stop_clock(&mut self) {
        let elapsed = self.now_ns() - self.started_ns;
        self.elapsed_ns += match &mut self.batches {
            Some(batches) => batches.executed(elapsed),
            None => elapsed,
        };
    }

    fn stop_idling(&mut self) {
        let elapsed = self.now_ns() - self.started_ns;
        if let Some(batches) = &mut self.batches {
            batches.idled(elapsed);
        }
    }

    fn next_batch(&mut self, left: u64, bytes: u64) -> u64 {
        self.batches
            .as_mut()
            .map_or(1, |batches| batches.next(left, bytes))
    }
}

pub(super) fn monotonic_ns() -> u64 {
    now_ns(libc::CLOCK_MONOTONIC)
}

fn now_ns(clock: libc::clockid_t) -> u64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` is a live local. Both clocks exist wherever this compiles.
    unsafe { libc::clock_gettime(clock, &raw mut now) };
    now.tv_sec.cast_unsigned() * 1_000_000_000 + now.tv_nsec.cast_unsigned()
}
