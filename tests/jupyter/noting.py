"""Cells that note how large the allocator made a block, so that tests need not know its rules."""

import re
from textwrap import dedent

NOTE = dedent("""
    mod sizes {
        use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
        unsafe extern "C" { fn malloc_usable_size(block: *mut u8) -> usize; }
        static SIZES: [AtomicI64; 8] = [const { AtomicI64::new(0) }; 8];
        pub fn note<T>(index: usize, block: &[T]) {
            let size = unsafe { malloc_usable_size(block.as_ptr().cast_mut().cast()) };
            SIZES[index].fetch_add(size as i64, Relaxed);
        }
        pub fn tell() {
            println!("{:?}", SIZES.iter().map(|size| size.load(Relaxed)).collect::<Vec<_>>());
        }
    }
    use sizes::note;
""")


def sizes(cell):
    """The sizes that `sizes::tell()` has printed in `cell`."""
    return [int(size) for size in re.findall(r"-?\d+", cell.stdout)]
