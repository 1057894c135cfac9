//! Removes the heap hooks from a process whose runs are timed.
//!
//! The offset tables of libraries hold the addresses of our hooks. The addresses of glibc's own
//! functions take their place, so that a timed allocation costs what an allocation costs in any
//! program.

/// Makes this process call glibc's allocator directly. From then on nothing counts the heap.
///
/// The process must be a fork that ends with its run, because the hooks cannot be put back.
#[cfg(heap_hooks)]
pub(crate) fn unhook() {
    use crate::offset_tables::{Tables, replace};

    replace(Tables::All, &crate::heap::replaced());
}

/// Does nothing, because there are no hooks to remove.
#[cfg(not(heap_hooks))]
pub(crate) fn unhook() {}

#[cfg(all(test, heap_hooks))]
mod tests {
    use super::unhook;
    use crate::heap;

    /// Allocations that the hooks see when `libc` itself allocates.
    fn seen() -> u64 {
        heap::start(true);
        // SAFETY: a C string; the copy is leaked.
        std::hint::black_box(unsafe { libc::strdup(c"text".as_ptr()) });
        heap::stop();
        heap::counts().allocations
    }

    #[test]
    fn libraries_call_the_hooks_until_they_are_unhooked() {
        // SAFETY: the child only allocates, which glibc allows after a fork, and exits.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            let before = seen();
            unhook();
            let after = seen();
            let code = i32::from(before != 1) + 2 * i32::from(after != 0);
            // SAFETY: no preconditions.
            unsafe { libc::_exit(code) };
        }
        let mut status = 0;
        // SAFETY: our own child and a live local.
        unsafe { libc::waitpid(pid, &raw mut status, 0) };
        assert_eq!(status, 0, "exit code 1: not hooked before, 2: hooked after");
    }
}
