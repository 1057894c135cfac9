//! The message of an allocation that fails.
//!
//! Like the module `question_mark`, this module needs unstable features of the compiler.

use std::alloc::{Layout, set_alloc_error_hook};
use std::io::Write as _;

/// Makes failed allocations write one line. `libstd` would add the frames of the session process, if the
/// user has asked for backtraces, and the memory that this takes would be in the figures of a run.
pub(crate) fn say_in_one_line() {
    set_alloc_error_hook(say);
}

fn say(layout: Layout) {
    let size = layout.size();
    let _ = writeln!(
        std::io::stderr(),
        "memory allocation of {size} bytes failed"
    );
}
