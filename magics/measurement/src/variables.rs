//! The sizes and values of the variables of a session.

use serde::{Deserialize, Serialize};

/// The variables of a session. Sizes are in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariablesMeasurement {
    /// The variables, in the order of the list.
    pub variables: Vec<VariableMeasurement>,
    /// Heap that is freed if all variables are dropped whose heap is known; absent if it was not measured.
    pub freed_together: Option<u64>,
    /// Heap that the allocator has handed out; absent where the allocator does not tell.
    pub live_heap: Option<u64>,
    /// Threads of the session.
    pub threads: u32,
}

/// One variable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariableMeasurement {
    /// Size of the value itself, as of `size_of_val`.
    pub size: u64,
    /// The heap of the value; absent if it could not be measured.
    pub heap: Option<HeapOfVariable>,
    /// Why the heap could not be measured.
    pub no_heap: Option<NoHeap>,
    /// The value as text in one line, as far as there was room; absent if the type has no text, or if the code that
    /// makes the text fails.
    pub value: Option<String>,
}

/// The heap of a variable, in usable sizes of blocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeapOfVariable {
    /// Bytes that are freed if the variable is dropped alone.
    pub own: u64,
    /// Blocks that are freed if the variable is dropped alone.
    pub blocks: u64,
    /// More bytes that are freed if the variable is dropped after all others; absent if it was not measured.
    pub shared: Option<u64>,
}

/// Why the heap of a variable could not be measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NoHeap {
    /// The destructor has panicked.
    Panicked {
        /// The message of the panic.
        message: String,
    },
    /// The destructor has taken longer than this time.
    TimedOut {
        /// The limit.
        seconds: u64,
    },
    /// A signal has ended the process of the destructor.
    Signal {
        /// The system's number of the signal.
        number: i32,
    },
    /// The destructor has ended its process.
    Exited {
        /// The exit code.
        code: i32,
    },
    /// The system refused a process in which the destructor could run.
    Refused {
        /// The system's message.
        message: String,
    },
    /// What the destructor does to the world outside could not be prevented.
    NotShielded {
        /// The system's message.
        message: String,
    },
    /// The session cannot be forked.
    CannotFork {
        /// Why, as a clause.
        why: String,
    },
    /// The session process does not have the variable.
    Missing,
    /// The heap is not counted on this system.
    NotCounted,
}
