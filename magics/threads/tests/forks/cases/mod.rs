//! All tests.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "numbers are small, and calls of the system take them as other types"
)]

mod calls;
mod harness;
mod kernel;
mod locks;
mod memory;
mod nested;
mod pools;
mod process;
mod soak;
mod stops;
mod threads;

/// Runs all tests, or the one that this process is for.
pub(crate) fn run() {
    let cases = [
        calls::CASES,
        kernel::CASES,
        locks::CASES,
        memory::CASES,
        nested::CASES,
        pools::CASES,
        soak::CASES,
        stops::CASES,
        threads::CASES,
    ];
    harness::run(cases.concat());
}
