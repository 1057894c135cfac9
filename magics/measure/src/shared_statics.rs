//! One copy of each static of the notebook for all cells.
//!
//! The library of each cell has a copy of each `static` of the session, under an exported name. Code
//! reaches an exported static through a word that the dynamic linker fills with the address of the
//! static. This module lets these words of a new library point to the copy that the session has used
//! so far.
//!
//! The name contains a number for the definition and for all that its type reaches, so that two statics
//! of one name have the same layout and the same meaning. A static with a name of the user's choice has
//! its number in a table of the library.

use std::collections::HashMap;
use std::ffi::{CStr, c_void};

#[cfg(heap_hooks)]
use crate::loaded::Loaded;

/// How the exported name of a static starts. A number follows.
pub const PREFIX: &str = "memit_static_";

/// The exported name of the table of statics whose names the user has chosen: a C string, in which each
/// line is a number of 16 digits, a blank and a name.
pub const NAMED: &CStr = c"memit_named_statics";

/// The statics that the libraries of a session share: addresses by name, or by line of the table.
#[derive(Debug, Default)]
pub struct SharedStatics {
    addresses: HashMap<&'static [u8], usize>,
}

impl SharedStatics {
    /// Lets the library of a cell use the statics of the cells before. `handle` is the library, and
    /// `function` is one of its functions.
    ///
    /// # Safety
    ///
    /// The library must stay loaded, and no code of the library may have run but its initialisers.
    /// Exported statics with [`PREFIX`] that have the same name in two libraries must have the same
    /// type, and so must statics with the same line in [`NAMED`].
    #[cfg(heap_hooks)]
    pub unsafe fn share(&mut self, handle: *mut c_void, function: *const c_void) {
        // SAFETY: the handle is valid, and the name is a C string.
        let table = unsafe { libc::dlsym(handle, NAMED.as_ptr()) };
        let named = if table.is_null() {
            &[]
        } else {
            // SAFETY: a table is a C string in a library that stays loaded.
            unsafe { CStr::from_ptr(table.cast()) }.to_bytes()
        };
        let mut walk = Walk {
            statics: self,
            function: function as u64,
            named,
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
    pub unsafe fn share(&mut self, _handle: *mut c_void, _function: *const c_void) {}

    #[cfg(heap_hooks)]
    fn share_of(&mut self, library: &Loaded, named: &'static [u8]) {
        let mut is_unsealed = false;
        for (relocation, word) in library.relocations() {
            let symbol = relocation.kind().and_then(|_| library.symbol(relocation));
            let Some((name, Some(own))) = symbol else {
                continue;
            };
            let Some(key) = key(name.to_bytes(), named) else {
                continue;
            };
            // SAFETY: the linker has filled the word of a library that stays loaded.
            let filled = unsafe { word.read() };
            if filled != own.wrapping_add_signed(relocation.addend()) {
                // A library that was loaded before has a symbol of this name.
                continue;
            }
            let used = *self.addresses.entry(key).or_insert(own);
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

/// What tells a static from others of its name; `None` if no cells share the static.
#[cfg(heap_hooks)]
fn key(name: &'static [u8], named: &'static [u8]) -> Option<&'static [u8]> {
    if name.starts_with(PREFIX.as_bytes()) {
        return Some(name);
    }
    let mut lines = named.split(|byte| *byte == b'\n');
    lines.find(|line| line.get(17..) == Some(name) && !name.is_empty())
}

#[cfg(heap_hooks)]
struct Walk<'a> {
    statics: &'a mut SharedStatics,
    function: u64,
    named: &'static [u8],
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
        walk.statics.share_of(&library, walk.named);
    }
    1
}

#[cfg(all(test, heap_hooks))]
mod tests {
    use super::*;

    #[test]
    fn a_static_with_a_name_of_its_own_has_its_number_in_the_table() {
        let named = b"0000000000000001 USERS\n00000000000000ff HITS\n";
        assert_eq!(key(b"HITS", named), Some(&b"00000000000000ff HITS"[..]));
        assert_eq!(key(b"IT", named), None);
        assert_eq!(key(b"", named), None);
        assert_eq!(key(b"memit_static_1", b""), Some(&b"memit_static_1"[..]));
    }
}
