//! Whatever is typed, a cell is split, its magics are read, and its offsets are kept.
#![no_main]

use libfuzzer_sys::fuzz_target;
use memit_magics::split::{Part, blank_magics, placed, split};

fuzz_target!(|cell: &str| {
    if let Ok(parts) = split(cell) {
        let mut ranges = Vec::new();
        for part in parts {
            match part {
                Part::Rust(range) => {
                    for magic in placed(cell, range.clone()) {
                        let _ = magic.request(cell);
                    }
                    ranges.push(range);
                }
                Part::Magic(magic) => {
                    let _ = magic.request(cell);
                    ranges.push(magic.whole);
                    ranges.extend(magic.body);
                }
            }
        }
        ranges.sort_by_key(|range| (range.start, range.end));
        let mut at = 0;
        for range in ranges {
            assert!(range.start >= at && cell.get(range.clone()).is_some());
            at = range.end;
        }
    }
    assert_eq!(blank_magics(cell).len(), cell.len());
});
