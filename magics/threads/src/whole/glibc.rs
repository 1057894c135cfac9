//! What glibc exports under names, looked up while all threads run: the lookup takes locks.

use std::ffi::{CStr, c_int, c_void};
use std::sync::OnceLock;

use crate::{Error, Unsupported};

use super::rseq::Rseq;

/// What forks need of glibc.
#[derive(Debug, Clone, Copy)]
pub(super) struct Glibc {
    /// `_Fork`: `fork` without handlers, and without taking or resetting a lock. Also leaves the
    /// list of threads as it is.
    pub(super) fork: unsafe extern "C" fn() -> libc::pid_t,
    /// How threads register restartable sequences; `None` if they do not.
    pub(super) rseq: Option<Rseq>,
    /// The memory of `_rtld_global`, which contains the locks of the loader.
    pub(super) loader: Option<Memory>,
}

/// A piece of memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Memory {
    pub(super) start: usize,
    pub(super) bytes: usize,
}

static GLIBC: OnceLock<Option<Glibc>> = OnceLock::new();

impl Glibc {
    /// Of this process. The first call looks the names up.
    ///
    /// # Errors
    ///
    /// If glibc is too old.
    pub(super) fn get() -> Result<Self, Error> {
        let glibc = GLIBC.get_or_init(Self::find);
        glibc.ok_or(Error::Unsupported(Unsupported::NoFork))
    }

    /// What [`Self::get`] has found before; does nothing else, so that a signal handler may ask.
    pub(super) fn known() -> Option<Self> {
        GLIBC.get().copied().flatten()
    }

    fn find() -> Option<Self> {
        let fork = symbol(c"_Fork")?;
        Some(Self {
            // SAFETY: glibc declares `pid_t _Fork (void)`.
            fork: unsafe {
                std::mem::transmute::<*mut c_void, unsafe extern "C" fn() -> c_int>(fork)
            },
            rseq: rseq(),
            loader: loader(),
        })
    }
}

fn symbol(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: the name is a C string.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!address.is_null()).then_some(address)
}

fn rseq() -> Option<Rseq> {
    let offset = symbol(c"__rseq_offset")?.cast::<isize>();
    let size = symbol(c"__rseq_size")?.cast::<u32>();
    let flags = symbol(c"__rseq_flags")?.cast::<u32>();
    // SAFETY: glibc 2.35 and newer define the three variables with these types, and does not change
    // them.
    let (offset, size, flags) = unsafe { (*offset, *size, *flags) };
    (size > 0).then_some(Rseq {
        offset,
        size,
        flags,
    })
}

fn loader() -> Option<Memory> {
    unsafe extern "C" {
        fn dladdr1(
            address: *const c_void,
            info: *mut libc::Dl_info,
            extra: *mut *mut c_void,
            flags: c_int,
        ) -> c_int;
    }
    const RTLD_DL_SYMENT: c_int = 1;
    let start = symbol(c"_rtld_global")?;
    // SAFETY: all zeros is a valid `Dl_info`, a plain C struct.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    let mut entry: *const libc::Elf64_Sym = std::ptr::null();
    // SAFETY: with this flag, the function stores a pointer to the symbol's entry, or null.
    let found = unsafe {
        dladdr1(
            start,
            &raw mut info,
            (&raw mut entry).cast(),
            RTLD_DL_SYMENT,
        )
    };
    if found == 0 || entry.is_null() {
        return None;
    }
    // SAFETY: the entry is in the symbol table of the loader, which stays where it is.
    let bytes = unsafe { (*entry).st_size };
    Some(Memory {
        start: start.expose_provenance(),
        bytes: usize::try_from(bytes).ok()?,
    })
}
