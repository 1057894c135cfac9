//! `memit mprof plot`: draws profiles.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use chrono::{DateTime, Local};
use memit_magics::chart::{self, Chart, Functions, Options};
use memit_magics::mprof_file::Profile;
use memit_magics::visible;
use terminal_size::{Height, Width, terminal_size_of};

use super::arguments::PlotArgs;
use super::{reading, selection};
use crate::chart_file::{ChartFormat, write_chart};

/// Width of an output that is not a terminal.
const COLUMNS: usize = 80;
/// Lines of the curves in a tall terminal, or in an output that is not a terminal.
const LINES: usize = 15;
const FEWEST_LINES: usize = 6;
/// Lines of a chart other than its curves.
const OTHER_LINES: usize = 8;

/// Draws profiles to a file, or in the terminal.
///
/// # Errors
///
/// If a profile cannot be found or read or is empty, or the file cannot be written.
pub(super) fn plot(arguments: &PlotArgs) -> anyhow::Result<()> {
    // Checked first, because reading the profiles may take a while.
    let to = arguments
        .output
        .as_deref()
        .map(|path| Ok::<_, anyhow::Error>((path, format(path)?)));
    let to = to.transpose()?;
    let paths = selection::to_show(&arguments.profiles)?;
    let profiles: Vec<Profile> = paths
        .iter()
        .map(|path| reading::read(path))
        .collect::<Result<_, _>>()?;
    for (path, profile) in paths.iter().zip(&profiles) {
        if let Some(peak) = profile.peak() {
            let name = path.display().to_string();
            reading::say_bounds(&visible(&name), peak.memory, profile);
        }
    }
    let several = profiles.len() > 1;
    let labelled: Vec<_> = paths
        .iter()
        .zip(&profiles)
        .map(|(path, profile)| (label(path, profile, several), profile))
        .collect();
    let options = Options {
        title: arguments.title.clone(),
        window: arguments.window,
        slope: arguments.slope,
        functions: match arguments {
            _ if arguments.no_functions => Functions::Hidden,
            _ if arguments.flame => Functions::Flame,
            _ => Functions::Brackets,
        },
        whole_names: false,
    };
    let chart = Chart::new(&labelled, &options)?;
    match to {
        Some((path, format)) => write_chart(&chart, path, format),
        None => show(&chart),
    }
}

fn format(path: &Path) -> anyhow::Result<ChartFormat> {
    let Some(format) = ChartFormat::of(path) else {
        bail!(
            "unknown format `{}`: use .svg, .png or .html",
            path.display()
        );
    };
    Ok(format)
}

fn show(chart: &Chart) -> anyhow::Result<()> {
    let size = terminal_size_of(std::io::stdout());
    let columns = std::env::var("COLUMNS")
        .ok()
        .and_then(|text| text.parse().ok());
    let width = size.map(|(Width(width), _)| usize::from(width)).or(columns);
    let height = size.map_or(LINES, |(_, Height(height))| {
        usize::from(height)
            .saturating_sub(OTHER_LINES)
            .clamp(FEWEST_LINES, LINES)
    });
    let text = chart::terminal(chart, width.unwrap_or(COLUMNS), height);
    match anstream::stdout().lock().write_all(text.as_bytes()) {
        // The user has quit the pager.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write the plot"),
    }
}

/// The time when the profile starts, and its file name if there are several profiles.
fn label(path: &Path, profile: &Profile, several: bool) -> String {
    let first = profile.curve().first().map_or(0.0, |sample| sample.time);
    #[allow(clippy::cast_possible_truncation)]
    let start = DateTime::from_timestamp_millis((first * 1e3).round() as i64).unwrap_or_default();
    let start = start.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S%.3f");
    if several {
        format!("{}, started {start}", short(path).display())
    } else {
        format!("started {start}")
    }
}

fn short(path: &Path) -> PathBuf {
    path.file_name()
        .map_or_else(|| path.to_owned(), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_of_unknown_format_is_refused() {
        let error = format(Path::new("a.pdf")).unwrap_err().to_string();
        assert_eq!(error, "unknown format `a.pdf`: use .svg, .png or .html");
    }
}
