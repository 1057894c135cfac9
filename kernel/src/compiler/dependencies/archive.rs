//! Reads which symbols the members of an archive define, in the format of GNU `ar`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::Path;

const MAGIC: &[u8] = b"!<arch>\n";
const HEADER: usize = 60;

/// The names of members with the symbols that they define for others.
pub(super) fn symbols(file: &Path) -> io::Result<BTreeMap<String, Vec<String>>> {
    let mut archive = File::open(file)?;
    let mut magic = [0; MAGIC.len()];
    archive.read_exact(&mut magic)?;
    if magic != MAGIC {
        return Err(invalid("no archive"));
    }
    let Some(index) = read_member(&mut archive)? else {
        return Ok(BTreeMap::new());
    };
    let width = match index.name.as_str() {
        "/" => 4,
        "/SYM64/" => 8,
        _ => return Ok(BTreeMap::new()),
    };
    // The next member has the names that are too long for a header.
    let long = read_member(&mut archive)?.filter(|member| member.name == "//");
    let long = long.map(|member| member.content).unwrap_or_default();
    let mut members = BTreeMap::<String, Vec<String>>::new();
    for (place, symbol) in entries(&index.content, width)? {
        archive.seek(SeekFrom::Start(place))?;
        let (name, _) = read_header(&mut archive)?.ok_or_else(|| invalid("no member"))?;
        let name = full_name(&name, &long);
        members.entry(name).or_default().push(symbol);
    }
    Ok(members)
}

struct Member {
    name: String,
    content: Vec<u8>,
}

fn read_member(archive: &mut File) -> io::Result<Option<Member>> {
    let Some((name, size)) = read_header(archive)? else {
        return Ok(None);
    };
    let mut content = Vec::new();
    archive.by_ref().take(size).read_to_end(&mut content)?;
    // Members begin at even places.
    archive.seek(SeekFrom::Current((size % 2).cast_signed()))?;
    Ok(Some(Member { name, content }))
}

/// Name and size of the member that begins here; `None` at the end of the archive.
fn read_header(archive: &mut File) -> io::Result<Option<(String, u64)>> {
    let mut header = Vec::new();
    archive
        .by_ref()
        .take(HEADER as u64)
        .read_to_end(&mut header)?;
    if header.is_empty() {
        return Ok(None);
    }
    let text = str::from_utf8(&header)
        .ok()
        .filter(|text| text.len() == HEADER);
    let text = text.ok_or_else(|| invalid("no header"))?;
    let (name, size) = (text.get(..16), text.get(48..58));
    let size = size.and_then(|size| size.trim().parse().ok());
    let (Some(name), Some(size)) = (name, size) else {
        return Err(invalid("no header"));
    };
    Ok(Some((name.trim_end().to_owned(), size)))
}

/// The places of members with the symbols that they define. `width` is the size of a number.
fn entries(index: &[u8], width: usize) -> io::Result<Vec<(u64, String)>> {
    let number = |at: usize| {
        let bytes = index.get(at * width..(at + 1) * width)?;
        Some(
            bytes
                .iter()
                .fold(0, |value: u64, byte| value << 8 | u64::from(*byte)),
        )
    };
    let short = || invalid("the index is too short");
    let count = number(0)
        .and_then(|count| usize::try_from(count).ok())
        .ok_or_else(short)?;
    let names = count
        .checked_add(1)
        .and_then(|numbers| index.get(numbers.checked_mul(width)?..));
    let names = names
        .ok_or_else(short)?
        .split(|byte| *byte == 0)
        .take(count);
    let entry = |(at, name): (usize, &[u8])| {
        Some((number(at + 1)?, String::from_utf8_lossy(name).into_owned()))
    };
    names
        .enumerate()
        .map(entry)
        .collect::<Option<_>>()
        .ok_or_else(short)
}

/// The name of a member. `/12` is the name at that place among the long names.
fn full_name(name: &str, long: &[u8]) -> String {
    let place = name
        .strip_prefix('/')
        .and_then(|place| place.parse::<usize>().ok());
    let found = place.and_then(|place| long.get(place..));
    let found = found.and_then(|rest| rest.split(|byte| *byte == b'\n').next());
    let name = found.map_or(name.into(), String::from_utf8_lossy);
    name.trim_end_matches('/').to_owned()
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, content: &[u8]) -> Vec<u8> {
        let header = format!("{name:<16}{:<32}{:<10}`\n", 0, content.len());
        let mut bytes = header.into_bytes();
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(2), b'\n');
        bytes
    }

    /// An archive with these members, all of which define the symbols beside them.
    fn archive(members: &[(&str, &[&str])]) -> Vec<u8> {
        let symbols = || {
            members
                .iter()
                .enumerate()
                .flat_map(|(at, (_, symbols))| symbols.iter().map(move |symbol| (at, *symbol)))
        };
        let long = member("//", b"a name that is longer than a header.o/\n");
        let names: usize = symbols().map(|(_, symbol)| symbol.len() + 1).sum();
        let index = 4 + 4 * symbols().count() + names;
        let mut place = MAGIC.len() + HEADER + index.next_multiple_of(2) + long.len();
        let mut places = Vec::new();
        let mut content = Vec::new();
        for (name, _) in members {
            places.push(u32::try_from(place).unwrap());
            let bytes = member(name, b"odd");
            place += bytes.len();
            content.extend(bytes);
        }
        let mut index = u32::try_from(symbols().count())
            .unwrap()
            .to_be_bytes()
            .to_vec();
        index.extend(symbols().flat_map(|(at, _)| places[at].to_be_bytes()));
        index.extend(symbols().flat_map(|(_, symbol)| format!("{symbol}\0").into_bytes()));
        [MAGIC, &member("/", &index), &long, &content].concat()
    }

    fn symbols_in(bytes: &[u8]) -> io::Result<BTreeMap<String, Vec<String>>> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        symbols(file.path())
    }

    #[test]
    fn each_member_has_its_symbols() {
        let bytes = archive(&[("x.o/", &["f", "g"]), ("empty.o/", &[]), ("/0", &["h"])]);
        let found = symbols_in(&bytes).unwrap();
        let text: Vec<_> = found
            .iter()
            .map(|(name, symbols)| format!("{name}: {symbols:?}"))
            .collect();
        assert_eq!(
            text,
            [
                r#"a name that is longer than a header.o: ["h"]"#,
                r#"x.o: ["f", "g"]"#
            ]
        );
    }

    #[test]
    fn anything_else_is_an_error() {
        assert!(symbols_in(b"not an archive").is_err());
        let bytes = archive(&[("x.o/", &["f"])]);
        for length in 0..bytes.len() {
            let _ = symbols_in(&bytes[..length]);
        }
        assert!(symbols_in(&bytes[..80]).is_err());
    }
}
