//! The probes of a profiled function.
//!
//! A body counts in the counters of its thread, so that threads never wait for each other. A probe
//! counts, compares one word, the epoch of the thread, and stores which line runs next. Only if the
//! epoch has changed since the line ran last does the probe call the session process, which charges
//! the line before. Each allocation of the thread changes its epoch. A measurement that must see
//! every probe (exact time, memory by the system's figures) sets the epoch to a value that no line
//! has ever seen.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};

pub use super::counters::{Backend, Function, Line};
use super::counters::{Head, Outer, Table};
#[cfg_attr(target_arch = "x86_64", allow(unused_imports))]
use crate::abi::entry_points::memit_line;
use crate::abi::entry_points::{memit_close, memit_open};

/// Tells the compiler that the calling branch is rare.
#[cold]
#[inline(always)]
fn rarely() {}

/// Calls [`memit_line`] without changing a register. An ordinary call may change registers, so the
/// compiler would keep their values in memory all the time, even in the innermost loops.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[inline(always)]
fn line(own: Table<'static>, index: u32, hits: u32) {
    use crate::abi::entry_points::memit_line_saving;

    rarely();
    // SAFETY: the arguments are those of `memit_line`, in its registers, and `memit_line_saving`
    // preserves every register. Without `nostack`, the compiler keeps nothing below the stack
    // pointer.
    unsafe {
        core::arch::asm!(
            "call qword ptr [rip + {call}@GOTPCREL]",
            call = sym memit_line_saving,
            in("rdi") own.address(),
            in("esi") index,
            in("edx") hits,
        );
    }
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
#[inline(always)]
fn line(own: Table<'static>, index: u32, hits: u32) {
    rarely();
    memit_line(own, index, hits);
}

#[cold]
#[inline(never)]
fn open(function: Table<'static>, calls: u32, outer: &Outer) {
    memit_open(function, calls, outer);
}

#[cold]
#[inline(never)]
fn close(outer: &Outer) {
    memit_close(outer);
}

impl<const N: usize> Function<N> {
    /// Begins a call of the function.
    #[inline(always)]
    pub fn enter(&'static self) -> RunningBody<N> {
        RunningBody::new(self, 1)
    }

    /// Begins a part of the function that may run while the rest does not: a closure, an `async`
    /// block.
    #[inline(always)]
    pub fn within(&'static self) -> RunningBody<N> {
        RunningBody::new(self, 0)
    }

    #[inline(always)]
    fn table(&'static self) -> Table<'static> {
        // SAFETY: `self` is a `Function` that lives for ever, and only its atomics change.
        unsafe { Table::at(std::ptr::from_ref(self).cast()) }
    }
}

/// A running body, which ends when the value is dropped. Its methods are the probes.
pub struct RunningBody<const N: usize> {
    function: &'static Function<N>,
    outer: Outer,
    /// Whether an `async` body waits while others run.
    waits: AtomicBool,
}

impl<const N: usize> RunningBody<N> {
    #[inline(always)]
    fn new(function: &'static Function<N>, calls: u32) -> Self {
        let body = Self {
            function,
            outer: Outer::new(),
            waits: AtomicBool::new(false),
        };
        body.open(calls);
        body
    }

    /// The counters of the thread that runs the body.
    #[inline(always)]
    fn own(&self) -> &'static Function<N> {
        // SAFETY: `open` has stored the address of the thread's counters for this function, which
        // have as many lines as the function and live as long as the process.
        unsafe { &*self.outer.own.load(Relaxed).cast() }
    }

    #[inline(always)]
    fn open(&self, calls: u32) {
        let only = self.function.head.only.load(Relaxed);
        // SAFETY: the session process stores the counters of the only thread here, or null.
        if let Some(head) = unsafe { only.as_ref() }
            && is_settled(head)
        {
            self.outer.own.store(only, Relaxed);
            let calls = head.calls.load(Relaxed) + u64::from(calls);
            head.calls.store(calls, Relaxed);
            begin(head, &self.outer);
        } else {
            open(self.function.table(), calls, &self.outer);
        }
    }

    #[inline(always)]
    fn close(&self) {
        let head = &self.own().head;
        if is_settled(head) {
            end(head, &self.outer);
        } else {
            close(&self.outer);
        }
    }

    /// Begins a line.
    #[inline(always)]
    pub fn line(&self, index: usize) {
        self.pass(index, 1);
    }

    /// Begins a line without a hit, which another probe counts.
    #[inline(always)]
    pub fn here(&self, index: usize) {
        self.pass(index, 0);
    }

    /// [`Self::line`] as a condition, which is always true.
    #[inline(always)]
    pub fn header(&self, index: usize) -> bool {
        self.line(index);
        true
    }

    /// Returns `value`. The argument before `value` is a probe, which runs before the value is
    /// computed.
    #[inline(always)]
    pub fn value<T>(&self, (): (), value: T) -> T {
        value
    }

    /// Runs a body that owns what it uses. Values that nobody has moved are dropped within.
    #[inline(always)]
    pub fn owning<T>(&self, body: impl FnOnce() -> T) -> T {
        body()
    }

    /// The same for a body that may wait: `body` owns what it uses.
    #[inline(always)]
    pub fn owning_async<T, F: Future<Output = T>>(&self, body: F) -> F {
        body
    }

    /// An iterator that begins a line each time it is asked for an item.
    #[inline(always)]
    pub fn each<I: IntoIterator>(&self, index: usize, iterated: I) -> Each<'_, I::IntoIter, N> {
        Each {
            iterator: iterated.into_iter(),
            body: self,
            index,
        }
    }

    /// A value that begins the line of a block's end when the value is dropped.
    #[inline(always)]
    pub fn end(&self, index: usize) -> End<'_, N> {
        End { body: self, index }
    }

    /// A future that is polled on the line with this index.
    #[inline(always)]
    pub fn awaited<F: IntoFuture>(&self, index: u32, awaited: F) -> Awaited<'_, F::IntoFuture, N> {
        Awaited {
            future: awaited.into_future(),
            body: self,
            index,
        }
    }

    #[inline(always)]
    fn pass(&self, index: usize, hits: u32) {
        let own = self.own();
        let counters = &own.lines[index];
        let epoch = own.head.thread().epoch.load(Relaxed);
        if counters.seen.load(Relaxed) != epoch {
            rarely();
            if own.head.seen.load(Relaxed) != epoch {
                line(own.table(), index as u32, hits);
                return;
            }
            // Another line has settled everything.
            let level = own.head.level.load(Relaxed);
            own.head.start.store(level, Relaxed);
            own.head.peak.store(level, Relaxed);
            counters.memory.store(level, Relaxed);
            counters.seen.store(epoch, Relaxed);
        }
        if hits > 0 {
            let hits = counters.hits.load(Relaxed) + 1;
            counters.hits.store(hits, Relaxed);
        }
        own.head.line.store(index as u32 + 1, Relaxed);
    }
}

