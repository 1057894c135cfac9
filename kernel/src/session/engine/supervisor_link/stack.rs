//! The stack on which cells run.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// A cell moves the variables that it mentions, some of them large, through its stack. The system
/// takes memory for the part of a stack that is used only.
const STACK: u64 = 256 << 20;

/// Starts a process whose main thread, and those of its children, may use a large stack. The size
/// that a process may use is chosen when it starts.
pub(super) fn with_large_stack<T>(start: impl FnOnce() -> T) -> T {
    let before = getrlimit(Resource::Stack);
    let is_large = before.current.is_none_or(|current| current >= STACK);
    // Without a stack of this size, a cell with large variables may overflow its stack.
    let is_set = !is_large && {
        let current = before.maximum.map_or(STACK, |maximum| maximum.min(STACK));
        let limit = Rlimit {
            current: Some(current),
            maximum: before.maximum,
        };
        setrlimit(Resource::Stack, limit).is_ok()
    };
    let started = start();
    if is_set {
        let _ = setrlimit(Resource::Stack, before);
    }
    started
}
