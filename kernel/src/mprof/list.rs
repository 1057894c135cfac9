//! `memit mprof list`: prints the profiles of a directory.

use super::selection;

/// Prints the profiles in this directory with their numbers and times, in the format of `mprof`.
pub(super) fn list() {
    for (number, path) in selection::recorded().iter().enumerate() {
        let name = path.display().to_string();
        let time = selection::stamp(&name).map(time).unwrap_or_default();
        println!("{number} {name} {time}");
    }
}

/// Turns `20260131120000` into `12:00:00 31/01/2026`.
fn time(stamp: &str) -> String {
    let part =
        |from: usize, to: usize| -> String { stamp.chars().skip(from).take(to - from).collect() };
    format!(
        "{}:{}:{} {}/{}/{}",
        part(8, 10),
        part(10, 12),
        part(12, 14),
        part(6, 8),
        part(4, 6),
        part(0, 4)
    )
}
