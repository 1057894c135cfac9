//! Replaces functions in the libraries of this process by others.
//!
//! Libraries call functions of other libraries through their global offset table (System V ABI,
//! "Dynamic Linking"), where the dynamic linker has put the addresses of the functions.

use std::ffi::{CStr, c_void};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::loaded::{Kind, Loaded};

/// Addresses of functions, each with the address of the function that takes its place.
type Replaced<'a> = &'a [(usize, usize)];

/// Which offset tables are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tables {
    /// Those of all libraries, and that of the executable.
    All,
    /// Those of all libraries.
    OfLibraries,
}

/// What the walk through the libraries needs.
struct Walk<'a> {
    tables: Tables,
    replaced: Replaced<'a>,
}

/// Makes every call of a function on the left a call of the function on its right, which must have
/// the same type.
///
/// The process must be a fork that ends with its run, because nothing puts the addresses back. Its
/// threads must run: one of them may hold the lock of the dynamic linker that this takes.
pub(crate) fn replace(tables: Tables, replaced: Replaced<'_>) {
    let mut walk = Walk { tables, replaced };
    // SAFETY: the callback has the required type and does not unwind, and its data outlives the
    // call.
    unsafe { libc::dl_iterate_phdr(Some(replace_in_library), (&raw mut walk).cast()) };
}

unsafe extern "C" fn replace_in_library(
    info: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    walk: *mut c_void,
) -> libc::c_int {
    // SAFETY: `dl_iterate_phdr` passes a valid description of a loaded library, and `replace` passes
    // a `Walk`.
    let (info, walk) = unsafe { (&*info, &*walk.cast::<Walk<'_>>()) };
    // SAFETY: the name is a C string that lives as long as the library. The executable has none.
    let is_executable = unsafe { CStr::from_ptr(info.dlpi_name) }.is_empty();
    if is_executable && walk.tables == Tables::OfLibraries {
        return 0;
    }
    // SAFETY: the linker holds its lock during the call, so nobody unloads the library meanwhile.
    let Some(library) = (unsafe { Loaded::of(info) }).filter(Loaded::unseal) else {
        return 0;
    };
    for (relocation, word) in library.relocations() {
        if matches!(relocation.kind(), Some(Kind::OffsetTable | Kind::Function)) {
            // SAFETY: the word belongs to the offset table of the library, which is writable now,
            // and is aligned. Other threads that use the word see one of the two addresses.
            replace_address(unsafe { AtomicUsize::from_ptr(word) }, walk.replaced);
        }
    }
    0
}

fn replace_address(slot: &AtomicUsize, replaced: Replaced<'_>) {
    let address = slot.load(Relaxed);
    if let Some((_, by)) = replaced.iter().find(|(from, _)| *from == address) {
        slot.store(*by, Relaxed);
    }
}
