//! Reads the symbols in a library (System V ABI, "Object Files"). The library is of 64 bits, and
//! little-endian.

/// A symbol that stands for data.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Symbol<'a> {
    pub(super) name: &'a str,
    /// The section that contains the data.
    pub(super) section: &'a str,
}

const MAGIC: &[u8] = b"\x7fELF\x02\x01";
/// `SHT_SYMTAB`.
const SYMBOL_TABLE: u32 = 2;
/// `SHT_DYNSYM`.
const DYNAMIC_SYMBOLS: u32 = 11;
/// `SHN_UNDEF`.
const UNDEFINED: usize = 0;
/// `STT_OBJECT` and `STT_TLS`.
const DATA: [u8; 2] = [1, 6];
/// `sizeof(Elf64_Sym)`.
const ENTRY: usize = 24;

/// The symbols of data that `library` defines; empty for a file of another format.
pub(super) fn of_data(library: &[u8]) -> Vec<Symbol<'_>> {
    sections(library)
        .and_then(|sections| read(library, &sections))
        .unwrap_or_default()
}

/// Whether `library` needs a symbol of this name from elsewhere; false for a file of another format.
pub(super) fn is_undefined(library: &[u8], name: &str) -> bool {
    let find = |sections: Vec<Section>| {
        let table = sections.iter().find(|of| of.kind == DYNAMIC_SYMBOLS)?;
        let names = contents(library, sections.get(table.link)?)?;
        let mut entries = contents(library, table)?.chunks_exact(ENTRY);
        let is_it = |entry: &[u8]| {
            half(entry, 6) == Some(UNDEFINED)
                && quarter(entry, 0).and_then(|at| text(names, at)) == Some(name)
        };
        Some(entries.any(is_it))
    };
    sections(library).and_then(find).unwrap_or(false)
}

/// A header of a section.
struct Section {
    name: usize,
    kind: u32,
    start: usize,
    size: usize,
    link: usize,
}

fn sections(library: &[u8]) -> Option<Vec<Section>> {
    if !library.starts_with(MAGIC) {
        return None;
    }
    let start = word(library, 0x28)?;
    let size = half(library, 0x3a)?;
    let count = half(library, 0x3c)?;
    let header = |number: usize| {
        let at = start.checked_add(number * size)?;
        Some(Section {
            name: quarter(library, at)?,
            kind: u32::try_from(quarter(library, at + 0x04)?).ok()?,
            start: word(library, at + 0x18)?,
            size: word(library, at + 0x20)?,
            link: quarter(library, at + 0x28)?,
        })
    };
    (0..count).map(header).collect()
}

fn read<'a>(library: &'a [u8], sections: &[Section]) -> Option<Vec<Symbol<'a>>> {
    let contents = |of: &Section| contents(library, of);
    let names_of_sections = contents(sections.get(half(library, 0x3e)?)?)?;
    let table = sections.iter().find(|of| of.kind == SYMBOL_TABLE)?;
    let names = contents(sections.get(table.link)?)?;
    let symbols = contents(table)?.chunks_exact(ENTRY).filter_map(|entry| {
        let is_data = DATA.contains(&(entry[4] & 0xf)) && word(entry, 16)? > 0;
        let section = sections.get(half(entry, 6)?).filter(|_| is_data)?;
        Some(Symbol {
            name: text(names, quarter(entry, 0)?)?,
            section: text(names_of_sections, section.name)?,
        })
    });
    Some(symbols.collect())
}

fn contents<'a>(library: &'a [u8], of: &Section) -> Option<&'a [u8]> {
    library.get(of.start..of.start.checked_add(of.size)?)
}

fn text(table: &[u8], at: usize) -> Option<&str> {
    let text = table.get(at..)?.split(|byte| *byte == 0).next()?;
    std::str::from_utf8(text).ok()
}

fn half(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(usize::from(u16::from_le_bytes(*bytes)))
}

fn quarter(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*bytes)).ok()
}

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    usize::try_from(u64::from_le_bytes(*bytes)).ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU8, Ordering};

    static READ_BY_A_TEST: AtomicU8 = AtomicU8::new(1);

    #[test]
    fn the_symbols_of_this_program_are_found() {
        READ_BY_A_TEST.store(2, Ordering::Relaxed);
        let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let symbols = of_data(&program);
        let mut found = symbols
            .iter()
            .filter(|symbol| symbol.name.contains("READ_BY_A_TEST"));
        assert_eq!(found.next().unwrap().section, ".data");
        assert!(is_undefined(&program, "abort"));
        assert!(!is_undefined(&program, "main"));
        assert!(!is_undefined(&program, "abor"));
    }

    #[test]
    fn another_file_has_no_symbols() {
        assert_eq!(of_data(b"!<arch>\n"), []);
        assert_eq!(of_data(MAGIC), []);
        let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(of_data(&program[..4096]), []);
        assert!(!is_undefined(&program[..4096], "abort"));
    }
}
