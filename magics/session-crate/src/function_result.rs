//! A name for the type `!`.

/// The result of a function. Stable Rust accepts `!` only there, so a cell that must write the type
/// writes `<fn() -> ! as FunctionResult>::Value`.
pub trait FunctionResult {
    /// The type of the result.
    type Value;
}

impl<T> FunctionResult for fn() -> T {
    type Value = T;
}
