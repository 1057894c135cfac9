//! The command line: parses arguments and runs the subcommand.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::arguments::seconds;
use crate::data_directory::Environment;
use crate::headless::{self, RunOptions, TABLE};
use crate::install::{self, Install, InstallPrefix, KernelName};
use crate::jupyter::{self, DatabasePlace};
use crate::mprof;

/// A Jupyter kernel for Rust that measures memory and time: `%memit`, `%timeit`.
#[derive(Parser)]
#[command(name = "memit", version, about, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Register the kernel with Jupyter
    #[command(after_help = "Example:\n  memit install --user")]
    Install {
        #[command(flatten)]
        prefix: PrefixArgs,
        #[command(flatten)]
        name: NameArgs,
        /// Name of the kernel in Jupyter's menus
        #[arg(long, value_name = "TEXT", default_value = Install::DEFAULT_DISPLAY_NAME)]
        display_name: String,
    },
    /// Undo `memit install`
    #[command(after_help = "Example:\n  memit uninstall")]
    Uninstall {
        #[command(flatten)]
        prefix: PrefixArgs,
        #[command(flatten)]
        name: NameArgs,
    },
    /// Serve a front-end; Jupyter runs this command
    #[command(after_help = "Example:\n  memit kernel --connection-file connection.json")]
    Kernel {
        /// Connection file that the front-end wrote
        #[arg(long, value_name = "FILE")]
        connection_file: PathBuf,
        /// Keep the history of cells in memory only, like `MEMIT_HISTORY=off`
        #[arg(long)]
        no_history: bool,
        /// Show below each cell what it has cost, like `MEMIT_COSTS=1`
        #[arg(long)]
        costs: bool,
    },
    /// Execute a notebook without Jupyter
    #[command(after_help = "Example:\n  memit run notebooks/quickstart.ipynb -o executed.ipynb")]
    Run {
        /// Notebook to execute
        notebook: PathBuf,
        /// Write the executed notebook to this file
        #[arg(short, long, value_name = "OUT")]
        output: Option<PathBuf>,
        /// Write the executed notebook over the original
        #[arg(long, conflicts_with = "output")]
        inplace: bool,
        /// Interrupt a cell that runs longer than this
        #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_hyphen_values = true)]
        timeout: Option<Duration>,
        /// Continue after a cell fails
        #[arg(long)]
        allow_errors: bool,
        /// Print a table of what the cells have cost, or write the data to a JSON file
        #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = TABLE)]
        costs: Option<PathBuf>,
    },
    /// Evaluate cells and print their results
    #[command(after_help = "Examples:\n  \
        memit eval '%timeit (0..1000u64).sum::<u64>()'\n  \
        memit eval 'let v = vec![1u8; 1 << 20];' '%memit v.clone()'\n  \
        echo '1 + 1' | memit eval -")]
    Eval {
        /// Cells to evaluate, in order; `-` reads a cell from standard input
        #[arg(value_name = "CODE", default_value = "-", allow_hyphen_values = true)]
        cells: Vec<String>,
    },
    /// Record the memory of any program over time, and plot it
    #[command(after_help = "Examples:\n  \
        memit mprof run ./program\n  \
        memit mprof plot\n  \
        memit mprof peak")]
    Mprof {
        #[command(subcommand)]
        action: mprof::Action,
    },
}

/// Selects the directory of the kernelspec.
#[derive(Args)]
#[group(multiple = false)]
struct PrefixArgs {
    /// Use the data directory of the current user (default)
    #[arg(long)]
    user: bool,
    /// Use DIR/share/jupyter
    #[arg(long, value_name = "DIR")]
    prefix: Option<PathBuf>,
    /// Use the active Python environment
    #[arg(long)]
    sys_prefix: bool,
}

#[derive(Args)]
struct NameArgs {
    /// Name of the kernelspec
    #[arg(long, default_value = Install::DEFAULT_NAME)]
    name: KernelName,
}

impl PrefixArgs {
    /// The prefix that the user named, if any.
    fn named(self) -> Option<InstallPrefix> {
        if self.sys_prefix {
            Some(InstallPrefix::SysPrefix)
        } else if let Some(prefix) = self.prefix {
            Some(InstallPrefix::Directory(prefix))
        } else {
            self.user.then_some(InstallPrefix::User)
        }
    }
}

impl Cli {
    /// Whether the subcommand compiles cells.
    pub(crate) fn starts_a_session(&self) -> bool {
        matches!(
            self.command,
            Command::Kernel { .. } | Command::Run { .. } | Command::Eval { .. }
        )
    }

    /// Runs the subcommand.
    ///
    /// # Errors
    ///
    /// If the subcommand fails; the caller prints the error.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Install {
                prefix,
                name,
                display_name,
            } => {
                let prefix = prefix.named().unwrap_or(InstallPrefix::User);
                let install = Install {
                    prefix,
                    name: name.name,
                    display_name,
                };
                let path = install.run(&Environment::of_process())?;
                println!("{}", path.display());
            }
            Command::Uninstall { prefix, name } => {
                let prefixes = [prefix.named().unwrap_or(InstallPrefix::User)];
                for path in install::uninstall(&prefixes, &name.name, &Environment::of_process())? {
                    println!("{}", path.display());
                }
            }
            Command::Kernel {
                connection_file,
                no_history,
                costs,
            } => {
                let history = if no_history {
                    DatabasePlace::Memory
                } else {
                    DatabasePlace::of_user()
                };
                jupyter::serve(&connection_file, history, costs)?;
            }
            Command::Run {
                notebook,
                output,
                inplace,
                timeout,
                allow_errors,
                costs,
            } => {
                let output = if inplace {
                    Some(notebook.clone())
                } else {
                    output
                };
                return headless::run(&RunOptions {
                    notebook,
                    output,
                    timeout,
                    allow_errors,
                    costs,
                });
            }
            Command::Eval { cells } => return headless::eval(&cells),
            Command::Mprof { action } => return action.run(),
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_subcommand_shows_an_example() {
        let cli = Cli::command();
        let nested = cli
            .get_subcommands()
            .flat_map(clap::Command::get_subcommands);
        for command in cli.get_subcommands().chain(nested) {
            let help = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(help.starts_with("Example"), "{}", command.get_name());
        }
    }
}
