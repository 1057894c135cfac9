//! One copy of each static of the notebook for all cells.
//!
//! The library of each cell has a copy of each `static` of the session, under an exported name. Code
//! reaches an exported static through a word that the dynamic linker fills with the address of the
//! static. This module lets these words of a new library point to the copy that the session has used
//! so far.
//!
//! The name contains a number for the definition and for all that its type reaches, so that two statics
//! of one name have the same layout and the same meaning.

use std::collections::HashMap;
use std::ffi::{CStr, c_void};

#[cfg(heap_hooks)]
use crate::loaded::Loaded;

/// How the exported name of a static starts. A number follows.
pub const PREFIX: &str = "memit_static_";

/// The statics that the libraries of a session share: addresses by name.
#[derive(Debug, Default)]
pub struct SharedStatics {
    addresses: HashMap<&'static CStr, usize>,
}

impl SharedStatics {
    /// Lets the library of a cell use the statics of the cells before. `function` is a function of the
    /// library.
    ///
    /// # Safety
    ///
    /// The library must stay loaded, and no code of the library may have run but its initialisers.
    /// Exported statics with [`PREFIX`] that have the same name in two libraries must have the same
    /// type.
    #[cfg(heap_hooks)]
    pub unsafe fn share(&mut self, function: *const c_void) {
        let mut walk = Walk {
            statics: self,
            function: function as u64,
        };
        // SAFETY: the callback has the required type and does not unwind, and its data outlives the
        // call.
        unsafe { libc::dl_iterate_phdr(Some(share_of_library), (&raw mut walk).cast()) };
    }

    /// The format of libraries is not known here: each library keeps its own copies.
    ///
    /// # Safety
    ///
    /// None is needed.
    #[cfg(not(heap_hooks))]
    pub unsafe fn share(&mut self, _function: *const c_void) {}

    #[cfg(heap_hooks)]
    fn share_of(&mut self, library: &Loaded) {
        let mut is_unsealed = false;
        for (relocation, word) in library.relocations() {
            let shared = relocation.kind().and_then(|_| library.symbol(relocation));
            let shared = shared.filter(|(name, _)| name.to_bytes().starts_with(PREFIX.as_bytes()));
            let Some((name, Some(own))) = shared else {
                continue;
            };
            let used = *self.addresses.entry(name).or_insert(own);
            if used == own {
                continue;
            }
            if !is_unsealed && !library.unseal() {
                return;
            }
            is_unsealed = true;
            // SAFETY: the linker has filled the word, which is writable now, with the address of the
            // library's own static, and no code of the library reads the word yet.
            unsafe { word.write(used.wrapping_add_signed(relocation.addend())) };
        }
        if is_unsealed {
            library.seal();
        }
    }
}

#[cfg(heap_hooks)]
struct Walk<'a> {
    statics: &'a mut SharedStatics,
    function: u64,
}

#[cfg(heap_hooks)]
unsafe extern "C" fn share_of_library(
    info: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    walk: *mut c_void,
) -> libc::c_int {
    // SAFETY: `dl_iterate_phdr` passes a valid description of a loaded library, and `share` passes a
    // `Walk` that nothing else uses meanwhile.
    let (info, walk) = unsafe { (&*info, &mut *walk.cast::<Walk<'_>>()) };
    // SAFETY: `dlpi_phdr` points to `dlpi_phnum` headers of a loaded library.
    let headers =
        unsafe { std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    let has_function = headers.iter().any(|header| {
        let start = info.dlpi_addr + header.p_vaddr;
        header.p_type == libc::PT_LOAD && (start..start + header.p_memsz).contains(&walk.function)
    });
    if !has_function {
        return 0;
    }
    // SAFETY: the library stays loaded, by the contract of `share`.
    if let Some(library) = unsafe { Loaded::of(info) } {
        walk.statics.share_of(&library);
    }
    1
}
