//! What profiled functions count in.
//!
//! A cell and the process that reads its counters may be compiled by different versions of `rustc`, so
//! everything here is `repr(C)`.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering::Relaxed};

pub use crate::abi::Backend;
use crate::abi::Text;

/// What all profiled functions of a process have in common. On pages of its own, which a measured
/// run shares with its parent.
#[repr(C, align(4096))]
pub struct Common {
    /// Changes with the heap: see the probes.
    pub epoch: AtomicU64,
    /// Bodies of profiled functions that are running.
    pub depth: AtomicU64,
    /// Live heap in bytes, above that at the start.
    pub live: AtomicI64,
    /// Highest `live` since the last settlement.
    pub peak: AtomicI64,
    /// Highest `live` since the start.
    pub highest: AtomicI64,
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
            highest: AtomicI64::new(0),
            allocations: AtomicU64::new(0),
            children: AtomicU64::new(0),
            children_peak: AtomicU64::new(0),
            passed_limit: AtomicU64::new(0),
        }
    }
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
    /// Calls that obtained memory; in a timed measurement, probes.
    pub allocations: AtomicU64,
    /// Time, in ticks of the clock of the measurement, with what probes took of it.
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
    pub name: Text<'static>,
    /// The file that the compiler knows it by.
    pub file: Text<'static>,
    /// Its first and last line.
    pub first: u32,
    /// See `first`.
    pub last: u32,
    /// How many lines follow.
    pub count: u32,
    /// Which memory its lines are charged with, if [`Self::has_backend`].
    pub backend: Backend,
    /// The function asks for its backend. Otherwise the measurement decides.
    pub has_backend: bool,
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
    /// How many bodies were running when it began.
    pub depth: AtomicU64,
    /// Whether the runtime knows of it.
    pub known: AtomicU32,
    _reserved: [u32; 3],
}

/// The counters of a function: a static of its own pages.
#[repr(C, align(4096))]
pub struct Function<const N: usize> {
    pub(super) head: Head,
    pub(super) lines: [Line; N],
}

impl<const N: usize> Function<N> {
    /// Counters at zero.
    pub const fn new(
        name: &'static str,
        file: &'static str,
        first: u32,
        last: u32,
        lines: [Line; N],
    ) -> Self {
        let head = Head {
            name: Text::new(name),
            file: Text::new(file),
            first,
            last,
            count: N as u32,
            backend: Backend::Heap,
            has_backend: false,
            line: AtomicU32::new(0),
            calls: AtomicU64::new(0),
            seen: AtomicU64::new(0),
            level: AtomicI64::new(0),
            start: AtomicI64::new(0),
            peak: AtomicI64::new(0),
            allocations: AtomicU64::new(0),
            time: AtomicU64::new(0),
            depth: AtomicU64::new(0),
            known: AtomicU32::new(0),
            _reserved: [0; 3],
        };
        Self { head, lines }
    }

    /// Charges the lines with this memory, whatever the measurement asks for.
    #[must_use]
    pub const fn charged_with(mut self, backend: Backend) -> Self {
        self.head.backend = backend;
        self.head.has_backend = true;
        self
    }
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
    /// See [`Head`].
    pub start: AtomicI64,
    /// See [`Head`].
    pub peak: AtomicI64,
    /// See [`Head`].
    pub depth: AtomicU64,
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
