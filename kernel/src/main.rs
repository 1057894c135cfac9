//! The program `memit`.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    memit_kernel::run()
}
