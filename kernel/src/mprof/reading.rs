//! Reads profiles, and says what a reader should know about them.

use std::path::Path;

use memit_magics::mprof_file::{AtMost, Profile, ReadError};
use memit_magics::{units, visible};

/// Further lines that were left out are only counted.
const MOST_PROBLEMS: usize = 3;

/// Reads a profile. Lines that were left out are reported on standard error.
///
/// # Errors
///
/// If the file cannot be read or is not a profile.
pub(super) fn read(path: &Path) -> Result<Profile, ReadError> {
    let profile = Profile::read(path)?;
    let name = path.display().to_string();
    let name = visible(&name);
    for problem in profile.problems.iter().take(MOST_PROBLEMS) {
        eprintln!("memit: {name}:{problem}; the line is left out");
    }
    let more = profile.problems.len().saturating_sub(MOST_PROBLEMS);
    if more > 0 {
        let more = units::counted(&units::count(more as u64), "more line");
        eprintln!("memit: {name}: {more} left out");
    }
    Ok(profile)
}

/// Says on standard error which peaks of a profile are not exact.
pub(super) fn say_bounds(name: &str, peak: u64, profile: &Profile) {
    if let Some(bound) = profile.at_most {
        eprintln!("memit: {name}: {}", of_program(bound, peak));
    }
    let inexact = profile
        .children
        .iter()
        .filter(|child| child.at_most.is_some());
    match inexact.count() as u64 {
        0 => {}
        1 => eprintln!("memit: {name}: the peak of one child may have been higher"),
        several => {
            let several = units::count(several);
            eprintln!("memit: {name}: the peaks of {several} children may have been higher");
        }
    }
}

fn of_program(bound: AtMost, peak: u64) -> String {
    match bound {
        AtMost::Unknown => "the peak may have been higher".to_owned(),
        AtMost::Bytes(most) if most > peak => {
            format!("the peak may have been higher, up to {}", units::mib(most))
        }
        AtMost::Bytes(_) => "the peak may have been lower".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_says_on_which_side_the_peak_may_be() {
        let peak = 65 << 20;
        let said = [
            AtMost::Unknown,
            AtMost::Bytes(88 << 20),
            AtMost::Bytes(peak),
        ]
        .map(|bound| of_program(bound, peak));
        assert_eq!(
            said,
            [
                "the peak may have been higher",
                "the peak may have been higher, up to 88.00 MiB",
                "the peak may have been lower"
            ]
        );
    }
}
