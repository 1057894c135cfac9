//! Values that stand for work which has not been done: futures and iterators.
//!
//! Like the module `question_mark`, this module needs unstable features of the compiler. Without it,
//! no value is noticed.

use std::any::type_name;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::abi::Lazy;
use crate::abi::entry_points::memit_lazy;

/// Tells the session process if a value of the type `T` stands for work that has not been done.
/// Other types cost nothing.
#[inline(always)]
pub fn look_at_value<T>(_: &T) {
    static IS_TOLD: AtomicBool = AtomicBool::new(false);
    if let Some(lazy) = const { kind::<T>() }
        && !IS_TOLD.load(Relaxed)
    {
        IS_TOLD.store(true, Relaxed);
        memit_lazy(lazy);
    }
}

/// The work that a value of the type `T` stands for; `None` if there is none.
const fn kind<T>() -> Option<Lazy> {
    let name = type_name::<T>().as_bytes();
    if <T as IsFuture>::IS && !begins(name, b"core::future::ready::Ready") {
        Some(Lazy::Future)
    } else if (<T as IsIterator>::IS || begins(name, b"rayon::iter::")) && computes(name) {
        Some(Lazy::Iterator)
    } else {
        None
    }
}

trait IsFuture {
    const IS: bool;
}

impl<T> IsFuture for T {
    default const IS: bool = false;
}

impl<T: Future> IsFuture for T {
    const IS: bool = true;
}

trait IsIterator {
    const IS: bool;
}

impl<T> IsIterator for T {
    default const IS: bool = false;
}

impl<T: Iterator> IsIterator for T {
    const IS: bool = true;
}

/// Iterators of the standard library over items that exist already, or are the next number.
const OVER_ITEMS: &[&[u8]] = &[
    b"Args",
    b"ArgsOs",
    b"Chunks",
    b"ChunksExact",
    b"ChunksMut",
    b"Drain",
    b"Empty",
    b"IntoIter",
    b"IntoKeys",
    b"IntoValues",
    b"Iter",
    b"IterMut",
    b"Keys",
    b"Once",
    b"Range",
    b"RangeFrom",
    b"RangeInclusive",
    b"RangeMut",
    b"Repeat",
    b"RepeatN",
    b"Splice",
    b"ToLowercase",
    b"ToUppercase",
    b"Values",
    b"ValuesMut",
    b"Vars",
    b"Windows",
];

/// Adapters that pass items on and compute nothing.
const PASSING_ON: &[&[u8]] = &[
    b"Chain",
    b"Copied",
    b"Cycle",
    b"Enumerate",
    b"Fuse",
    b"Peekable",
    b"Rev",
    b"Skip",
    b"StepBy",
    b"Take",
    b"Zip",
];

/// Whether the iterator with this type name computes its items. Unknown iterators do.
const fn computes(name: &[u8]) -> bool {
    let name = if begins(name, b"&mut ") {
        name.split_at(5).1
    } else {
        name
    };
    let is_known = begins(name, b"core::")
        || begins(name, b"alloc::")
        || begins(name, b"std::")
        || begins(name, b"rayon::");
    let (mut end, mut last) = (0, 0);
    while end < name.len() && name[end] != b'<' {
        if name[end] == b':' {
            last = end + 1;
        }
        end += 1;
    }
    let identifier = name.split_at(end).0.split_at(last).1;
    if !is_known || is_among(identifier, PASSING_ON) {
        // An adapter computes if one of the iterators behind it does.
        return !is_known || any_argument_computes(name.split_at(end).1);
    }
    !is_among(identifier, OVER_ITEMS)
}

/// Whether one of the types in `<A, B>` is an iterator that computes its items.
const fn any_argument_computes(arguments: &[u8]) -> bool {
    let (mut depth, mut start, mut at) = (0, 1, 0);
    while at < arguments.len() {
        match arguments[at] {
            b'<' | b'(' | b'[' => depth += 1,
            // The arrow of a function type closes nothing.
            b'>' if arguments[at - 1] == b'-' => {}
            b'>' | b')' | b']' => depth -= 1,
            _ => {}
        }
        let is_end = depth == 0 || (depth == 1 && arguments[at] == b',');
        if is_end && at > start {
            if computes(arguments.split_at(at).0.split_at(start).1) {
                return true;
            }
            start = at + 2;
        }
        at += 1;
    }
    false
}

const fn begins(name: &[u8], with: &[u8]) -> bool {
    name.len() >= with.len() && are_equal(name.split_at(with.len()).0, with)
}

const fn is_among(name: &[u8], list: &[&[u8]]) -> bool {
    let mut at = 0;
    while at < list.len() {
        if are_equal(name, list[at]) {
            return true;
        }
        at += 1;
    }
    false
}

const fn are_equal(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}
