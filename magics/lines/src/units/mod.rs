//! Times, sizes and counts as people read them.

mod number;
mod size;
mod time;

pub use number::{count, counted, general, mean_count, whole};
pub use size::{bytes, mean_bytes, mib, mib_number, parse_size, signed_bytes, signed_size, size};
pub use time::time;
