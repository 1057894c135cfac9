//! memit: a Jupyter kernel for Rust that measures memory and time.
//!
//! The one executable plays several parts, and the first lines of `main` decide which: the
//! session's processes, what cargo takes for `rustc`, or what the command line asks for.
#![forbid(unsafe_code)]

mod cli;
mod compiler;
mod headless;
mod install;
mod jupyter;
mod mprof;
mod session;

use std::process::ExitCode;

use clap::Parser as _;
use memit_runtime::{relay, supervisor};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    if std::env::var_os(relay::CHILD_VARIABLE).is_some() {
        return relay::run();
    }
    if std::env::args_os()
        .nth(1)
        .is_some_and(|argument| argument == supervisor::ARGUMENT)
    {
        return supervisor::run();
    }
    if let Some(session) = compiler::session() {
        return compiler::run(&session);
    }
    evcxr::runtime_hook();
    let cli = cli::Cli::parse();
    log_to_stderr();
    cli.run().unwrap_or_else(|error| {
        eprintln!("memit: {error:#}");
        ExitCode::FAILURE
    })
}

/// `MEMIT_LOG` says what is logged, as `RUST_LOG` does elsewhere; our own warnings without it.
fn log_to_stderr() {
    let filter =
        EnvFilter::try_from_env("MEMIT_LOG").unwrap_or_else(|_| EnvFilter::new("memit=warn"));
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(filter)
        .init();
}
