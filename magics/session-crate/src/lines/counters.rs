//! The counters of profiled functions.
//!
//! A cell and the process that reads its counters may be compiled by different versions of `rustc`,
//! so every type here is `repr(C)`.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicI64, AtomicPtr, AtomicU32, AtomicU64, Ordering::Relaxed};

pub use crate::abi::Backend;
use crate::abi::Text;

/// The counts of a process. They have pages of their own, which a measured run shares with its
/// parent.
#[repr(C, align(4096))]
pub struct Common {
    /// Live heap above the start, in bytes.
    pub live: AtomicI64,
    /// Highest `live` since the last reading of a phase.
    pub peak: AtomicI64,
    /// Highest `live` since the start.
    pub highest: AtomicI64,
    /// Calls that obtained memory.
    pub allocations: AtomicU64,
    /// Resident memory of child processes in bytes, as the parent reads it.
    pub children: AtomicU64,
    /// Highest `children` since a line was last charged.
    pub children_peak: AtomicU64,
    /// Size in bytes that `live` would have had beyond the limit; 0 if no block passed the limit.
    pub passed_limit: AtomicU64,
}

impl Common {
    /// Counts of zero.
    pub const fn new() -> Self {
        Self {
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

/// The counts of one thread. Only this thread changes them.
#[repr(C, align(64))]
pub struct Thread {
    /// Changes with every change of the heap by the thread: see the probes.
    pub epoch: AtomicU64,
    /// Number of running bodies of profiled functions.
    pub depth: AtomicU64,
    /// Bytes that the thread has obtained, less the bytes that the thread has freed.
    pub live: AtomicI64,
    /// Highest `live` since the last settlement.
    pub peak: AtomicI64,
    /// Calls that obtained memory.
    pub allocations: AtomicU64,
    /// Probes that called the runtime.
    pub probes: AtomicU64,
}

impl Thread {
    /// Counts of zero, and an epoch that no line has seen.
    pub const fn new() -> Self {
        Self {
            epoch: AtomicU64::new(1),
            depth: AtomicU64::new(0),
            live: AtomicI64::new(0),
            peak: AtomicI64::new(0),
            allocations: AtomicU64::new(0),
            probes: AtomicU64::new(0),
        }
    }
}

/// Figures of one line.
#[repr(C)]
pub struct Line {
    /// Number of the line in its file, from 1; with [`ENDS`] if nothing but the end of a block is
    /// on the line.
    pub number: u32,
    _reserved: u32,
    /// How often the line ran.
    pub hits: AtomicU64,
    /// The epoch when the line ran last.
    pub seen: AtomicU64,
    /// Memory after the line ran last, in bytes.
    pub memory: AtomicI64,
    /// Memory that the line added, in bytes.
    pub increment: AtomicI64,
    /// Highest memory above the start of the line, in bytes.
    pub peak: AtomicU64,
    /// Calls that obtained memory; in a timed measurement, probes.
    pub allocations: AtomicU64,
    /// Time in ticks of the clock, including the time of probes.
    pub time: AtomicU64,
}

/// Flag in the number of a line that is the end of a block.
pub const ENDS: u32 = 1 << 31;

impl Line {
    /// A line with code.
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

/// The name and the state of a function, in front of its lines.
#[repr(C)]
pub struct Head {
    /// Name of the function.
    pub name: Text<'static>,
    /// File of the function, as the compiler names it.
    pub file: Text<'static>,
    /// First line of the function.
    pub first: u32,
    /// Last line of the function.
    pub last: u32,
    /// Number of lines that follow.
    pub count: u32,
    /// The memory that its lines are charged with, if [`Self::has_backend`].
    pub backend: Backend,
    /// Whether the function asks for its backend. Otherwise the measurement decides.
    pub has_backend: bool,
    /// Whether the function can also run without probes.
    pub is_switched: bool,
    /// Index of the running line plus 1; 0 if no line runs.
    pub line: AtomicU32,
    /// How often the function was called.
    pub calls: AtomicU64,
    /// The epoch of the last settlement.
    pub seen: AtomicU64,
    /// Memory at the last settlement.
    pub level: AtomicI64,
    /// Memory when the running line began.
    pub start: AtomicI64,
    /// Highest settled memory since the running line began.
    pub peak: AtomicI64,
    /// Allocations at the last settlement.
    pub allocations: AtomicU64,
    /// Ticks of the clock at the last settlement.
    pub time: AtomicU64,
    /// Number of running bodies, this one included, when the innermost running call began.
    pub depth: AtomicU64,
    /// The thread that counts here: see [`Self::thread`].
    thread: AtomicPtr<Thread>,
    /// In the counters of a thread: the static of the function.
    pub of: AtomicPtr<Head>,
    /// In the static of a function: the counters of the process's only thread, if the process has no
    /// other thread.
    pub only: AtomicPtr<Head>,
    /// In the static of a function: the number of the function in the session process plus 1.
    pub known: AtomicU32,
    /// [`Self::line`] at the last panic.
    pub panicked: AtomicU32,
}

impl Head {
    /// The head of a function's counters.
    const fn new(
        name: Text<'static>,
        file: Text<'static>,
        first: u32,
        last: u32,
        count: u32,
    ) -> Self {
        Self {
            name,
            file,
            first,
            last,
            count,
            backend: Backend::Heap,
            has_backend: false,
            is_switched: false,
            line: AtomicU32::new(0),
            calls: AtomicU64::new(0),
            seen: AtomicU64::new(0),
            level: AtomicI64::new(0),
            start: AtomicI64::new(0),
            peak: AtomicI64::new(0),
            allocations: AtomicU64::new(0),
            time: AtomicU64::new(0),
            depth: AtomicU64::new(0),
            thread: AtomicPtr::new((&raw const NOBODY).cast_mut()),
            of: AtomicPtr::new(std::ptr::null_mut()),
            only: AtomicPtr::new(std::ptr::null_mut()),
            known: AtomicU32::new(0),
            panicked: AtomicU32::new(0),
        }
    }

    /// The counts of the thread that counts here.
    #[inline(always)]
    pub fn thread(&self) -> &'static Thread {
        // SAFETY: the pointer is that of `NOBODY`, or of a reference that `set_thread` has taken.
        unsafe { &*self.thread.load(Relaxed) }
    }

    /// Sets the counts of the thread that counts here.
    pub fn set_thread(&self, thread: &'static Thread) {
        let thread = std::ptr::from_ref(thread).cast_mut();
        self.thread.store(thread, Relaxed);
    }
}

/// The counts in the static of a function in which no thread counts.
static NOBODY: Thread = Thread::new();

/// The counters of a function. The static of the function says how the function is built; each
/// thread counts in a copy of its own.
#[repr(C)]
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
        let head = Head::new(Text::new(name), Text::new(file), first, last, N as u32);
        Self { head, lines }
    }

    /// Charges the lines with this memory, whatever the measurement asks for.
    #[must_use]
    pub const fn charged_with(mut self, backend: Backend) -> Self {
        self.head.backend = backend;
        self.head.has_backend = true;
        self
    }

    /// Says that the function can also run without probes: see [`switched`](crate::switched).
    #[must_use]
    pub const fn switched(mut self) -> Self {
        self.head.is_switched = true;
        self
    }
}

/// A reference to the counters of a function with any number of lines.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Table<'a> {
    /// A [`Head`] with the lines behind it, as in [`Function`].
    function: *const u8,
    counters: PhantomData<&'a Head>,
}

