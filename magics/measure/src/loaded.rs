//! What the dynamic linker knows of a loaded library (System V ABI, "Dynamic Linking").

use std::ffi::{CStr, c_char, c_void};

/// `Elf64_Dyn`.
#[repr(C)]
struct Dynamic {
    tag: u64,
    value: u64,
}

/// `Elf64_Rela`.
#[repr(C)]
pub(crate) struct Relocation {
    offset: u64,
    info: u64,
    addend: i64,
}

/// `Elf64_Sym`.
#[repr(C)]
struct Symbol {
    name: u32,
    info: u8,
    other: u8,
    section: u16,
    value: u64,
    size: u64,
}

const DT_NULL: u64 = 0;
const DT_PLTRELSZ: u64 = 2;
const DT_STRTAB: u64 = 5;
const DT_SYMTAB: u64 = 6;
const DT_RELA: u64 = 7;
const DT_RELASZ: u64 = 8;
const DT_JMPREL: u64 = 23;

/// The number of the section of a symbol that another library defines.
const UNDEFINED: u16 = 0;

/// Relocations that put the address of a symbol into a word: `GLOB_DAT`, `JUMP_SLOT` and `64`, which
/// aarch64 calls `ABS64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    OffsetTable,
    Function,
    Data,
}

const KINDS: [(u64, Kind); 3] = if cfg!(target_arch = "x86_64") {
    [(6, Kind::OffsetTable), (7, Kind::Function), (1, Kind::Data)]
} else {
    [
        (1025, Kind::OffsetTable),
        (1026, Kind::Function),
        (257, Kind::Data),
    ]
};

impl Relocation {
    /// What the relocation puts where; `None` if not the address of a symbol.
    pub(crate) fn kind(&self) -> Option<Kind> {
        let number = self.info & 0xffff_ffff;
        KINDS
            .iter()
            .find(|(other, _)| *other == number)
            .map(|(_, kind)| *kind)
    }

    pub(crate) fn addend(&self) -> isize {
        isize::try_from(self.addend).unwrap_or(0)
    }
}

/// A loaded library.
pub(crate) struct Loaded {
    base: u64,
    /// Start and length of what the linker made read-only after relocation.
    sealed: Option<(u64, u64)>,
    relocations: [(u64, u64); 2],
    symbols: u64,
    names: u64,
}

impl Loaded {
    /// `None` if the library has no dynamic section, or for an architecture that this module does not
    /// know.
    ///
    /// # Safety
    ///
    /// `info` must describe a library that stays loaded.
    pub(crate) unsafe fn of(info: &libc::dl_phdr_info) -> Option<Self> {
        if !cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
            return None;
        }
        let base = info.dlpi_addr;
        // SAFETY: `dlpi_phdr` points to `dlpi_phnum` headers of a loaded library.
        let headers =
            unsafe { std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
        let find = |kind| headers.iter().find(|header| header.p_type == kind);
        let dynamic = find(libc::PT_DYNAMIC)?;
        let sealed = find(libc::PT_GNU_RELRO);
        let mut loaded = Self {
            base,
            sealed: sealed.map(|sealed| (base + sealed.p_vaddr, sealed.p_memsz)),
            relocations: [(0, 0); 2],
            symbols: 0,
            names: 0,
        };
        // glibc has made the addresses absolute, except in read-only sections.
        let absolute = |value: u64| if value < base { base + value } else { value };
        let mut entry = (base + dynamic.p_vaddr) as *const Dynamic;
        loop {
            // SAFETY: the dynamic section of a loaded library is readable up to its `DT_NULL`.
            let Dynamic { tag, value } = unsafe { entry.read() };
            match tag {
                DT_NULL => return Some(loaded),
                DT_RELA => loaded.relocations[0].0 = absolute(value),
                DT_RELASZ => loaded.relocations[0].1 = value,
                DT_JMPREL => loaded.relocations[1].0 = absolute(value),
                DT_PLTRELSZ => loaded.relocations[1].1 = value,
                DT_SYMTAB => loaded.symbols = absolute(value),
                DT_STRTAB => loaded.names = absolute(value),
                _ => {}
            }
            entry = entry.wrapping_add(1);
        }
    }
}

impl Loaded {
    /// The relocations, each with the word that it fills.
    pub(crate) fn relocations(&self) -> impl Iterator<Item = (&'static Relocation, *mut usize)> {
        let base = self.base;
        let tables = self.relocations.into_iter().map(|(start, bytes)| {
            let count = usize::try_from(bytes).unwrap_or(0) / size_of::<Relocation>();
            if start == 0 || count == 0 {
                return &[][..];
            }
            // SAFETY: the linker recorded the address and the size of the table, the library stays
            // loaded, and both architectures only use relocations with addends.
            unsafe { std::slice::from_raw_parts(start as *const Relocation, count) }
        });
        let word = move |of: &Relocation| (base + of.offset) as *mut usize;
        tables.flatten().map(move |of| (of, word(of)))
    }

    /// The name of the symbol of a relocation of this library, and the address of the symbol if this
    /// library defines the symbol.
    pub(crate) fn symbol(&self, of: &Relocation) -> Option<(&'static CStr, Option<usize>)> {
        let number = usize::try_from(of.info >> 32)
            .ok()
            .filter(|number| *number != 0)?;
        if self.symbols == 0 || self.names == 0 {
            return None;
        }
        // SAFETY: the linker recorded the table, and a relocation names a symbol in it.
        let symbol = unsafe { &*(self.symbols as *const Symbol).add(number) };
        let name = (self.names + u64::from(symbol.name)) as *const c_char;
        // SAFETY: the linker recorded the names, which are C strings of a library that stays loaded.
        let name = unsafe { CStr::from_ptr(name) };
        let address = usize::try_from(self.base + symbol.value).ok();
        Some((name, address.filter(|_| symbol.section != UNDEFINED)))
    }

    /// Makes writable what the dynamic linker sealed after relocation; false if the system refuses.
    pub(crate) fn unseal(&self) -> bool {
        self.protect(libc::PROT_READ | libc::PROT_WRITE)
    }

    /// Seals again what was unsealed.
    pub(crate) fn seal(&self) {
        // If the system refuses, the library works as well.
        self.protect(libc::PROT_READ);
    }

    fn protect(&self, access: libc::c_int) -> bool {
        let Some((start, length)) = self.sealed else {
            return true;
        };
        // SAFETY: `sysconf` has no preconditions.
        let page = u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
        // The linker seals whole pages only.
        let from = start & !(page - 1);
        let to = (start + length) & !(page - 1);
        let length = usize::try_from(to.saturating_sub(from)).unwrap_or(0);
        // SAFETY: the pages hold the library's own data and were writable until the linker sealed
        // them. The call changes no contents.
        length == 0 || unsafe { libc::mprotect(from as *mut c_void, length, access) } == 0
    }
}
