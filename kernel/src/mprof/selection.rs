//! Selects profiles by file name, pattern or number.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::bail;

/// A profile is named `mprofile_`, 14 digits of its start time, `.dat`.
const PREFIX: &str = "mprofile_";
const SUFFIX: &str = ".dat";
const STAMP: usize = 14;

/// The profiles in this directory that `run` has named, oldest first.
pub(super) fn recorded() -> Vec<PathBuf> {
    let mut found = files_in(Path::new("."), |name| stamp(name).is_some());
    found.sort();
    found
}

/// The start time in the name of a profile, as 14 digits.
pub(super) fn stamp(name: &str) -> Option<&str> {
    let stamp = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let is_stamp = stamp.len() == STAMP && stamp.bytes().all(|byte| byte.is_ascii_digit());
    is_stamp.then_some(stamp)
}

/// The profiles to show, by file name or number. Without arguments, the newest profile; a line of
/// output says so.
///
/// # Errors
///
/// If a name or number has no profile.
pub(super) fn to_show(arguments: &[String]) -> anyhow::Result<Vec<PathBuf>> {
    let recorded = recorded();
    if arguments.is_empty() {
        let Some(last) = recorded.last() else {
            bail!(
                "there is no profile (mprofile_*.dat) in this directory: record one with `memit mprof \
                 run PROGRAM`, or name a file"
            );
        };
        println!("Using last profile data.");
        return Ok(vec![last.clone()]);
    }
    let mut chosen = Vec::new();
    for argument in arguments {
        let path = Path::new(argument);
        if path.exists() {
            chosen.push(file(path)?);
        } else if let Ok(number) = argument.parse() {
            chosen.push(numbered(&recorded, number)?);
        } else {
            chosen.extend(matched(argument)?);
        }
    }
    Ok(without_repetition(chosen))
}

/// The profiles to remove, selected like those to show, except that a number never names a file.
/// Includes the `_ts` files that older versions of `mprof` left beside profiles.
///
/// # Errors
///
/// If a name or number has no profile.
pub(super) fn to_remove(arguments: &[String]) -> anyhow::Result<Vec<PathBuf>> {
    let recorded = recorded();
    let mut chosen = Vec::new();
    for argument in arguments {
        if let Ok(number) = argument.parse() {
            chosen.push(numbered(&recorded, number)?);
        } else if Path::new(argument).exists() {
            chosen.push(file(Path::new(argument))?);
        } else {
            chosen.extend(matched(argument)?);
        }
    }
    Ok(with_time_stamps(without_repetition(chosen)))
}

/// All profiles in this directory, and their `_ts` files.
pub(super) fn all() -> Vec<PathBuf> {
    with_time_stamps(recorded())
}

fn file(path: &Path) -> anyhow::Result<PathBuf> {
    if path.is_dir() {
        bail!("{} is a directory, not a profile", path.display());
    }
    Ok(path.to_owned())
}

/// Numbers count up from 0, the oldest, and down from -1, the newest.
fn numbered(recorded: &[PathBuf], number: i64) -> anyhow::Result<PathBuf> {
    let count = recorded.len();
    let from_start = usize::try_from(number).ok();
    let from_end = usize::try_from(number.unsigned_abs())
        .ok()
        .filter(|_| number < 0);
    let index = from_start.or_else(|| count.checked_sub(from_end?));
    match index.and_then(|index| recorded.get(index)) {
        Some(path) => Ok(path.clone()),
        None if count == 0 => bail!("there is no profile {number}: this directory has none"),
        None => bail!(
            "there is no profile {number}: this directory has {count}, 0 to {}; `memit mprof list` \
             shows them",
            count - 1
        ),
    }
}

/// The files that match a pattern which the shell left as it was.
fn matched(pattern: &str) -> anyhow::Result<Vec<PathBuf>> {
    let path = Path::new(pattern);
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let mut found = Vec::new();
    if name.contains(['*', '?']) {
        let parent = path.parent().filter(|parent| *parent != Path::new(""));
        let directory = parent.unwrap_or(Path::new("."));
        found = files_in(directory, |file| matches(name.as_bytes(), file.as_bytes()));
        found.sort();
    }
    if found.is_empty() {
        bail!("there is no profile {pattern}: no such file, and no number of `memit mprof list`");
    }
    Ok(found)
}

/// Whether `name` matches `pattern`, in which `*` stands for any characters and `?` for one.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at_pattern, mut at_name) = (0, 0);
    // Behind the last `*`, and the first character that it does not cover yet.
    let mut star = None;
    while let Some(found) = name.get(at_name) {
        match (pattern.get(at_pattern), star) {
            (Some(b'*'), _) => {
                at_pattern += 1;
                star = Some((at_pattern, at_name));
            }
            (Some(wanted), _) if *wanted == b'?' || wanted == found => {
                at_pattern += 1;
                at_name += 1;
            }
            (_, Some((behind, covered))) => {
                at_pattern = behind;
                at_name = covered + 1;
                star = Some((behind, at_name));
            }
            (_, None) => return false,
        }
    }
    pattern[at_pattern..].iter().all(|rest| *rest == b'*')
}

fn files_in(directory: &Path, is_meant: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let Ok(entries) = directory.read_dir() else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(&is_meant))
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        // Users write `x.dat`, not `./x.dat`.
        .map(|path| path.strip_prefix(".").map(Path::to_owned).unwrap_or(path))
        .collect()
}

fn with_time_stamps(mut paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let beside: Vec<_> = paths
        .iter()
        .filter_map(|path| {
            let stem = path.file_stem()?.to_str()?;
            let extension = path.extension().and_then(OsStr::to_str);
            let extension = extension.map(|text| format!(".{text}")).unwrap_or_default();
            Some(path.with_file_name(format!("{stem}_ts{extension}")))
        })
        .filter(|path| path.is_file())
        .collect();
    paths.extend(beside);
    without_repetition(paths)
}

fn without_repetition(paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut kept: Vec<PathBuf> = Vec::new();
    for path in paths {
        if !kept.contains(&path) {
            kept.push(path);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_mprof_are_profiles() {
        assert_eq!(stamp("mprofile_20260131120000.dat"), Some("20260131120000"));
        for name in [
            "mprofile_.dat",
            "mprofile_2026-01-31 12.dat",
            "mprofile_20260131120000_ts.dat",
            "profile.dat",
            "x",
        ] {
            assert_eq!(stamp(name), None, "{name}");
        }
    }

    #[test]
    fn numbers_count_from_both_ends() {
        let recorded: Vec<_> = ["a", "b", "c"].map(PathBuf::from).to_vec();
        let name = |number| {
            numbered(&recorded, number)
                .ok()
                .map(|path| path.display().to_string())
        };
        let found = [0, 2, -1, -3, 3, -4].map(name);
        let found: Vec<_> = found
            .iter()
            .map(|name| name.as_deref().unwrap_or("none"))
            .collect();
        assert_eq!(found, ["a", "c", "c", "a", "none", "none"]);
    }

    #[test]
    fn patterns_are_those_of_shells() {
        for (pattern, name, expected) in [
            ("*", "x.dat", true),
            ("m*_2025*.dat", "mprofile_20250101000000.dat", true),
            ("m*_2024*.dat", "mprofile_20250101000000.dat", false),
            ("?.dat", "x.dat", true),
            ("?.dat", "xy.dat", false),
            ("x*", "x", true),
            ("*a*b", "aab", true),
            ("*a?c*", "abacd", false),
            ("*a?c", "abac abc", true),
            ("", "x", false),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), name.as_bytes()),
                expected,
                "{pattern} {name}"
            );
        }
    }
}
