//! Numbers in the texts of `/proc`. Nothing here allocates.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;

/// The field `name` of a text that counts in KiB, in bytes.
pub(super) fn kibibytes(text: &[u8], name: &[u8]) -> Option<u64> {
    let [number] = numbers(text, [name]);
    number.map(bytes)
}

/// KiB as bytes.
pub(super) fn bytes(kibibytes: u64) -> u64 {
    kibibytes.saturating_mul(1024)
}

/// The beginning of a file, as far as there is room.
pub(super) fn read(file: impl AsFd, room: &mut [MaybeUninit<u8>]) -> io::Result<&[u8]> {
    let (text, _) = rustix::io::pread(file, room, 0)?;
    Ok(text)
}

/// The numbers of some lines, each of which begins with a name. Ends at the last of them.
pub(super) fn numbers<const N: usize>(text: &[u8], names: [&[u8]; N]) -> [Option<u64>; N] {
    let mut found = [None; N];
    let mut missing = N;
    for line in text.split(|byte| *byte == b'\n') {
        for (name, found) in names.iter().zip(&mut found) {
            if found.is_none()
                && let Some(value) = line.strip_prefix(*name)
            {
                *found = number(value.trim_ascii_start());
                missing -= usize::from(found.is_some());
            }
        }
        if missing == 0 {
            break;
        }
    }
    found
}

/// The number that `text` begins with.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
    let mut digits = digits.map(|digit| u64::from(digit - b'0'));
    let first = digits.next()?;
    digits.try_fold(first, |number, digit| {
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_in_any_order_and_the_first_of_a_name_counts() {
        let text = b"B:\t  7 kB\nA: 12\nB: 8\n";
        assert_eq!(
            numbers(text, [b"A:", b"B:", b"C:"]),
            [Some(12), Some(7), None]
        );
        assert_eq!(kibibytes(text, b"B:"), Some(7 * 1024));
    }

    #[test]
    fn a_line_without_a_number_has_none() {
        assert_eq!(numbers(b"A:\t\nB:\tx\n", [b"A:", b"B:"]), [None; 2]);
    }

    #[test]
    fn a_number_that_is_too_large_is_none() {
        assert_eq!(number(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(number(b"18446744073709551616"), None);
    }
}
