//! Whether the process has more than one thread.
//!
//! With one thread, counts are plain loads and stores. The executable's own `pthread_create` stands
//! in front of glibc's, so it notices the second thread before that thread runs.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

static MANY: AtomicBool = AtomicBool::new(true);
/// Whether this process is a copy that has had other threads since its start.
static COPIED: AtomicBool = AtomicBool::new(false);

/// Whether there may be more than one thread.
#[inline]
pub(crate) fn are_many() -> bool {
    MANY.load(Relaxed)
}

/// Sets whether there is more than one thread now.
pub(crate) fn set_many(many: bool) {
    // Without hooks, nobody would notice the next thread.
    MANY.store(many || !cfg!(heap_hooks), Relaxed);
}

/// Notes that this process is a copy with threads.
pub(crate) fn set_copied() {
    COPIED.store(true, Relaxed);
}

/// Whether this process is a copy that has had other threads since its start.
pub(crate) fn are_copied() -> bool {
    COPIED.load(Relaxed)
}

/// Whether there may be other threads when a run begins.
pub(crate) fn at_begin(is_forked: bool) -> bool {
    !is_forked || are_copied()
}

#[cfg(heap_hooks)]
pub(crate) use hook::{Create, has_created, pthread_create};

#[cfg(heap_hooks)]
mod hook {
    use std::ffi::{c_int, c_void};
    use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering::Relaxed};

    type Start = extern "C" fn(*mut c_void) -> *mut c_void;
    pub(crate) type Create = unsafe extern "C" fn(
        *mut libc::pthread_t,
        *const libc::pthread_attr_t,
        Start,
        *mut c_void,
    ) -> c_int;

    /// Whether this process has ever had a second thread.
    static CREATED: AtomicBool = AtomicBool::new(false);
    static NEXT: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

    /// The `pthread_create` behind ours: glibc's, or that of a preloaded tool.
    fn next() -> Option<Create> {
        let mut next = NEXT.load(Relaxed);
        if next.is_null() {
            // SAFETY: the name is a C string.
            next = unsafe { libc::dlsym(libc::RTLD_NEXT, c"pthread_create".as_ptr()) };
            NEXT.store(next, Relaxed);
        }
        // SAFETY: a function of this name has this type, and a null pointer is `None`.
        unsafe { std::mem::transmute::<*mut c_void, Option<Create>>(next) }
    }

    /// Whether this process has ever had a second thread.
    #[inline]
    pub(crate) fn has_created() -> bool {
        CREATED.load(Relaxed)
    }

    /// # Safety
    ///
    /// The contract is that of `pthread_create` in POSIX.
    #[unsafe(no_mangle)]
    pub(crate) unsafe extern "C" fn pthread_create(
        thread: *mut libc::pthread_t,
        attributes: *const libc::pthread_attr_t,
        start: Start,
        argument: *mut c_void,
    ) -> c_int {
        CREATED.store(true, Relaxed);
        if !super::are_many() {
            super::set_many(true);
            crate::lines::counting::expect_threads();
        }
        match next() {
            // SAFETY: the caller's contract.
            Some(create) => unsafe { create(thread, attributes, start, argument) },
            None => libc::EAGAIN,
        }
    }
}