impl<const N: usize> Drop for RunningBody<N> {
    #[inline(always)]
    fn drop(&mut self) {
        // A future that waits does not run, so dropping it ends nothing.
        if !*self.waits.get_mut() {
            self.close();
        }
    }
}

/// Whether nothing has happened since the last settlement.
#[inline(always)]
fn is_settled(own: &Head) -> bool {
    own.seen.load(Relaxed) == own.thread().epoch.load(Relaxed)
}

/// Begins a body that counts in `own`. Everything must be settled.
#[inline(always)]
pub fn begin(own: &Head, outer: &Outer) {
    outer.line.store(own.line.load(Relaxed), Relaxed);
    outer.start.store(own.start.load(Relaxed), Relaxed);
    outer.peak.store(own.peak.load(Relaxed), Relaxed);
    outer.depth.store(own.depth.load(Relaxed), Relaxed);
    let level = own.level.load(Relaxed);
    own.start.store(level, Relaxed);
    own.peak.store(level, Relaxed);
    let thread = own.thread();
    let depth = thread.depth.load(Relaxed) + 1;
    thread.depth.store(depth, Relaxed);
    own.depth.store(depth, Relaxed);
}

/// Ends a body that counts in `own`. Everything must be settled.
#[inline(always)]
pub fn end(own: &Head, outer: &Outer) {
    let line = outer.line.load(Relaxed);
    let start = outer.start.load(Relaxed);
    let level = own.level.load(Relaxed);
    let peak = own.peak.load(Relaxed).max(outer.peak.load(Relaxed));
    own.line.store(line, Relaxed);
    own.start.store(start, Relaxed);
    own.peak.store(peak, Relaxed);
    own.depth.store(outer.depth.load(Relaxed), Relaxed);
    let thread = own.thread();
    let depth = thread.depth.load(Relaxed);
    thread.depth.store(depth.wrapping_sub(1), Relaxed);
    if line != 0 && (start != level || peak != level) {
        // The line that goes on must be settled, so the next probe must see another epoch.
        let epoch = thread.epoch.load(Relaxed).wrapping_add(1);
        thread.epoch.store(epoch, Relaxed);
    }
}

/// See [`RunningBody::end`].
pub struct End<'a, const N: usize> {
    body: &'a RunningBody<N>,
    index: usize,
}

impl<const N: usize> Drop for End<'_, N> {
    #[inline(always)]
    fn drop(&mut self) {
        self.body.line(self.index);
    }
}

/// See [`RunningBody::each`].
pub struct Each<'a, I, const N: usize> {
    iterator: I,
    body: &'a RunningBody<N>,
    index: usize,
}

impl<I: Iterator, const N: usize> Iterator for Each<'_, I, N> {
    type Item = I::Item;

    #[inline(always)]
    fn next(&mut self) -> Option<I::Item> {
        self.body.line(self.index);
        self.iterator.next()
    }
}

/// See [`RunningBody::awaited`].
pub struct Awaited<'a, F, const N: usize> {
    future: F,
    body: &'a RunningBody<N>,
    index: u32,
}

impl<F: Future, const N: usize> Future for Awaited<'_, F, N> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let body = self.body;
        if body.waits.swap(false, Relaxed) {
            body.open(0);
            line(body.own().table(), self.index, 0);
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
