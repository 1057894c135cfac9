//! What the probes of a profiled function call.
//!
//! A probe counts, compares one word, and stores which line is next. Only if the word, the epoch,
//! has changed since the line ran last does it call the runtime, which settles what the line before
//! has done: each allocation changes the epoch, and whatever wants to see every probe (several
//! threads, exact time) sets it to a value that no line has ever seen.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};

pub use super::counters::{Backend, Function, Line};
use super::counters::{Head, Outer, Table};
#[cfg_attr(target_arch = "x86_64", allow(unused_imports))]
use crate::abi::entry_points::memit_line;
use crate::abi::entry_points::{memit_close, memit_common, memit_open};

/// Tells the compiler that this happens rarely.
#[cold]
#[inline(always)]
fn rarely() {}

/// [`memit_line`] by a call that changes no register: those that the compiler has to save for a
/// call it would keep in memory all the time, in the innermost loops.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[inline(always)]
fn line(function: Table<'static>, index: u32, hits: u32) {
    use crate::abi::entry_points::memit_line_saving;

    rarely();
    // SAFETY: it is called as `memit_line` has to be called, and saves what it changes. Without
    // `nostack`, the stack is aligned, and nothing is below it.
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
    /// The function has been called.
    #[inline(always)]
    pub fn enter(&'static self) -> RunningBody {
        RunningBody::new(self.table(), 1)
    }

    /// A part of it begins that may run when the rest does not: a closure, an `async` block.
    #[inline(always)]
    pub fn within(&'static self) -> RunningBody {
        RunningBody::new(self.table(), 0)
    }

    #[inline(always)]
    fn table(&'static self) -> Table<'static> {
        // SAFETY: here is a function, for ever.
        unsafe { Table::at(std::ptr::from_ref(self).cast()) }
    }

    /// A line begins.
    #[inline(always)]
    pub fn line(&'static self, index: usize) {
        self.pass(index, 1);
    }

    /// A line begins that counts elsewhere.
    #[inline(always)]
    pub fn here(&'static self, index: usize) {
        self.pass(index, 0);
    }

    /// [`Self::line`] in a condition.
    #[inline(always)]
    pub fn header(&'static self, index: usize) -> bool {
        self.line(index);
        true
    }

    /// The value, which is worked out behind a probe.
    #[inline(always)]
    pub fn value<T>(&'static self, (): (), value: T) -> T {
        value
    }

    /// An iterator that counts each time it is asked.
    #[inline(always)]
    pub fn each<I: IntoIterator>(&'static self, index: usize, iterated: I) -> Each<I::IntoIter, N> {
        Each {
            iterator: iterated.into_iter(),
            function: self,
            index,
        }
    }

    /// Comes to the end of a block when it is dropped.
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

/// A body that is running.
pub struct RunningBody {
    function: Table<'static>,
    outer: Outer,
    /// An `async` body waits, and others run meanwhile.
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
        // A future that is dropped while it waits does not run.
        if !*self.waits.get_mut() {
            self.close();
        }
    }
}

/// Begins a body at a moment at which everything is settled.
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

/// Ends a body at a moment at which everything is settled.
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
        // The line that goes on has something to settle, which the next probe must see.
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
        // SAFETY: `future` is pinned as `self` is: nothing else gives access to it.
        let future = unsafe { self.map_unchecked_mut(|this| &mut this.future) };
        let polled = future.poll(context);
        if polled.is_pending() {
            body.close();
            body.waits.store(true, Relaxed);
        }
        polled
    }
}
