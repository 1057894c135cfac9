//! The entry points that probes call when there is something to settle.

use std::sync::atomic::Ordering::Relaxed;

use memit_session::lines::begin;
use memit_session::lines::counters::{Outer, Table};
use memit_session::lines::end;

use super::account;
use super::counting;

#[unsafe(no_mangle)]
pub(crate) extern "C" fn memit_line(own: Table<'static>, index: u32, hits: u32) {
    account::begin_line(own, index, hits);
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn memit_open(function: Table<'static>, calls: u32, outer: &Outer) {
    let own = counting::own_counters(function);
    let head = own.head();
    outer.own.store(own.address().cast_mut(), Relaxed);
    account::settle_body(own);
    let calls = head.calls.load(Relaxed) + u64::from(calls);
    head.calls.store(calls, Relaxed);
    begin(head, outer);
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn memit_close(outer: &Outer) {
    // SAFETY: `memit_open`, or a probe for it, has stored the address of counters that live as long
    // as the process.
    let own: Table<'static> = unsafe { Table::at(outer.own.load(Relaxed)) };
    account::settle_end(own);
    end(own.head(), outer);
}
