//! glibc's descriptor of a thread, whose layout is glibc's own affair: the place of the thread's id
//! is found by looking for the id in the descriptors of all threads.

use super::system::call;

/// Bytes of a descriptor that are searched. The descriptors of glibc 2.34 and newer have more than
/// 2,000.
const SPAN: usize = 1024;
const WORD: usize = size_of::<u32>();

/// Places in a descriptor that hold the id of its thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Places([u64; SPAN / WORD / 64]);

impl Places {
    const NONE: Self = Self([0; SPAN / WORD / 64]);

    /// The places in the descriptor of the calling thread.
    pub(super) fn of_this_thread(thread_pointer: usize, id: u32) -> Self {
        let mut places = Self::NONE;
        if !is_glibc(thread_pointer) {
            return places;
        }
        for word in 0..SPAN / WORD {
            let address = thread_pointer + word * WORD;
            let value: *const u32 = std::ptr::with_exposed_provenance(address);
            // SAFETY: the descriptor begins at the thread pointer and is longer than the span. No
            // other thread changes it now, and if one did, a volatile read would see one of the
            // values.
            if unsafe { value.read_volatile() } == id {
                places.0[word / 64] |= 1 << (word % 64);
            }
        }
        places
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::NONE
    }

    /// The places that both have.
    pub(super) fn common(self, other: Self) -> Self {
        let mut common = self;
        for (word, other) in common.0.iter_mut().zip(other.0) {
            *word &= other;
        }
        common
    }

    /// The offset of the place from the thread pointer in bytes, if there is one place.
    pub(super) fn only(&self) -> Option<usize> {
        let mut places = (0..SPAN / WORD).filter(|word| self.0[word / 64] >> (word % 64) & 1 == 1);
        let first = places.next()?;
        places.next().is_none().then_some(first * WORD)
    }
}

/// Whether a thread pointer points to a descriptor of glibc, which begins with its own address and
/// has it once more two words later.
fn is_glibc(thread_pointer: usize) -> bool {
    if thread_pointer == 0 || !thread_pointer.is_multiple_of(size_of::<usize>()) {
        return false;
    }
    let header: *const usize = std::ptr::with_exposed_provenance(thread_pointer);
    // SAFETY: on x86-64 every code model of thread-local storage reads the word at the thread
    // pointer, so it can be read, and so can the rest of its page, which contains two more words:
    // the alignment of glibc's descriptors is 64.
    unsafe {
        header.read_volatile() == thread_pointer && header.add(2).read_volatile() == thread_pointer
    }
}

/// The thread pointer of the calling thread.
pub(super) fn thread_pointer() -> usize {
    const ARCH_GET_FS: usize = 0x1003;
    base(ARCH_GET_FS)
}

/// The base of the segment `gs` of the calling thread, of which glibc makes no use.
pub(super) fn second_base() -> usize {
    const ARCH_GET_GS: usize = 0x1004;
    base(ARCH_GET_GS)
}

/// Sets what [`second_base`] returns.
pub(super) fn set_second_base(base: usize) {
    const ARCH_SET_GS: usize = 0x1001;
    // SAFETY: the caller is a copy of the thread that had this base.
    unsafe { call(libc::SYS_arch_prctl, [ARCH_SET_GS, base, 0, 0, 0, 0]) };
}

fn base(which: usize) -> usize {
    let mut base = 0_usize;
    let address = (&raw mut base).expose_provenance();
    // SAFETY: the call stores a word at the address.
    unsafe { call(libc::SYS_arch_prctl, [which, address, 0, 0, 0, 0]) };
    base
}

/// Whether the calling thread has a shadow stack.
pub(super) fn has_shadow_stack() -> bool {
    const ARCH_SHSTK_STATUS: usize = 0x5005;
    let mut features = 0_u64;
    let address = (&raw mut features).expose_provenance();
    // SAFETY: the call stores a word at the address. A system without shadow stacks refuses the
    // call.
    unsafe {
        call(
            libc::SYS_arch_prctl,
            [ARCH_SHSTK_STATUS, address, 0, 0, 0, 0],
        )
    };
    features != 0
}

/// The address that Linux clears at the end of the calling thread, where `pthread_join` waits;
/// `None` if Linux does not tell.
pub(super) fn cleared_at_end() -> Option<usize> {
    let mut cleared = 0_usize;
    let address = (&raw mut cleared).expose_provenance();
    let arguments = [libc::PR_GET_TID_ADDRESS as usize, address, 0, 0, 0, 0];
    // SAFETY: the call stores a word at the address.
    let result = unsafe { call(libc::SYS_prctl, arguments) };
    (result == 0).then_some(cleared)
}

#[cfg(test)]
mod tests {
    use super::super::system::thread_id;
    use super::*;

    #[test]
    fn threads_have_their_id_at_one_common_place() {
        let here = || Places::of_this_thread(thread_pointer(), thread_id());
        let there = std::thread::spawn(here).join().unwrap();
        let offset = here().common(there).only().expect("one place");
        let id = thread_pointer() + offset;
        // SAFETY: `of_this_thread` has read there.
        let id = unsafe { *std::ptr::with_exposed_provenance::<u32>(id) };
        assert_eq!(id, thread_id());
    }

    #[test]
    fn the_end_is_noted_where_the_id_is() {
        let here = || {
            let places = Places::of_this_thread(thread_pointer(), thread_id());
            (places, cleared_at_end().map(|at| at - thread_pointer()))
        };
        let (there, cleared) = std::thread::spawn(here).join().unwrap();
        let offset = here().0.common(there).only();
        assert!(cleared.is_none() || cleared == offset, "{cleared:?}");
    }

    #[test]
    fn what_is_no_descriptor_has_no_places() {
        assert!(Places::of_this_thread(0, 1).is_empty());
        let words = [1_usize; 200];
        let address = words.as_ptr().expose_provenance();
        assert!(Places::of_this_thread(address, 1).is_empty());
    }

    #[test]
    fn two_places_are_none() {
        let mut places = Places::NONE;
        assert_eq!(places.only(), None);
        places.0[1] = 2;
        assert_eq!(places.only(), Some(65 * WORD));
        places.0[0] = 1;
        assert_eq!(places.only(), None);
    }
}
