//! The probes of a profiled function.
//!
//! A probe counts, compares one word, the epoch, and stores which line runs next. Only if the epoch
//! has changed since the line ran last does the probe call the session process, which charges the
//! line before. Each allocation changes the epoch. A measurement that must see every probe (several
//! threads, exact time) sets the epoch to a value that no line has ever seen.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};

pub use super::counters::{Backend, Function, Line};
use super::counters::{Head, Outer, Table};
#[cfg_attr(target_arch = "x86_64", allow(unused_imports))]
use crate::abi::entry_points::memit_line;
use crate::abi::entry_points::{memit_close, memit_common, memit_open};

/// Tells the compiler that the calling branch is rare.
#[cold]
#[inline(always)]
fn rarely() {}

/// Calls [`memit_line`] without changing a register. An ordinary call may change registers, so the
/// compiler would keep their values in memory all the time, even in the innermost loops.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[inline(always)]
fn line(function: Table<'static>, index: u32, hits: u32) {
    use crate::abi::entry_points::memit_line_saving;

    rarely();
    // SAFETY: the arguments are those of `memit_line`, in its registers, and `memit_line_saving`
    // preserves every register. Without `nostack`, the compiler keeps nothing below the stack
    // pointer.
    unsafe {
        core::arch::asm!(
            "call qword ptr [rip + {call}@GOTPCREL]",
            call = sym memit_line_saving,
            in("rdi") function.address(),
            in("esi") index,
            in("edx") hits,
        );
    }
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
#[inline(always)]
fn line(function: Table<'static>, index: u32, hits: u32) {
    rarely();
    memit_line(function, index, hits);
}

#[cold]
#[inline(never)]
fn open(function: Table<'static>, calls: u32, outer: &Outer) {
    memit_open(function, calls, outer);
}

#[cold]
#[inline(never)]
fn close(function: Table<'static>, outer: &Outer) {
    memit_close(function, outer);
}

impl<const N: usize> Function<N> {
    /// Begins a call of the function.
    #[inline(always)]
    pub fn enter(&'static self) -> RunningBody {
        RunningBody::new(self.table(), 1)
    }

    /// Begins a part of the function that may run while the rest does not: a closure, an `async`
    /// block.
    #[inline(always)]
    pub fn within(&'static self) -> RunningBody {
        RunningBody::new(self.table(), 0)
    }

    #[inline(always)]
    fn table(&'static self) -> Table<'static> {
        // SAFETY: `self` is a `Function` that lives for ever, and only its atomics change.
        unsafe { Table::at(std::ptr::from_ref(self).cast()) }
    }

    /// Begins a line.
    #[inline(always)]
    pub fn line(&'static self, index: usize) {
        self.pass(index, 1);
    }

    /// Begins a line without a hit, which another probe counts.
    #[inline(always)]
    pub fn here(&'static self, index: usize) {
        self.pass(index, 0);
    }

    /// [`Self::line`] as a condition, which is always true.
    #[inline(always)]
    pub fn header(&'static self, index: usize) -> bool {
        self.line(index);
        true
    }

    /// Returns `value`. The argument before `value` is a probe, which runs before the value is
    /// computed.
    #[inline(always)]
    pub fn value<T>(&'static self, (): (), value: T) -> T {
        value
    }

    /// An iterator that begins a line each time it is asked for an item.
    #[inline(always)]
    pub fn each<I: IntoIterator>(&'static self, index: usize, iterated: I) -> Each<I::IntoIter, N> {
        Each {
            iterator: iterated.into_iter(),
            function: self,
            index,
        }
    }

    /// A value that begins the line of a block's end when the value is dropped.
    #[inline(always)]
    pub fn end(&'static self, index: usize) -> End<N> {
        End {
            function: self,
            index,
        }
    }

    #[inline(always)]
    fn pass(&'static self, index: usize, hits: u32) {
        let counters = &self.lines[index];
        let epoch = memit_common.epoch.load(Relaxed);
        if counters.seen.load(Relaxed) != epoch {
            rarely();
            if self.head.seen.load(Relaxed) != epoch {
                line(self.table(), index as u32, hits);
                return;
            }
            // Another line has settled everything.
            let level = self.head.level.load(Relaxed);
            self.head.start.store(level, Relaxed);
            self.head.peak.store(level, Relaxed);
            counters.memory.store(level, Relaxed);
            counters.seen.store(epoch, Relaxed);
        }
        if hits > 0 {
            let hits = counters.hits.load(Relaxed) + 1;
            counters.hits.store(hits, Relaxed);
        }
        self.head.line.store(index as u32 + 1, Relaxed);
    }
}

/// A running body, which ends when the value is dropped.
pub struct RunningBody {
    function: Table<'static>,
    outer: Outer,
    /// Whether an `async` body waits while others run.
    waits: AtomicBool,
}

impl RunningBody {
    #[inline(always)]
    fn new(function: Table<'static>, calls: u32) -> Self {
        let body = Self {
            function,
            outer: Outer::new(),
            waits: AtomicBool::new(false),
        };
        body.open(calls);
        body
    }

    #[inline(always)]
    fn open(&self, calls: u32) {
        let function = self.function.head();
        if function.seen.load(Relaxed) == memit_common.epoch.load(Relaxed) {
            let calls = function.calls.load(Relaxed) + u64::from(calls);
            function.calls.store(calls, Relaxed);
            begin(function, &self.outer);
        } else {
            open(self.function, calls, &self.outer);
        }
    }

    #[inline(always)]
    fn close(&self) {
        let function = self.function.head();
        if function.seen.load(Relaxed) == memit_common.epoch.load(Relaxed) {
            end(function, &self.outer);
        } else {
            close(self.function, &self.outer);
        }
    }

    /// A future that is polled on the line with this index.
    #[inline(always)]
    pub fn awaited<F: IntoFuture>(&self, index: u32, awaited: F) -> Awaited<'_, F::IntoFuture> {
        Awaited {
            future: awaited.into_future(),
            body: self,
            index,
        }
    }
}

impl Drop for RunningBody {
    #[inline(always)]
    fn drop(&mut self) {
        // A future that waits does not run, so dropping it ends nothing.
        if !*self.waits.get_mut() {
            self.close();
        }
    }
}

/// Begins a body. Everything must be settled.
#[inline(always)]
pub fn begin(function: &Head, outer: &Outer) {
    outer.line.store(function.line.load(Relaxed), Relaxed);
    outer.start.store(function.start.load(Relaxed), Relaxed);
    outer.peak.store(function.peak.load(Relaxed), Relaxed);
    outer.depth.store(function.depth.load(Relaxed), Relaxed);
    let level = function.level.load(Relaxed);
    function.start.store(level, Relaxed);
    function.peak.store(level, Relaxed);
    let depth = memit_common.depth.load(Relaxed) + 1;
    memit_common.depth.store(depth, Relaxed);
    function.depth.store(depth, Relaxed);
}

/// Ends a body. Everything must be settled.
#[inline(always)]
pub fn end(function: &Head, outer: &Outer) {
    let line = outer.line.load(Relaxed);
    let start = outer.start.load(Relaxed);
    let level = function.level.load(Relaxed);
    let peak = function.peak.load(Relaxed).max(outer.peak.load(Relaxed));
    function.line.store(line, Relaxed);
    function.start.store(start, Relaxed);
    function.peak.store(peak, Relaxed);
    function.depth.store(outer.depth.load(Relaxed), Relaxed);
    let depth = memit_common.depth.load(Relaxed);
    memit_common.depth.store(depth.wrapping_sub(1), Relaxed);
    if line != 0 && (start != level || peak != level) {
        // The line that goes on must be settled, so the next probe must see another epoch.
        memit_common.epoch.fetch_add(1, Relaxed);
    }
}

/// See [`Function::end`].
pub struct End<const N: usize> {
    function: &'static Function<N>,
    index: usize,
}

impl<const N: usize> Drop for End<N> {
    #[inline(always)]
    fn drop(&mut self) {
        self.function.line(self.index);
    }
}

/// See [`Function::each`].
pub struct Each<I, const N: usize> {
    iterator: I,
    function: &'static Function<N>,
    index: usize,
}

impl<I: Iterator, const N: usize> Iterator for Each<I, N> {
    type Item = I::Item;

    #[inline(always)]
    fn next(&mut self) -> Option<I::Item> {
        self.function.line(self.index);
        self.iterator.next()
    }
}

/// See [`RunningBody::awaited`].
pub struct Awaited<'a, F> {
    future: F,
    body: &'a RunningBody,
    index: u32,
}

impl<F: Future> Future for Awaited<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let body = self.body;
        if body.waits.swap(false, Relaxed) {
            body.open(0);
            line(body.function, self.index, 0);
        }
        // SAFETY: `future` is pinned whenever `self` is: no code moves it out of an `Awaited`,
        // which has no destructor.
        let future = unsafe { self.map_unchecked_mut(|this| &mut this.future) };
        let polled = future.poll(context);
        if polled.is_pending() {
            body.close();
            body.waits.store(true, Relaxed);
        }
        polled
    }
}
