//! The command line of `memit mprof`: the options of `mprof`, with the same names and defaults.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use memit_measurement::Backend;

use crate::arguments::{Limit, limit, seconds, window};

/// The subcommands.
#[derive(Subcommand)]
pub(crate) enum Action {
    /// Run a program and record its memory
    ///
    /// The program keeps its terminal, input, output and signals, and memit exits with the exit
    /// code of the program. The environment variable `MEMIT_MPROF_FILE` names the profile; the
    /// program may append its own functions and phases to it.
    #[command(after_help = "Examples:\n  \
        memit mprof run ./program --its-option\n  \
        memit mprof run -C sh -c 'sort words | uniq -c'\n  \
        memit mprof run -T 0.001 -o sort.dat python3 sort.py")]
    Run(RunArgs),
    /// Record the memory of a running process
    #[command(after_help = "Examples:\n  \
        memit mprof attach 4711\n  \
        memit mprof attach -t 60 firefox")]
    Attach(AttachArgs),
    /// Plot profiles in the terminal or to a file
    #[command(after_help = "Examples:\n  \
        memit mprof plot\n  \
        memit mprof plot -o memory.svg -t 'Before and after' -2 -1\n  \
        memit mprof plot -f -w 0,2.5 mprofile_20260131120000.dat")]
    Plot(PlotArgs),
    /// List the profiles in this directory
    #[command(after_help = "Example:\n  memit mprof list")]
    List,
    /// Print the peak memory of profiles
    #[command(after_help = "Examples:\n  memit mprof peak\n  memit mprof peak --func load -1")]
    Peak {
        /// Count only the time while this function was running
        #[arg(long = "func", value_name = "NAME")]
        function: Option<String>,
        #[arg(value_name = "PROFILE", help = PROFILES, allow_negative_numbers = true)]
        profiles: Vec<String>,
    },
    /// Remove profiles
    #[command(after_help = "Examples:\n  memit mprof rm 0\n  memit mprof rm 'mprofile_2025*'")]
    Rm {
        /// Only list the files that would be removed
        #[arg(long)]
        dry_run: bool,
        /// Files, or numbers from `memit mprof list`; -1 is the newest. File names may contain `*`
        /// and `?`
        #[arg(value_name = "PROFILE", required = true, allow_negative_numbers = true)]
        profiles: Vec<String>,
    },
    /// Remove all profiles in this directory
    #[command(after_help = "Example:\n  memit mprof clean --dry-run")]
    Clean {
        /// Only list the files that would be removed
        #[arg(long)]
        dry_run: bool,
    },
}

const PROFILES: &str =
    "Files, or numbers from `memit mprof list`; -1 is the newest, and the default";

#[derive(Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(super) record: RecordArgs,
    /// Stop recording after this time; the program keeps running
    #[arg(short, long, value_name = "SECONDS", value_parser = seconds, allow_hyphen_values = true)]
    pub(super) timeout: Option<Duration>,
    /// Never trace the program and its descendants. The peak of a program that has waited for children
    /// is then not exact, but debuggers can attach to the program while memit records it
    #[arg(long)]
    pub(super) no_trace: bool,
    /// Report an exit code other than 0; memit exits with it in any case
    #[arg(short = 'E', long)]
    pub(super) exit_code: bool,
    /// Let `memory_profiler` record the functions that a Python program decorates with `@profile`;
    /// the default for programs that end in `.py`
    #[arg(long, overrides_with = "nopython")]
    pub(super) python: bool,
    /// Run a Python program like any other program
    #[arg(long)]
    pub(super) nopython: bool,
    /// Program to run, with its arguments
    #[arg(
        value_name = "PROGRAM",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub(super) program: Vec<std::ffi::OsString>,
}

#[derive(Args)]
pub(crate) struct AttachArgs {
    #[command(flatten)]
    pub(super) record: RecordArgs,
    /// Stop recording after this time; with `none`, only when the process ends
    #[arg(
        short,
        long,
        value_name = "SECONDS",
        value_parser = limit,
        default_value = "3600",
        allow_hyphen_values = true
    )]
    pub(super) timeout: Limit,
    /// Process ID, or a part of the process name
    #[arg(value_name = "PID", allow_negative_numbers = true)]
    pub(super) process: String,
}

/// Options that `run` and `attach` share.
#[derive(Args)]
pub(crate) struct RecordArgs {
    /// Time between samples
    #[arg(
        short = 'T',
        long,
        value_name = "SECONDS",
        value_parser = seconds,
        default_value = "0.1",
        allow_hyphen_values = true
    )]
    pub(super) interval: Duration,
    /// Record the sum of the program and all its descendants
    #[arg(short = 'C', long)]
    pub(super) include_children: bool,
    /// Also record each descendant separately
    #[arg(short = 'M', long)]
    pub(super) multiprocess: bool,
    /// Profile to write; an existing file is appended to [default: mprofile_<YYYYmmddHHMMSS>.dat]
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// What to record. rss: resident memory; pss: resident memory, with each shared page divided
    /// among its users; uss: pages that no other process shares. Only rss has an exact peak
    #[arg(long, value_name = "BACKEND", default_value = "rss", value_parser = backend())]
    pub(super) backend: Backend,
    /// Print neither progress nor a summary
    #[arg(short, long)]
    pub(super) quiet: bool,
}

/// The backends by which the memory of any program can be read, with the names that `mprof` has for
/// them, too.
fn backend() -> impl TypedValueParser<Value = Backend> {
    let named =
        |backend: Backend, alias: &'static str| PossibleValue::new(backend.name()).alias(alias);
    let known = PossibleValuesParser::new([
        named(Backend::Rss, "psutil"),
        named(Backend::Pss, "psutil_pss"),
        named(Backend::Uss, "psutil_uss"),
    ]);
    known.map(|name| match name.as_str() {
        "pss" | "psutil_pss" => Backend::Pss,
        "uss" | "psutil_uss" => Backend::Uss,
        _ => Backend::Rss,
    })
}

#[derive(Args)]
pub(crate) struct PlotArgs {
    /// Write to this .svg, .png or .html file instead of the terminal
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Title of the plot [default: the command line]
    #[arg(short, long, value_name = "TEXT")]
    pub(super) title: Option<String>,
    /// Plot only the time from A to B, in seconds from the start
    #[arg(short, long, value_name = "A,B", value_parser = window, allow_hyphen_values = true)]
    pub(super) window: Option<(f64, f64)>,
    /// Fit a straight line to each curve and print its slope
    #[arg(short, long)]
    pub(super) slope: bool,
    /// Hide functions and phases
    #[arg(short, long = "no-function-ts")]
    pub(super) no_functions: bool,
    /// Draw functions and phases as a flame graph instead of brackets
    #[arg(short, long)]
    pub(super) flame: bool,
    #[arg(value_name = "PROFILE", help = PROFILES, allow_negative_numbers = true)]
    pub(super) profiles: Vec<String>,
}
