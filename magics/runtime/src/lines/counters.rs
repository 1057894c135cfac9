//! What the probes of a profiled function call, and what they count in.
//!
//! This file is compiled twice: as a module of the runtime, which reads the counters, and as a
//! module of the crate that cells are compiled against, so that probes are inlined. All that is
//! shared is `repr(C)`.
//!
//! A probe counts, compares one word, and stores which line is next. Only if the word, the epoch,
//! has changed since the line ran last does it call the runtime, which settles what the line before
//! has done: each allocation changes the epoch, and whatever wants to see every probe (several
//! threads, exact time) sets it to a value that no line has ever seen.

use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64};
use std::task::{Context, Poll};

/// What all profiled functions of a process have in common. On pages of its own, which a measured
/// run shares with its parent.
#[repr(C, align(4096))]
pub struct Common {
    /// Changes with the heap; see above.
    pub epoch: AtomicU64,
    /// Bodies of profiled functions that are running.
    pub depth: AtomicU64,
    /// Live heap in bytes, above that at the start.
    pub live: AtomicI64,
    /// Highest `live` since the last settlement.
    pub peak: AtomicI64,
    /// Calls that obtained memory.
    pub allocations: AtomicU64,
    /// Resident memory of child processes in bytes, as the parent reads it.
    pub children: AtomicU64,
    /// The highest of these since a line was charged with it.
    pub children_peak: AtomicU64,
    /// `live` when it passed the limit; 0 if it did not.
    pub passed_limit: AtomicU64,
}

impl Common {
    /// Before anything has run: an epoch that no line has seen.
    pub const fn new() -> Self {
        Self {
            epoch: AtomicU64::new(1),
            depth: AtomicU64::new(0),
            live: AtomicI64::new(0),
            peak: AtomicI64::new(0),
            allocations: AtomicU64::new(0),
            children: AtomicU64::new(0),
            children_peak: AtomicU64::new(0),
            passed_limit: AtomicU64::new(0),
        }
    }
}

unsafe extern "C" {
    /// The one of this process.
    pub safe static memit_common: Common;
    /// A probe of the line with this index, which is counted `hits` times.
    #[cfg_attr(target_arch = "x86_64", allow(dead_code))]
    safe fn memit_line(function: Table<'static>, index: u32, hits: u32);
    /// A body begins; `calls` are counted. Settles the line around it.
    safe fn memit_open(function: Table<'static>, calls: u32, outer: &Outer);
    /// A body ends. Settles its last line.
    safe fn memit_close(function: Table<'static>, outer: &Outer);
}

/// Figures of one line.
#[repr(C)]
pub struct Line {
    /// In its file, from 1; with [`ENDS`] if nothing but the end of a block is there.
    pub number: u32,
    _reserved: u32,
    /// How often it ran.
    pub hits: AtomicU64,
    /// The epoch when it ran last.
    pub seen: AtomicU64,
    /// Memory after it ran last, in bytes.
    pub memory: AtomicI64,
    /// What it added to memory, in bytes.
    pub increment: AtomicI64,
    /// Highest memory above that at its start, in bytes.
    pub peak: AtomicU64,
    /// Calls that obtained memory.
    pub allocations: AtomicU64,
    /// Time, in ticks of the clock of the measurement.
    pub time: AtomicU64,
}

/// In the number of a line that is the end of a block.
pub const ENDS: u32 = 1 << 31;

impl Line {
    /// A line on which something runs.
    pub const fn new(number: u32) -> Self {
        Self {
            number,
            _reserved: 0,
            hits: AtomicU64::new(0),
            seen: AtomicU64::new(0),
            memory: AtomicI64::new(0),
            increment: AtomicI64::new(0),
            peak: AtomicU64::new(0),
            allocations: AtomicU64::new(0),
            time: AtomicU64::new(0),
        }
    }

    /// The end of a block, where variables are dropped.
    pub const fn end(number: u32) -> Self {
        Self::new(number | ENDS)
    }
}

/// What is known of a function, in front of its lines.
#[repr(C)]
pub struct Head {
    /// Its name.
    pub name: &'static str,
    /// The file that the compiler knows it by.
    pub file: &'static str,
    /// Its first and last line.
    pub first: u32,
    /// See `first`.
    pub last: u32,
    /// How many lines follow.
    pub count: u32,
    /// Which memory is measured: a number of [`backend`].
    pub backend: u32,
    /// Index of the line that runs, plus 1; 0 when none does.
    pub line: AtomicU32,
    /// How often it was called.
    pub calls: AtomicU64,
    /// The epoch of the last settlement.
    pub seen: AtomicU64,
    /// Memory at the last settlement.
    pub level: AtomicI64,
    /// Memory when the line that runs began.
    pub start: AtomicI64,
    /// Highest memory since then, as far as it is settled.
    pub peak: AtomicI64,
    /// Allocations at the last settlement.
    pub allocations: AtomicU64,
    /// Ticks of the clock at the last settlement.
    pub time: AtomicU64,
    /// Ticks that had been taken off for probes at the last settlement.
    pub overhead: AtomicU64,
    /// How many bodies were running when it began.
    pub depth: AtomicU64,
    /// Whether the runtime knows of it.
    pub known: AtomicU32,
    _reserved: u32,
}

/// The number of a backend by its name; 0 is what the measurement asks for.
pub const fn backend(name: &str) -> u32 {
    match name.as_bytes() {
        b"heap" => 1,
        b"rss" => 2,
        b"pss" => 3,
        b"uss" => 4,
        _ => panic!("`#[profile(backend = …)]` takes \"heap\", \"rss\", \"pss\" or \"uss\""),
    }
}

/// The counters of a function: a static of its own pages.
#[repr(C, align(4096))]
pub struct Function<const N: usize> {
    head: Head,
    lines: [Line; N],
}

/// The counters of some function.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Table<'a> {
    /// A [`Head`] with the lines behind it, as in [`Function`].
    function: *const u8,
    counters: PhantomData<&'a Head>,
}

// SAFETY: a shared reference to atomics and to what never changes.
unsafe impl Send for Table<'_> {}
// SAFETY: as above.
unsafe impl Sync for Table<'_> {}

impl<'a> Table<'a> {
    /// # Safety
    ///
    /// There must be a `Function` at the address, for as long as `'a`, that only atomics change.
    pub const unsafe fn at(address: *const Head) -> Self {
        Self {
            function: address.cast(),
            counters: PhantomData,
        }
    }

    /// Where it is.
    pub const fn address(self) -> *const Head {
        self.function.cast()
    }

    /// What is known of the function.
    #[inline(always)]
    pub fn head(self) -> &'a Head {
        // SAFETY: there is a function, which begins with it.
        unsafe { &*self.address() }
    }

    /// Its lines, in the order of their indices.
    #[inline(always)]
    pub fn lines(self) -> &'a [Line] {
        // SAFETY: there is a function, in which they follow the head without a gap: its size is a
        // multiple of their alignment.
        unsafe {
            let lines = self.address().add(1).cast();
            std::slice::from_raw_parts(lines, self.head().count as usize)
        }
    }

    /// Sets what has been counted to zero, for a function that is not running.
    pub fn clear(self) {
        let head = self.head();
        head.known.store(0, Relaxed);
        head.calls.store(0, Relaxed);
        head.seen.store(0, Relaxed);
        for line in self.lines() {
            line.hits.store(0, Relaxed);
            line.seen.store(0, Relaxed);
            line.increment.store(0, Relaxed);
            line.peak.store(0, Relaxed);
            line.allocations.store(0, Relaxed);
            line.time.store(0, Relaxed);
        }
    }

    /// Bytes of it, to the end of its last page of 4096.
    pub fn size(self) -> usize {
        (size_of::<Head>() + size_of_val(self.lines())).next_multiple_of(4096)
    }
}