// SAFETY: a table is a shared reference to atomics and to data that never changes.
unsafe impl Send for Table<'_> {}
// SAFETY: as above.
unsafe impl Sync for Table<'_> {}

impl<'a> Table<'a> {
    /// # Safety
    ///
    /// A `Function` must be at the address for as long as `'a`, and only atomics may change it.
    #[inline(always)]
    pub const unsafe fn at(address: *const Head) -> Self {
        Self {
            function: address.cast(),
            counters: PhantomData,
        }
    }

    /// Address of the function's counters.
    #[inline(always)]
    pub const fn address(self) -> *const Head {
        self.function.cast()
    }

    /// The name and the state of the function.
    #[inline(always)]
    pub fn head(self) -> &'a Head {
        // SAFETY: by the contract of `at`, the address is that of a `Function`, which begins with
        // its head.
        unsafe { &*self.address() }
    }

    /// The lines of the function, in the order of their indices.
    #[inline(always)]
    pub fn lines(self) -> &'a [Line] {
        // SAFETY: by the contract of `at`, the address is that of a `Function`, which has `count`
        // lines. They follow the head without a gap, because the size of a head is a multiple of
        // their alignment.
        unsafe {
            let lines = self.address().add(1).cast();
            std::slice::from_raw_parts(lines, self.head().count as usize)
        }
    }

    /// Size in bytes.
    pub fn size(self) -> usize {
        size_of::<Head>() + size_of_val(self.lines())
    }

    /// Writes a copy with counts of zero, in which a thread counts.
    ///
    /// # Safety
    ///
    /// [`Self::size`] bytes can be written at `place`, which is aligned as a [`Head`], and nothing
    /// else uses them.
    pub unsafe fn write_copy(self, place: *mut Head, thread: &'static Thread) {
        let head = self.head();
        let mut copy = Head::new(head.name, head.file, head.first, head.last, head.count);
        copy.backend = head.backend;
        copy.has_backend = head.has_backend;
        copy.is_switched = head.is_switched;
        copy.of = AtomicPtr::new(self.address().cast_mut());
        copy.set_thread(thread);
        // SAFETY: the caller's contract: there is room for the head and, behind it, for the lines.
        unsafe {
            place.write(copy);
            let lines: *mut Line = place.add(1).cast();
            for (at, line) in self.lines().iter().enumerate() {
                lines.add(at).write(Line::new(line.number));
            }
        }
    }
}

/// The counters of a running body, and the fields of [`Head`] that a body replaces when it begins and
/// restores when it ends.
#[repr(C)]
pub struct Outer {
    /// The counters of the thread that runs the body.
    pub own: AtomicPtr<Head>,
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
    /// Fields of a body that has not begun.
    pub const fn new() -> Self {
        Self {
            own: AtomicPtr::new(std::ptr::null_mut()),
            line: AtomicU32::new(0),
            start: AtomicI64::new(0),
            peak: AtomicI64::new(0),
            depth: AtomicU64::new(0),
        }
    }
}
