//! memit: a Jupyter kernel for Rust that measures memory and time.
//!
//! The one executable plays several parts, and [`run`] decides which: a process of the session, the
//! compiler that cargo starts for a cell, or the command line.
#![forbid(unsafe_code)]

mod analyser;
mod arguments;
mod cargo;
mod cargo_settings;
mod chart_file;
mod cli;
mod compiler;
mod data_directory;
mod dependency_cache;
mod headless;
mod install;
pub mod jupyter;
mod kernel_info;
mod library_source;
mod mprof;
mod notebook;
mod session;
mod tools_environment;

use std::process::ExitCode;

use clap::Parser as _;
use memit_session_process::{relay, supervisor};
use tracing_subscriber::EnvFilter;

/// Runs the executable: plays the part that the environment and the arguments of the process name,
/// and returns its exit code.
pub fn run() -> ExitCode {
    if std::env::var_os(relay::CHILD_VARIABLE).is_some() {
        return relay::run();
    }
    match std::env::args_os().nth(1) {
        Some(argument) if argument == supervisor::ARGUMENT => return supervisor::run(),
        Some(argument) if argument == analyser::ARGUMENT => return analyser::run(),
        _ => {}
    }
    if let Some(part) = cargo::part() {
        return cargo::run(part);
    }
    if let Some(session) = compiler::session() {
        return compiler::run(&session);
    }
    evcxr::runtime_hook();
    let cli = cli::Cli::parse();
    log_to_stderr();
    if cli.starts_a_session() {
        tools_environment::enter();
    }
    let code = cli.run().unwrap_or_else(|error| {
        eprintln!("memit: {error:#}");
        ExitCode::FAILURE
    });
    tools_environment::remove_directory();
    code
}

/// Logs to standard error. `MEMIT_LOG` selects messages like `RUST_LOG`; the default is memit's
/// warnings.
fn log_to_stderr() {
    let filter =
        EnvFilter::try_from_env("MEMIT_LOG").unwrap_or_else(|_| EnvFilter::new("memit=warn"));
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(filter)
        .init();
}
