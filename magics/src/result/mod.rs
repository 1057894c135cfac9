//! The results of magics: data in bytes and nanoseconds. `-v` binds a result to a variable, and
//! [`report`](crate::report) shows it.

#[macro_use]
mod to_rust;

mod costs;
mod lines;
mod memory;
mod once;
mod rust_value;
mod time;
mod timeline;
mod whos;

pub use costs::{CellCost, CostsOrder, CostsResult};
pub use lines::{LprunResult, MprunResult};
pub use memory::MemitResult;
pub use once::TimeResult;
pub use rust_value::RustValue;
pub use time::{TimeitMemory, TimeitResult};
pub use timeline::MprofResult;
#[cfg(test)]
pub(crate) use whos::tests::sample as whos_sample;
pub use whos::{WhosOrder, WhosResult, WhosVariable};
