//! Whatever is typed, a cell is split, its magics are read, and its offsets are kept.
#![no_main]

use libfuzzer_sys::fuzz_target;
use memit_magics::cell::{Part, split};
use memit_magics::request::blank_magics;

fuzz_target!(|cell: &str| {
    if let Ok(parts) = split(cell) {
        let mut at = 0;
        for part in parts {
            let range = match part {
                Part::Rust(range) => range,
                Part::Magic(magic) => {
                    let _ = magic.request(cell);
                    magic.name.start..magic.body.map_or(magic.line.end, |body| body.end)
                }
            };
            assert!(range.start >= at && cell.get(range.clone()).is_some());
            at = range.end;
        }
    }
    assert_eq!(blank_magics(cell).len(), cell.len());
});
