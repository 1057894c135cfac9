//! Robust mutexes: a list in each thread of those that the thread holds, which Linux reads when the
//! thread ends.
//!
//! The word of a held mutex contains the id of its owner. A thread made anew has another id, so the
//! mutexes of its list get the new id. A mutex that several processes share is left alone: the
//! thread of the parent holds that mutex.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::system::call;

/// The list of a thread: `struct robust_list_head` of Linux.
#[repr(C)]
#[derive(Debug)]
struct Head {
    /// The last node points to the head.
    first: usize,
    /// From a node to the word of its mutex, in bytes.
    to_word: isize,
    /// A mutex that the thread is taking or releasing, or 0.
    pending: usize,
}

/// Where the list of a thread begins; 0 if the thread has none.
#[derive(Debug, Clone, Copy)]
pub(super) struct RobustList {
    head: usize,
}

/// The state of the list of a thread that calls `_Fork`, which empties the list in the fork.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    list: RobustList,
    first: usize,
    /// The word in front of the head: where glibc has the last node.
    last: usize,
}

/// Offset in glibc's mutex from the word of the lock to the owner, which is the same since glibc
/// 2.4.
const OWNER: usize = 8;
/// In a node's address: the mutex inherits priorities.
const INHERITS: usize = 1;
/// No thread has more robust mutexes: what Linux reads of a list.
const MOST: usize = 2048;

impl RobustList {
    /// The list of the calling thread.
    pub(super) fn of_this_thread() -> Self {
        let mut head = 0_usize;
        let mut bytes = 0_usize;
        let arguments = [
            0,
            (&raw mut head).expose_provenance(),
            (&raw mut bytes).expose_provenance(),
            0,
            0,
            0,
        ];
        // SAFETY: the call stores a word at each of the two addresses.
        unsafe { call(libc::SYS_get_robust_list, arguments) };
        Self { head }
    }

    /// Whether the calling thread, of which this is the list, is taking or releasing a mutex.
    pub(super) fn is_changing(self) -> bool {
        if self.head == 0 {
            return false;
        }
        // SAFETY: the head is the calling thread's.
        let head = unsafe { &*std::ptr::with_exposed_provenance::<Head>(self.head) };
        head.pending != 0
    }

    /// Makes this the list of the calling thread.
    pub(super) fn register(self) {
        if self.head != 0 {
            let arguments = [self.head, size_of::<Head>(), 0, 0, 0, 0];
            // SAFETY: the head is that of the thread that the calling thread is a copy of, and
            // lives as long.
            unsafe { call(libc::SYS_set_robust_list, arguments) };
        }
    }

    /// Gives the mutexes of the list, which belong to the thread `old`, to the thread `new`.
    ///
    /// # Safety
    ///
    /// The list must be that of the calling thread or of a thread that does not run.
    pub(super) unsafe fn hand_over(self, old: u32, new: u32) {
        if self.head == 0 {
            return;
        }
        // SAFETY: the head belongs to a thread that exists, by the caller's contract.
        let head = unsafe { &*std::ptr::with_exposed_provenance::<Head>(self.head) };
        let mut node = head.first & !INHERITS;
        for _ in 0..MOST {
            if node == self.head || node == 0 {
                break;
            }
            // SAFETY: a node of the list is part of a mutex that the thread holds.
            unsafe { hand_over(node, head.to_word, old, new) };
            // SAFETY: a node begins with the address of the next.
            node = unsafe { *std::ptr::with_exposed_provenance::<usize>(node) } & !INHERITS;
        }
    }

    /// Notes the list of the calling thread.
    pub(super) fn keep(self) -> Option<Kept> {
        if self.head == 0 {
            return None;
        }
        let head: *const usize = std::ptr::with_exposed_provenance(self.head);
        // SAFETY: glibc has the word with the last node in front of the head, and both are this
        // thread's.
        let (first, last) = unsafe { (*head, *head.sub(1)) };
        Some(Kept {
            list: self,
            first,
            last,
        })
    }
}

impl Kept {
    /// Brings back the list of the calling thread, which had the id `old`.
    pub(super) fn restore(self, old: u32, new: u32) {
        let head: *mut usize = std::ptr::with_exposed_provenance_mut(self.list.head);
        // SAFETY: see `keep`. The mutexes of the list have not changed since, as this thread alone
        // may change them.
        unsafe {
            *head = self.first;
            *head.sub(1) = self.last;
            self.list.hand_over(old, new);
        }
    }
}

/// Gives one mutex to the thread `new` if it belongs to `old`.
///
/// # Safety
///
/// The node must be part of a mutex.
unsafe fn hand_over(node: usize, to_word: isize, old: u32, new: u32) {
    let word = node.wrapping_add_signed(to_word);
    let at = |offset: usize| -> &AtomicU32 {
        // SAFETY: by the caller's contract, a mutex of glibc begins at the word.
        unsafe { &*std::ptr::with_exposed_provenance(word + offset) }
    };
    if is_shared(word) {
        return;
    }
    let replaced = |value: u32, mask: u32| (value & mask == old).then_some(value & !mask | new);
    // In a fork, nobody changes the words meanwhile: the waiters only add a bit.
    let _ = at(0).fetch_update(Relaxed, Relaxed, |value| {
        replaced(value, libc::FUTEX_TID_MASK)
    });
    let _ = at(OWNER).fetch_update(Relaxed, Relaxed, |value| replaced(value, u32::MAX));
}

/// Whether the memory at an address is shared with other processes. The mutex does not tell: glibc
/// calls all robust mutexes shared.
fn is_shared(address: usize) -> bool {
    const PAGE: usize = 4096;
    let arguments = [
        address & !(PAGE - 1),
        0,
        PAGE,
        libc::MREMAP_MAYMOVE as usize,
        0,
        0,
    ];
    // SAFETY: with an old size of zero, Linux maps shared memory a second time and refuses all
    // other memory. The mapping at the address stays as it is.
    let second = unsafe { call(libc::SYS_mremap, arguments) };
    let Ok(second) = usize::try_from(second) else {
        return false;
    };
    // SAFETY: nobody else knows the second mapping.
    unsafe { call(libc::SYS_munmap, [second, PAGE, 0, 0, 0, 0]) };
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_memory_is_told_from_private_memory() {
        let on_the_stack = 5_u64;
        let on_the_heap = vec![0_u8; 1 << 20];
        assert!(!is_shared((&raw const on_the_stack).addr()));
        assert!(!is_shared(on_the_heap.as_ptr().addr() + 5000));
        let (kind, access) = (
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
            libc::PROT_READ | libc::PROT_WRITE,
        );
        // SAFETY: maps new memory, which is left to the process.
        let shared = unsafe { libc::mmap(std::ptr::null_mut(), 8192, access, kind, -1, 0) };
        assert!(is_shared(shared.addr() + 4100));
        assert!(is_shared(shared.addr() + 4100), "the mapping has stayed");
    }
}
