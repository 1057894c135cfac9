//! The key of a `thread_local!` of the notebook, which all cells share.

use std::cell::UnsafeCell;
use std::ops::Deref;
use std::thread::LocalKey;

/// A [`LocalKey`] in a static. The compiler must read the key from the static: the session can let a
/// cell use the static of another cell, and the key in there is another one.
pub struct SharedKey<T: 'static> {
    key: UnsafeCell<LocalKey<T>>,
}

impl<T> SharedKey<T> {
    /// Shares the key that this cell has made.
    pub const fn new(key: LocalKey<T>) -> Self {
        let key = UnsafeCell::new(key);
        Self { key }
    }
}

// SAFETY: nothing changes the key, and threads share a `LocalKey` as they share a constant.
unsafe impl<T> Sync for SharedKey<T> {}

impl<T> Deref for SharedKey<T> {
    type Target = LocalKey<T>;

    fn deref(&self) -> &LocalKey<T> {
        // SAFETY: nothing changes the key.
        unsafe { &*self.key.get() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    thread_local! { static MADE: Cell<u8> = const { Cell::new(1) }; }
    static SHARED: SharedKey<Cell<u8>> = SharedKey::new(MADE);

    #[test]
    fn a_shared_key_stands_for_the_same_value() {
        SHARED.set(2);
        assert_eq!(MADE.get(), 2);
        let key: &'static LocalKey<_> = &SHARED;
        assert_eq!(key.with(Cell::get), 2);
    }
}
