//! `%mprun` and `%lprun` in lines of text.

use memit_lines::{Function, Profile, TimeText, memory_text};

use super::notes;
use crate::result::{LprunResult, MprunResult};
use crate::units;

pub(super) fn mprun(result: &MprunResult, precision: Option<usize>) -> String {
    with_place(
        memory_text::text(&result.profile, precision),
        &result.profile,
    )
}

pub(super) fn lprun(result: &LprunResult, view: &TimeText) -> String {
    with_place(view.text(&result.profile), &result.profile)
}

/// `2 functions, increment: 0 B, highest peak of a line: 76.29 MiB`.
pub(super) fn memory_summary(profile: &Profile) -> String {
    let functions = profile.functions.iter();
    let increment = functions.clone().fold(0, |sum: i64, function| {
        sum.saturating_add(function.increment())
    });
    let peak = functions.map(Function::peak).max();
    format!(
        "{}, increment: {}, highest peak of a line: {}",
        whose(profile),
        units::signed_bytes(increment),
        units::bytes(peak.unwrap_or_default())
    )
}

/// `2 functions, total time: 297 ms`.
pub(super) fn time_summary(profile: &Profile) -> String {
    if profile.has_only_shares() {
        return format!("{}, total time: not known", whose(profile));
    }
    let time = profile.functions.iter().fold(0, |sum: u64, function| {
        sum.saturating_add(function.time_ns())
    });
    format!(
        "{}, total time: {}",
        whose(profile),
        units::time(time as f64, 3)
    )
}

fn whose(profile: &Profile) -> String {
    match profile.functions.as_slice() {
        [function] => function.name.clone(),
        functions => units::counted(&functions.len().to_string(), "function"),
    }
}

/// Adds a note if the session itself ran the statements. Only sessions have such runs.
fn with_place(mut text: String, profile: &Profile) -> String {
    if let Some(note) = notes::in_place(profile.isolated) {
        text.push('\n');
        text.push_str(&note);
    }
    text
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::line_samples::{self, calculate_z, histogram, idle};
    use crate::report::Report;

    use super::*;

    fn in_place(profile: Profile) -> Profile {
        Profile {
            isolated: false,
            threads: 3,
            ..profile
        }
    }

    #[test]
    fn the_last_line_says_that_a_run_was_made_in_place() {
        let mut memory = line_samples::mprun(vec![histogram()]);
        memory.profile = in_place(memory.profile);
        let text = mprun(&memory, None);
        assert!(text.ends_with(
            "memory: live heap above the start of the statement\n\
             ran in place, not in a fork of the session"
        ));
        let mut time = line_samples::lprun(vec![calculate_z()]);
        time.profile = in_place(time.profile);
        let text = lprun(&time, &TimeText::default());
        assert!(text.ends_with("ran in place, not in a fork of the session"));
    }

    #[test]
    fn the_variable_of_an_assignment_shows_the_totals() {
        let memory = Report::of(&line_samples::mprun(vec![histogram(), idle()]), None);
        assert_snapshot!(memory.repr, @"<MprunResult : 2 functions, increment: 440 B, highest peak of a line: 84.00 MiB>");
        assert_eq!(memory.json["magic"], "mprun");
        let time = Report::of(
            &line_samples::lprun(vec![calculate_z()]),
            &TimeText::default(),
        );
        assert_snapshot!(time.repr, @"<LprunResult : calculate_z, total time: 297 ms>");
        assert_eq!(time.json["magic"], "lprun");
        let nothing = Report::of(&line_samples::mprun(Vec::new()), None);
        assert_snapshot!(nothing.repr, @"<MprunResult : 0 functions, increment: 0 B, highest peak of a line: 0 B>");
    }
}
