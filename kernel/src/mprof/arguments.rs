//! What can be asked of `memit mprof`: the options of `mprof`, with its names and defaults.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use crate::arguments::{seconds, window};

/// The subcommands.
#[derive(Subcommand)]
pub(crate) enum Action {
    /// Run a program and record its memory
    ///
    /// The program has the terminal, its input, output and signals as if it ran alone, and its
    /// exit code is passed on. In the environment variable `MEMIT_MPROF_FILE` it finds the file, to
    /// which it may add functions and phases of its own.
    #[command(after_help = "Examples:\n  \
        memit mprof run ./program --its-option\n  \
        memit mprof run -C sh -c 'sort words | uniq -c'\n  \
        memit mprof run -T 0.001 -o sort.dat python3 sort.py")]
    Run(RunArgs),
    /// Record the memory of a process that is running already
    #[command(after_help = "Examples:\n  \
        memit mprof attach 4711\n  \
        memit mprof attach -t 60 firefox")]
    Attach(AttachArgs),
    /// Draw profiles, in the terminal or into a file
    #[command(after_help = "Examples:\n  \
        memit mprof plot\n  \
        memit mprof plot -o memory.svg -t 'Before and after' -2 -1\n  \
        memit mprof plot -f -w 0,2.5 mprofile_20260131120000.dat")]
    Plot(PlotArgs),
    /// List the profiles in this directory
    #[command(after_help = "Example:\n  memit mprof list")]
    List,
    /// Print the highest memory of profiles
    #[command(after_help = "Examples:\n  memit mprof peak\n  memit mprof peak --func load -1")]
    Peak {
        /// While this function was running
        #[arg(long = "func", value_name = "NAME")]
        function: Option<String>,
        #[arg(value_name = "PROFILE", help = PROFILES, allow_negative_numbers = true)]
        profiles: Vec<String>,
    },
    /// Remove profiles
    #[command(after_help = "Examples:\n  memit mprof rm 0\n  memit mprof rm 'mprofile_2025*'")]
    Rm {
        /// Only tell which files
        #[arg(long)]
        dry_run: bool,
        /// Files, with `*` and `?` if need be, or numbers as `memit mprof list` has them; -1 is the
        /// last
        #[arg(value_name = "PROFILE", required = true, allow_negative_numbers = true)]
        profiles: Vec<String>,
    },
    /// Remove all profiles in this directory
    #[command(after_help = "Example:\n  memit mprof clean --dry-run")]
    Clean {
        /// Only tell which files
        #[arg(long)]
        dry_run: bool,
    },
}

const PROFILES: &str = "Files, or numbers as `memit mprof list` has them; -1 is the last, and the \
    default";

#[derive(Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(super) record: RecordArgs,
    /// Stop recording after this time; the program goes on
    #[arg(short, long, value_name = "SECONDS", value_parser = seconds)]
    pub(super) timeout: Option<Duration>,
    /// Tell of an exit code that is not 0; it is passed on in any case
    #[arg(short = 'E', long)]
    pub(super) exit_code: bool,
    /// Record the functions of a Python program that are decorated with `@profile`, by
    /// `memory_profiler`; the default for programs that end in `.py`
    #[arg(long, overrides_with = "nopython")]
    pub(super) python: bool,
    /// Run a Python program as any other
    #[arg(long)]
    pub(super) nopython: bool,
    /// The program and its arguments
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
    /// Stop recording after this time
    #[arg(short, long, value_name = "SECONDS", value_parser = seconds, default_value = "3600")]
    pub(super) timeout: Duration,
    /// The number of the process, or a part of its name
    #[arg(value_name = "PID")]
    pub(super) process: String,
}

/// How memory is recorded.
#[derive(Args)]
pub(crate) struct RecordArgs {
    /// Time between two samples
    #[arg(short = 'T', long, value_name = "SECONDS", value_parser = seconds, default_value = "0.1")]
    pub(super) interval: Duration,
    /// Add up the memory of the program and all its descendants
    #[arg(short = 'C', long)]
    pub(super) include_children: bool,
    /// Record each descendant on its own
    #[arg(short = 'M', long)]
    pub(super) multiprocess: bool,
    /// The file, to which is added if there is one [default: mprofile_<YYYYmmddHHMMSS>.dat]
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// What is counted: resident memory; the same with shared pages divided among those who share
    /// them; pages that are the program's alone. Only resident memory has an exact peak
    #[arg(long, value_name = "BACKEND", default_value = "rss")]
    pub(super) backend: Backend,
    /// Do not show what is going on
    #[arg(short, long)]
    pub(super) quiet: bool,
}

/// What is counted, with the names that `mprof` has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Backend {
    #[value(alias = "psutil")]
    Rss,
    #[value(alias = "psutil_pss")]
    Pss,
    #[value(alias = "psutil_uss")]
    Uss,
}

#[derive(Args)]
pub(crate) struct PlotArgs {
    /// A file that ends in .svg, .png or .html, instead of the terminal
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Above the plot [default: the command line]
    #[arg(short, long, value_name = "TEXT")]
    pub(super) title: Option<String>,
    /// Only from A to B, in seconds from the start
    #[arg(short, long, value_name = "A,B", value_parser = window, allow_hyphen_values = true)]
    pub(super) window: Option<(f64, f64)>,
    /// Draw a straight line through each curve and tell its slope
    #[arg(short, long)]
    pub(super) slope: bool,
    /// Leave out functions and phases
    #[arg(short, long = "no-function-ts")]
    pub(super) no_functions: bool,
    /// Draw functions and phases as a flame graph instead of brackets
    #[arg(short, long)]
    pub(super) flame: bool,
    #[arg(value_name = "PROFILE", help = PROFILES, allow_negative_numbers = true)]
    pub(super) profiles: Vec<String>,
}
