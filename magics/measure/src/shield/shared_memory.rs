//! Memory that a process shares with others.

use std::fs;
use std::io;
use std::ops::Range;

/// Memory of ours that survives a run: see [`crate::shared`].
const OURS: &str = "/memfd:memit";

/// Makes the memory read-only that this process shares with others, but for `kept`. A write to it ends the process.
pub(super) fn protect(kept: &[Range<usize>]) -> io::Result<()> {
    let maps = fs::read_to_string("/proc/self/maps")?;
    for range in maps.lines().filter_map(shared) {
        let is_kept = kept
            .iter()
            .any(|kept| kept.start < range.end && range.start < kept.end);
        if is_kept {
            // The system joins neighbours into one line.
            protect_around(&range, kept)?;
        } else {
            protect_range(&range)?;
        }
    }
    Ok(())
}

/// Protects what of a range is not kept, in whole pages.
fn protect_around(range: &Range<usize>, kept: &[Range<usize>]) -> io::Result<()> {
    let page = rustix::param::page_size();
    let mut kept: Vec<_> = kept
        .iter()
        .map(|kept| kept.start / page * page..kept.end.next_multiple_of(page))
        .collect();
    kept.sort_by_key(|kept| kept.start);
    let mut start = range.start;
    for kept in kept {
        if kept.start > start {
            protect_range(&(start..kept.start.min(range.end)))?;
        }
        start = start.max(kept.end);
    }
    if start < range.end {
        protect_range(&(start..range.end))?;
    }
    Ok(())
}

fn protect_range(range: &Range<usize>) -> io::Result<()> {
    if range.is_empty() {
        return Ok(());
    }
    // SAFETY: the contents stay. The process is a fork which ends with the destructors that it runs, and whose
    // end by a signal is expected.
    let refused = unsafe {
        libc::mprotect(
            range.start as *mut libc::c_void,
            range.len(),
            libc::PROT_READ,
        )
    } != 0;
    if refused {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// The addresses of a line of `/proc/self/maps`, if others see what the process writes there.
fn shared(line: &str) -> Option<Range<usize>> {
    let mut fields = line.split_ascii_whitespace();
    let addresses = fields.next()?;
    let access = fields.next()?;
    let path = fields.nth(3).unwrap_or_default();
    if !access.ends_with('s') || !access.contains('w') || path == OURS {
        return None;
    }
    let (start, end) = addresses.split_once('-')?;
    let number = |text| usize::from_str_radix(text, 16).ok();
    Some(number(start)?..number(end)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_memory_that_others_see_is_shared() {
        let line = "7f00-8f00 rw-s 00000000 00:01 1 /dev/zero (deleted)";
        assert_eq!(shared(line), Some(0x7f00..0x8f00));
        assert_eq!(shared("7f00-8f00 rw-p 00000000 00:00 0"), None);
        assert_eq!(shared("7f00-8f00 r--s 00000000 00:00 0 /a"), None);
        assert_eq!(
            shared("7f00-8f00 rw-s 0 00:01 2 /memfd:memit (deleted)"),
            None
        );
    }
}
