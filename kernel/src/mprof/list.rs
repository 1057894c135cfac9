//! `memit mprof list`: prints the profiles of a directory.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Local, NaiveDateTime};
use memit_magics::{mprof_file, visible};

use super::selection;

/// The line of a first sample is among the first lines.
const MOST_LINES: usize = 100;

/// Prints the profiles in this directory with their numbers and times, in the format of `mprof`.
pub(super) fn list() {
    for (number, path) in selection::recorded().iter().enumerate() {
        let name = path.display().to_string();
        let time = selection::stamp(&name).map(|stamp| shown(stamp, first_sample(path)));
        println!("{number} {} {}", visible(&name), time.unwrap_or_default());
    }
}

/// `12:00:00 31/01/2026`, from the stamp `20260131120000` in the name of a file. Of several recordings
/// that start in one second, all but one are named after a later second, but have a first sample before
/// that.
fn shown(stamp: &str, first_sample: Option<NaiveDateTime>) -> String {
    let Ok(named) = NaiveDateTime::parse_from_str(stamp, "%Y%m%d%H%M%S") else {
        return String::new();
    };
    let started = first_sample.map_or(named, |sample| sample.min(named));
    started.format("%H:%M:%S %d/%m/%Y").to_string()
}

/// When the first sample of a profile was taken, in local time.
fn first_sample(path: &Path) -> Option<NaiveDateTime> {
    let text = BufReader::new(File::open(path).ok()?);
    let sample = mprof_file::first_sample(text, MOST_LINES)?;
    let since_1970 = Duration::from_secs_f64(sample.time);
    let time = DateTime::from_timestamp(i64::try_from(since_1970.as_secs()).ok()?, 0)?;
    Some(time.with_timezone(&Local).naive_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap()
    }

    #[test]
    fn the_name_tells_the_start_unless_a_sample_is_earlier() {
        for (first_sample, expected) in [
            (None, "12:00:02 31/01/2026"),
            (Some(time("2026-01-31 12:00:00")), "12:00:00 31/01/2026"),
            (Some(time("2026-01-31 12:00:02")), "12:00:02 31/01/2026"),
            // A program that took its time to begin.
            (Some(time("2026-01-31 12:00:09")), "12:00:02 31/01/2026"),
        ] {
            assert_eq!(shown("20260131120002", first_sample), expected);
        }
    }

    #[test]
    fn a_name_without_a_time_has_none() {
        assert_eq!(shown("99999999999999", None), "");
    }
}
