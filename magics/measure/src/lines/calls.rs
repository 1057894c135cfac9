//! The entry points that probes call when there is something to settle.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use memit_session::lines::counters::{Outer, Table};
use memit_session::lines::{begin, end};

#[cfg(unix)]
use super::counting;
use super::{account, own_line};
use crate::threads;

/// Runs `settle` on one thread at a time.
fn in_turn(settle: impl FnOnce()) {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if !threads::are_many() {
        return settle();
    }
    while TAKEN.swap(true, Acquire) {
        std::hint::spin_loop();
    }
    settle();
    TAKEN.store(false, Release);
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn memit_line(function: Table<'static>, index: u32, hits: u32) {
    in_turn(|| account::begin_line(function, index, hits));
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn memit_open(function: Table<'static>, calls: u32, outer: &Outer) {
    in_turn(|| {
        #[cfg(unix)]
        counting::ensure_known(function);
        let head = function.head();
        let line = own_line::get(function);
        account::settle_line(function, line);
        account::count_calls(head, calls);
        head.line.store(line, Relaxed);
        begin(head, outer);
    });
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn memit_close(function: Table<'static>, outer: &Outer) {
    in_turn(|| {
        account::settle_line(function, own_line::get(function));
        end(function.head(), outer);
        own_line::set(function, outer.line.load(Relaxed));
    });
}
