//! Functions that run with probes or without.
//!
//! The cell around a magic in a block is compiled once, with the probes of the magic. Its profiled functions
//! therefore have each body twice: with probes, for the runs in which lines are counted, and without, for
//! a run to compare with and for all else that the cell does. The second body has the same text, but
//! the probes in it are those of [`NoProbes`], which compile to nothing.

use std::future::{Future, IntoFuture};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Whether functions run with probes.
static ON: AtomicBool = AtomicBool::new(false);

/// Whether functions run with probes. The compiler takes this to be rare.
#[inline(always)]
pub fn are_probes_on() -> bool {
    #[cold]
    #[inline(always)]
    fn rarely() {}

    let are_on = ON.load(Relaxed);
    if are_on {
        rarely();
    }
    are_on
}

/// Makes functions run with probes or without.
#[cfg(feature = "cells")]
pub(crate) fn switch_probes(on: bool) {
    ON.store(on, Relaxed);
}

/// Runs a body with the counters that the first item defines if probes are on, and with those that the
/// second item defines if not. The body is one token, so that it has the edition of the function.
///
/// With the head of a closure in front of the body, the body with probes is a function of its own.
/// The function around the body is then what it is without probes, but for one branch at its start.
#[macro_export]
macro_rules! switched {
    ([$($counting:tt)*] [$($not_counting:tt)*] [$($closure:tt)*] $body:tt) => {
        if $crate::lines::are_probes_on() {
            $crate::lines::apart($($closure)* { $($counting)* $body })
        } else {
            $($not_counting)*
            $body
        }
    };
    ([$($counting:tt)*] [$($not_counting:tt)*] $body:tt) => {
        if $crate::lines::are_probes_on() {
            $($counting)*
            $body
        } else {
            $($not_counting)*
            $body
        }
    };
}

/// Runs a body, which is not inlined.
#[inline(never)]
pub fn apart<T>(body: impl FnOnce() -> T) -> T {
    body()
}

/// Stands for the counters of a function and for its running bodies in code without probes.
#[derive(Clone, Copy)]
pub struct NoProbes;

/// The probes of [`RunningBody`](super::RunningBody), which do nothing here.
impl NoProbes {
    /// Begins a call of the function.
    #[inline(always)]
    pub fn enter(&self) -> Self {
        *self
    }

    /// Begins a part of the function.
    #[inline(always)]
    pub fn within(&self) -> Self {
        *self
    }

    /// Begins a line.
    #[inline(always)]
    pub fn line(&self, _index: usize) {}

    /// Begins a line without a hit.
    #[inline(always)]
    pub fn here(&self, _index: usize) {}

    /// True.
    #[inline(always)]
    pub fn header(&self, _index: usize) -> bool {
        true
    }

    /// Returns `value`.
    #[inline(always)]
    pub fn value<T>(&self, (): (), value: T) -> T {
        value
    }

    /// Runs a body.
    #[inline(always)]
    pub fn owning<T>(&self, body: impl FnOnce() -> T) -> T {
        body()
    }

    /// Returns a body that may wait.
    #[inline(always)]
    pub fn owning_async<T, F: Future<Output = T>>(&self, body: F) -> F {
        body
    }

    /// The iterator of `iterated`.
    #[inline(always)]
    pub fn each<I: IntoIterator>(&self, _index: usize, iterated: I) -> I::IntoIter {
        iterated.into_iter()
    }

    /// A value without a destructor.
    #[inline(always)]
    pub fn end(&self, _index: usize) -> Self {
        *self
    }

    /// The future of `awaited`.
    #[inline(always)]
    pub fn awaited<F: IntoFuture>(&self, _index: u32, awaited: F) -> F::IntoFuture {
        awaited.into_future()
    }
}
