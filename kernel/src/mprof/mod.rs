//! `memit mprof`: records the memory of any program over time, and plots it. Commands and files are
//! those of `mprof`, which belongs to Python's `memory_profiler`.

mod arguments;
#[cfg(target_os = "linux")]
mod attach;
#[cfg(target_os = "linux")]
mod certainty;
mod list;
mod peak;
mod plot;
#[cfg(target_os = "linux")]
mod profile_file;
#[cfg(target_os = "linux")]
mod python;
mod reading;
#[cfg(target_os = "linux")]
mod recording;
mod remove;
#[cfg(target_os = "linux")]
mod run;
mod selection;
#[cfg(target_os = "linux")]
mod status;

pub(crate) use arguments::Action;

use std::process::ExitCode;

use anyhow::anyhow;
use memit_magics::visible;

impl Action {
    /// Runs the subcommand.
    ///
    /// # Errors
    ///
    /// If the subcommand fails.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        // Names of files and lines of profiles come from outside.
        self.act()
            .map_err(|error| anyhow!("{}", visible(&format!("{error:#}"))))
    }

    fn act(self) -> anyhow::Result<ExitCode> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Run(arguments) => return run::run(&arguments),
            #[cfg(target_os = "linux")]
            Self::Attach(arguments) => attach::attach(&arguments)?,
            #[cfg(not(target_os = "linux"))]
            Self::Run(_) | Self::Attach(_) => {
                anyhow::bail!(
                    "memit records memory only on Linux; on this system it can only plot, list and \
                     remove profiles"
                )
            }
            Self::Plot(arguments) => plot::plot(&arguments)?,
            Self::List => list::list(),
            Self::Peak { function, profiles } => return peak::peak(&profiles, function.as_deref()),
            Self::Rm { dry_run, profiles } => remove::remove(&profiles, dry_run)?,
            Self::Clean { dry_run } => remove::clean(dry_run)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