/// What a body interrupts, to go on with when it ends: fields of [`Head`].
#[repr(C)]
pub struct Outer {
    /// See [`Head`].
    pub line: AtomicU32,
    start: AtomicI64,
    peak: AtomicI64,
    depth: AtomicU64,
}

impl Outer {
    /// Nothing.
    pub const fn new() -> Self {
        Self {
            line: AtomicU32::new(0),
            start: AtomicI64::new(0),
            peak: AtomicI64::new(0),
            depth: AtomicU64::new(0),
        }
    }
}

/// Tells the compiler that this happens rarely.
#[cold]
#[inline(always)]
fn rarely() {}

/// [`memit_line`] by a call that changes no register: those that the compiler has to save for a
/// call it would keep in memory all the time, in the innermost loops.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[inline(always)]
fn line(function: Table<'static>, index: u32, hits: u32) {
    unsafe extern "C" {
        fn memit_line_saving();
    }
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
    /// Counters at zero.
    pub const fn new(
        name: &'static str,
        file: &'static str,
        first: u32,
        last: u32,
        backend: u32,
        lines: [Line; N],
    ) -> Self {
        let head = Head {
            name,
            file,
            first,
            last,
            count: N as u32,
            backend,
            line: AtomicU32::new(0),
            calls: AtomicU64::new(0),
            seen: AtomicU64::new(0),
            level: AtomicI64::new(0),
            start: AtomicI64::new(0),
            peak: AtomicI64::new(0),
            allocations: AtomicU64::new(0),
            time: AtomicU64::new(0),
            overhead: AtomicU64::new(0),
            depth: AtomicU64::new(0),
            known: AtomicU32::new(0),
            _reserved: 0,
        };
        Self { head, lines }
    }

    /// Keeps the function from being shown.
    pub fn hide(&'static self) {
        self.head.known.store(1, Relaxed);
    }

    /// The function has been called.
    #[inline(always)]
    pub fn enter(&'static self) -> Guard {
        Guard::new(self.table(), 1)
    }

    /// A part of it begins that may run when the rest does not: a closure, an `async` block.
    #[inline(always)]
    pub fn within(&'static self) -> Guard {
        Guard::new(self.table(), 0)
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
pub struct Guard {
    function: Table<'static>,
    outer: Outer,
    /// An `async` body waits, and others run meanwhile.
    waits: AtomicBool,
}

impl Guard {
    #[inline(always)]
    fn new(function: Table<'static>, calls: u32) -> Self {
        let guard = Self {
            function,
            outer: Outer::new(),
            waits: AtomicBool::new(false),
        };
        guard.open(calls);
        guard
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
            guard: self,
            index,
        }
    }
}

impl Drop for Guard {
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

/// See [`Guard::awaited`].
pub struct Awaited<'a, F> {
    future: F,
    guard: &'a Guard,
    index: u32,
}

impl<F: Future> Future for Awaited<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let guard = self.guard;
        if guard.waits.swap(false, Relaxed) {
            guard.open(0);
            line(guard.function, self.index, 0);
        }
        // SAFETY: `future` is pinned as `self` is: nothing else gives access to it.
        let future = unsafe { self.map_unchecked_mut(|this| &mut this.future) };
        let polled = future.poll(context);
        if polled.is_pending() {
            guard.close();
            guard.waits.store(true, Relaxed);
        }
        polled
    }
}
