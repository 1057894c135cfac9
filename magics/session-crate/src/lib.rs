//! The crate that every cell of a session is compiled against.
//!
//! A session compiles this crate once, with its own `rustc` and with the feature `cells`. A cell
//! then contains little more than the user's code. Generic code is kept thin for the same reason: a
//! cell that uses it compiles only calls.
//!
//! The session process depends on this crate without `cells`: [`abi`] declares each function that a
//! cell calls in the session process, and the session process checks its definitions against the
//! declarations.

#![cfg_attr(
    feature = "question_mark",
    feature(alloc_error_hook, const_type_name, specialization, try_trait_v2)
)]
#![cfg_attr(feature = "question_mark", expect(incomplete_features))]

pub mod abi;
pub mod lines;

#[cfg(feature = "cells")]
mod batch;
#[cfg(feature = "cells")]
mod captured;
#[cfg(feature = "cells")]
mod clear_output;
#[cfg(feature = "cells")]
mod ending;
#[cfg(feature = "cells")]
mod function_result;
#[cfg(feature = "cells")]
pub mod harness;
#[cfg(feature = "question_mark")]
mod lazy;
#[cfg(feature = "cells")]
pub mod listing;
#[cfg(feature = "question_mark")]
mod no_memory;
#[cfg(feature = "cells")]
mod phases;
#[cfg(feature = "cells")]
mod placed;
#[cfg(feature = "cells")]
mod print;
#[cfg(feature = "question_mark")]
mod question_mark;
#[cfg(feature = "cells")]
mod shared_key;
#[cfg(feature = "cells")]
mod start;
#[cfg(feature = "cells")]
mod surroundings;
#[cfg(feature = "cells")]
mod test_runner;
#[cfg(feature = "cells")]
mod value;
#[cfg(feature = "cells")]
mod variable_store;

#[cfg(feature = "sources")]
pub mod sources;

#[cfg(feature = "question_mark")]
pub use question_mark::*;
#[cfg(feature = "cells")]
pub use {
    captured::*, clear_output::*, ending::*, function_result::*, phases::*, placed::*, print::*,
    shared_key::*, start::*, surroundings::*, test_runner::*, value::*, variable_store::*,
};
