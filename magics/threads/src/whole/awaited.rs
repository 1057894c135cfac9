//! Mutexes that note the id of their owner, while a thread waits for them.
//!
//! Recursive, error-checking and robust mutexes of glibc contain the id of the thread that holds
//! them. A thread reads its own id before it waits. A copy of this thread would go on with the id
//! of the thread that it was copied from, take the mutex in that name, and not be able to release
//! it. So a process is not forked while a thread waits for such a mutex.

use super::system::{call, process_id};

/// The beginning of a mutex of glibc, which is the same since glibc 2.4.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mutex {
    /// The word of the futex: 0, or 1 if the mutex is held, or 2 if somebody may wait.
    pub(super) lock: u32,
    pub(super) count: u32,
    pub(super) owner: u32,
    pub(super) users: u32,
    pub(super) kind: i32,
}

impl Mutex {
    /// Whether this can be a mutex that is held and notes its owner.
    pub(super) fn has_owner(&self) -> bool {
        let kinds = [
            libc::PTHREAD_MUTEX_RECURSIVE,
            libc::PTHREAD_MUTEX_ERRORCHECK,
        ];
        kinds.contains(&self.kind)
            && (1..=2).contains(&self.lock)
            && self.count <= 1 << 16
            && self.users > 0
            && self.owner != 0
    }
}

/// What a thread may have been waiting for, without a time limit, when a signal interrupted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaited {
    /// Nothing that is a lock.
    Nothing,
    /// What is at this address, which may be a mutex.
    Futex(usize),
    /// A mutex that inherits priorities: Linux itself knows its owner.
    Inheriting,
}

impl Awaited {
    /// From the registers of the thread.
    pub(super) fn by_context(context: &libc::ucontext_t) -> Self {
        const FUTEX_LOCK_PI2: libc::c_int = 13;
        let register = |index: libc::c_int| context.uc_mcontext.gregs[index as usize];
        // Linux lets the thread begin the call again, so the number of the call is back in its
        // register.
        if register(libc::REG_RAX) != libc::SYS_futex {
            return Self::Nothing;
        }
        let operation = register(libc::REG_RSI) as libc::c_int & libc::FUTEX_CMD_MASK;
        match operation {
            libc::FUTEX_LOCK_PI | FUTEX_LOCK_PI2 => Self::Inheriting,
            _ => Self::Futex(register(libc::REG_RDI) as usize),
        }
    }
}

/// What would be a mutex at an address; `None` if there is no memory for one.
pub(super) fn mutex_at(address: usize) -> Option<Mutex> {
    let mut mutex = Mutex::default();
    let to = libc::iovec {
        iov_base: (&raw mut mutex).cast(),
        iov_len: size_of::<Mutex>(),
    };
    let from = libc::iovec {
        iov_base: std::ptr::with_exposed_provenance_mut(address),
        iov_len: size_of::<Mutex>(),
    };
    let arguments = [
        process_id() as usize,
        (&raw const to).expose_provenance(),
        1,
        (&raw const from).expose_provenance(),
        1,
        0,
    ];
    // SAFETY: the call writes into the local, and fails if the memory of the address cannot be
    // read.
    let bytes = unsafe { call(libc::SYS_process_vm_readv, arguments) };
    (bytes == size_of::<Mutex>() as isize).then_some(mutex)
}
