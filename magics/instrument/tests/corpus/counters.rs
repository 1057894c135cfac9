//! Counters for the probes of the corpus: hits of lines, in the order of execution.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

pub static HITS: Mutex<Vec<usize>> = Mutex::new(Vec::new());
pub static DEPTH: AtomicUsize = AtomicUsize::new(0);

pub struct Line(usize);

impl Line {
    pub const fn new(line: usize) -> Self {
        Self(line)
    }

    /// Not counted, because an end gets a probe only if the instrumenter cannot rule out drops.
    pub const fn end(_: usize) -> Self {
        Self(0)
    }
}

pub struct Function<const N: usize> {
    lines: [Line; N],
}

pub struct Guard<const N: usize>(&'static Function<N>);

pub struct End<'a, const N: usize>(&'a Guard<N>, usize);

impl<const N: usize> Drop for End<'_, N> {
    fn drop(&mut self) {
        self.0.line(self.1);
    }
}

impl<const N: usize> Drop for Guard<N> {
    fn drop(&mut self) {
        DEPTH.fetch_sub(1, Relaxed);
    }
}

impl<const N: usize> Function<N> {
    pub const fn new(_: &str, _: &str, _: usize, _: usize, lines: [Line; N]) -> Self {
        Self { lines }
    }

    pub const fn switched(self) -> Self {
        self
    }

    pub fn enter(&'static self) -> Guard<N> {
        DEPTH.fetch_add(1, Relaxed);
        Guard(self)
    }

    pub fn within(&'static self) -> Guard<N> {
        self.enter()
    }
}

impl<const N: usize> Guard<N> {
    pub fn awaited<F>(&self, _: usize, awaited: F) -> F {
        awaited
    }

    pub fn end(&self, index: usize) -> End<'_, N> {
        End(self, index)
    }

    pub fn value<T>(&self, (): (), value: T) -> T {
        value
    }

    pub fn owning<T>(&self, body: impl FnOnce() -> T) -> T {
        body()
    }

    pub fn owning_async<T, F: std::future::Future<Output = T>>(&self, body: F) -> F {
        body
    }

    pub fn line(&self, index: usize) {
        HITS.lock().unwrap().push(self.0.lines[index].0);
    }

    pub fn here(&self, _: usize) {}

    pub fn header(&self, index: usize) -> bool {
        self.line(index);
        true
    }

    pub fn each<I: IntoIterator>(&self, index: usize, iterated: I) -> Each<'_, I::IntoIter, N> {
        let iterator = iterated.into_iter();
        Each {
            iterator,
            guard: self,
            index,
        }
    }
}

pub struct Each<'a, I, const N: usize> {
    iterator: I,
    guard: &'a Guard<N>,
    index: usize,
}

impl<I: Iterator, const N: usize> Iterator for Each<'_, I, N> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.guard.line(self.index);
        self.iterator.next()
    }
}
