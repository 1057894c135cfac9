//! Locks of C that note the id of the thread that holds them.
//!
//! In a copy of the session, a thread has another id, and glibc would not let the thread release
//! such a lock: a recursive or error-checking mutex, or a `pthread_rwlock_t` held for writing. The
//! executable's own functions stand in front of glibc's. They first hand the lock over from the
//! thread that the calling thread was to the thread that it is.
//!
//! From then until glibc has compared the owner with the calling thread, the thread must not be
//! stopped ([`is_outside`]). A call that waits must not keep the thread from being stopped, so
//! `pthread_mutex_trylock` comes first: a thread waits only if another thread holds the mutex. One
//! gap is left: a thread may be stopped in the few instructions between the hand-over and the
//! release of a recursive mutex in a wait for a condition.

use std::cell::Cell;
use std::ffi::{CStr, c_int, c_void};
use std::mem::transmute;
use std::sync::atomic::{
    AtomicPtr,
    Ordering::{Relaxed, SeqCst},
    compiler_fence,
};

use libc::{clockid_t, pthread_cond_t, pthread_mutex_t, pthread_rwlock_t, timespec};
use memit_threads::{take_over_mutex, take_over_rwlock};

thread_local! {
    /// The calling thread is in a call that compares the owner of a lock with the thread.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Whether the calling thread is in none of the calls that compare the owner of a lock with the
/// thread.
pub(crate) fn is_outside() -> bool {
    !INSIDE.get()
}

/// Makes a call during which the calling thread is not stopped. The call must not wait.
fn without_stop<T>(call: impl FnOnce() -> T) -> T {
    INSIDE.set(true);
    compiler_fence(SeqCst);
    let result = call();
    compiler_fence(SeqCst);
    INSIDE.set(false);
    result
}

/// The function behind ours, of a type: glibc's, or that of a preloaded tool.
macro_rules! next {
    ($name:literal of $version:literal as $type:ty) => {{
        static KNOWN: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
        // SAFETY: a function of this name has this type, and a null pointer is `None`.
        unsafe { transmute::<*mut c_void, Option<$type>>(next(&KNOWN, $name, $version)) }
    }};
}

/// glibc may have an older function of the same name, so its version is asked for.
fn next(known: &AtomicPtr<c_void>, name: &CStr, version: &CStr) -> *mut c_void {
    let mut function = known.load(Relaxed);
    if function.is_null() {
        // SAFETY: all are C strings.
        function = unsafe { libc::dlvsym(libc::RTLD_NEXT, name.as_ptr(), version.as_ptr()) };
        if function.is_null() {
            // SAFETY: as above.
            function = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
        }
        known.store(function, Relaxed);
    }
    function
}

// Each exported function has the signature and the contract of the C function that it stands in
// front of.

type OfMutex = unsafe extern "C" fn(*mut pthread_mutex_t) -> c_int;
type OfLock = unsafe extern "C" fn(*mut pthread_rwlock_t) -> c_int;
type Timed = unsafe extern "C" fn(*mut pthread_mutex_t, *const timespec) -> c_int;
type Clocked = unsafe extern "C" fn(*mut pthread_mutex_t, clockid_t, *const timespec) -> c_int;
type Wait = unsafe extern "C" fn(*mut pthread_cond_t, *mut pthread_mutex_t) -> c_int;
type TimedWait =
    unsafe extern "C" fn(*mut pthread_cond_t, *mut pthread_mutex_t, *const timespec) -> c_int;
type ClockedWait = unsafe extern "C" fn(
    *mut pthread_cond_t,
    *mut pthread_mutex_t,
    clockid_t,
    *const timespec,
) -> c_int;

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_mutex_trylock(mutex: *mut pthread_mutex_t) -> c_int {
    let next = next!(c"pthread_mutex_trylock" of c"GLIBC_2.34" as OfMutex);
    // SAFETY: the caller's contract.
    without_stop(|| unsafe {
        take_over_mutex(mutex);
        next.map_or(libc::ENOSYS, |next| next(mutex))
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_mutex_lock(mutex: *mut pthread_mutex_t) -> c_int {
    let next = next!(c"pthread_mutex_lock" of c"GLIBC_2.2.5" as OfMutex);
    // SAFETY: the caller's contract.
    unsafe { tried(mutex, || next.map_or(libc::ENOSYS, |next| next(mutex))) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_mutex_timedlock(
    mutex: *mut pthread_mutex_t,
    until: *const timespec,
) -> c_int {
    let next = next!(c"pthread_mutex_timedlock" of c"GLIBC_2.34" as Timed);
    // SAFETY: the caller's contract.
    unsafe {
        tried(mutex, || {
            next.map_or(libc::ENOSYS, |next| next(mutex, until))
        })
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_mutex_clocklock(
    mutex: *mut pthread_mutex_t,
    clock: clockid_t,
    until: *const timespec,
) -> c_int {
    let next = next!(c"pthread_mutex_clocklock" of c"GLIBC_2.34" as Clocked);
    // SAFETY: the caller's contract.
    unsafe {
        tried(mutex, || {
            next.map_or(libc::ENOSYS, |next| next(mutex, clock, until))
        })
    }
}

/// Takes the mutex if nobody else holds it, and otherwise makes the call that waits.
///
/// # Safety
///
/// The contract is that of `pthread_mutex_lock` in POSIX.
unsafe fn tried(mutex: *mut pthread_mutex_t, wait: impl FnOnce() -> c_int) -> c_int {
    // SAFETY: the caller's contract.
    match unsafe { pthread_mutex_trylock(mutex) } {
        libc::EBUSY => wait(),
        result => result,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_mutex_unlock(mutex: *mut pthread_mutex_t) -> c_int {
    let next = next!(c"pthread_mutex_unlock" of c"GLIBC_2.2.5" as OfMutex);
    // SAFETY: the caller's contract.
    without_stop(|| unsafe {
        take_over_mutex(mutex);
        next.map_or(libc::ENOSYS, |next| next(mutex))
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_rwlock_unlock(lock: *mut pthread_rwlock_t) -> c_int {
    let next = next!(c"pthread_rwlock_unlock" of c"GLIBC_2.34" as OfLock);
    // SAFETY: the caller's contract.
    without_stop(|| unsafe {
        take_over_rwlock(lock);
        next.map_or(libc::ENOSYS, |next| next(lock))
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_cond_wait(
    condition: *mut pthread_cond_t,
    mutex: *mut pthread_mutex_t,
) -> c_int {
    let next = next!(c"pthread_cond_wait" of c"GLIBC_2.3.2" as Wait);
    // SAFETY: the caller's contract.
    unsafe {
        take_over_mutex(mutex);
        next.map_or(libc::ENOSYS, |next| next(condition, mutex))
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_cond_timedwait(
    condition: *mut pthread_cond_t,
    mutex: *mut pthread_mutex_t,
    until: *const timespec,
) -> c_int {
    let next = next!(c"pthread_cond_timedwait" of c"GLIBC_2.3.2" as TimedWait);
    // SAFETY: the caller's contract.
    unsafe {
        take_over_mutex(mutex);
        next.map_or(libc::ENOSYS, |next| next(condition, mutex, until))
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_cond_clockwait(
    condition: *mut pthread_cond_t,
    mutex: *mut pthread_mutex_t,
    clock: clockid_t,
    until: *const timespec,
) -> c_int {
    let next = next!(c"pthread_cond_clockwait" of c"GLIBC_2.34" as ClockedWait);
    // SAFETY: the caller's contract.
    unsafe {
        take_over_mutex(mutex);
        next.map_or(libc::ENOSYS, |next| next(condition, mutex, clock, until))
    }
}
