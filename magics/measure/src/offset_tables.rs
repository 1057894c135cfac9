//! Replaces functions in the libraries of this process by others.
//!
//! Libraries call functions of other libraries through their global offset table (System V ABI,
//! "Dynamic Linking"), where the dynamic linker has put the addresses of the functions.

use std::ffi::{CStr, c_void};

/// `Elf64_Dyn`.
#[repr(C)]
struct Dynamic {
    tag: u64,
    value: u64,
}

/// `Elf64_Rela`.
#[repr(C)]
struct Relocation {
    offset: u64,
    info: u64,
    addend: i64,
}

const DT_NULL: u64 = 0;
const DT_PLTRELSZ: u64 = 2;
const DT_RELA: u64 = 7;
const DT_RELASZ: u64 = 8;
const DT_JMPREL: u64 = 23;

/// The relocations that fill the global offset table: `GLOB_DAT` and `JUMP_SLOT`.
const FUNCTION_ADDRESSES: [u64; 2] = if cfg!(target_arch = "x86_64") {
    [6, 7]
} else {
    [1025, 1026]
};

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
/// The process must be a fork that ends with its run, because nothing puts the addresses back.
pub(crate) fn replace(tables: Tables, replaced: Replaced<'_>) {
    let mut walk = Walk { tables, replaced };
    if cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
        // SAFETY: the callback has the required type and does not unwind, and its data outlives the
        // call.
        unsafe { libc::dl_iterate_phdr(Some(replace_in_library), (&raw mut walk).cast()) };
    }
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
    // SAFETY: `dlpi_phdr` points to `dlpi_phnum` headers of a loaded library.
    let headers =
        unsafe { std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    let find = |kind| headers.iter().find(|header| header.p_type == kind);
    let Some(dynamic) = find(libc::PT_DYNAMIC) else {
        return 0;
    };
    if let Some(sealed) = find(libc::PT_GNU_RELRO)
        && !unseal(info.dlpi_addr + sealed.p_vaddr, sealed.p_memsz)
    {
        return 0;
    }
    // glibc has made the addresses absolute, except in read-only sections.
    let absolute = |value: u64| {
        if value < info.dlpi_addr {
            info.dlpi_addr + value
        } else {
            value
        }
    };
    let (mut plain, mut plain_size, mut lazy, mut lazy_size) = (0, 0, 0, 0);
    let mut entry = (info.dlpi_addr + dynamic.p_vaddr) as *const Dynamic;
    loop {
        // SAFETY: the dynamic section of a loaded library is readable up to its `DT_NULL`.
        let Dynamic { tag, value } = unsafe { entry.read() };
        match tag {
            DT_NULL => break,
            DT_RELA => plain = absolute(value),
            DT_RELASZ => plain_size = value,
            DT_JMPREL => lazy = absolute(value),
            DT_PLTRELSZ => lazy_size = value,
            _ => {}
        }
        entry = entry.wrapping_add(1);
    }
    for (table, bytes) in [(plain, plain_size), (lazy, lazy_size)] {
        let count = usize::try_from(bytes).unwrap_or(0) / size_of::<Relocation>();
        if table == 0 || count == 0 {
            continue;
        }
        // SAFETY: the linker recorded the address and the size of the table, and both
        // architectures only use relocations with addends.
        let table = unsafe { std::slice::from_raw_parts(table as *const Relocation, count) };
        for relocation in table {
            if FUNCTION_ADDRESSES.contains(&(relocation.info & 0xffff_ffff)) {
                let slot = (info.dlpi_addr + relocation.offset) as *mut usize;
                // SAFETY: the slot belongs to the offset table of the library, which is
                // writable now, and no other thread runs in this fork.
                unsafe { replace_address(slot, walk.replaced) };
            }
        }
    }
    0
}

/// # Safety
///
/// `slot` must be readable and writable, and nothing else may use the slot meanwhile.
unsafe fn replace_address(slot: *mut usize, replaced: Replaced<'_>) {
    // SAFETY: the caller's contract.
    let address = unsafe { slot.read() };
    if let Some((_, by)) = replaced.iter().find(|(from, _)| *from == address) {
        // SAFETY: the caller's contract.
        unsafe { slot.write(*by) };
    }
}

/// Makes pages writable that the dynamic linker sealed after relocation; false if the system
/// refuses.
fn unseal(start: u64, length: u64) -> bool {
    // SAFETY: `sysconf` has no preconditions.
    let page = u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
    // The linker seals whole pages only.
    let from = start & !(page - 1);
    let to = (start + length) & !(page - 1);
    let length = usize::try_from(to.saturating_sub(from)).unwrap_or(0);
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: the pages hold the library's own data and were writable until the linker sealed
    // them. The call changes no contents.
    length == 0 || unsafe { libc::mprotect(from as *mut c_void, length, access) } == 0
}
