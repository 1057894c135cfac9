//! How rustc divides a cell into codegen units, and what rustc keeps for the next cell.

use std::path::Path;

use memit_magics::cell::snippet::MEASUREMENT;

/// Below this many bytes, compiling everything again is faster than saving incremental results.
const SMALL: usize = 2048;

/// What is known of a cell.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Work {
    /// The bytes of the source that rustc has to check.
    pub(super) bytes: usize,
    /// Whether the cell calls functions of earlier cells.
    pub(super) calls_others: bool,
    /// Whether cells of the session have taken long to compile.
    pub(super) is_slow: bool,
}

/// As many codegen units as rustc makes of its own accord when it saves results: one for each module. With
/// fewer, rustc puts what changes with each cell into one unit with what does not.
const MANY: &str = "-Ccodegen-units=256";

/// Chooses codegen units. With many units, rustc can reuse code that has not changed since
/// the previous cell: functions of earlier cells, and what they use of dependencies. A measurement
/// is one unit, because inlining must not depend on how the code happens to be divided.
pub(super) fn divide(session: &Path, source: &str, work: Work, arguments: &mut Vec<String>) {
    let is_measurement = source.contains(MEASUREMENT);
    let is_small = work.bytes < SMALL;
    let is_saved = if is_measurement {
        !is_small
    } else {
        work.calls_others && (work.is_slow || !is_small)
    };
    if !is_saved || is_measurement {
        arguments.push("-Ccodegen-units=1".to_owned());
    } else {
        arguments.push(MANY.to_owned());
    }
    if !is_saved {
        let option = |pair: &[String]| pair[0] == "-C" && pair[1].starts_with("incremental=");
        if let Some(at) = arguments.windows(2).position(option) {
            arguments.drain(at..at + 2);
        }
    } else if is_measurement {
        let directory = session.join("incremental");
        arguments.push(format!("-Cincremental={}", directory.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_saved_where_that_pays() {
        let divided = |source: &str, bytes, calls_others, is_slow| {
            let arguments = ["-C", "codegen-units=16", "-C", "incremental=target", "x.rs"];
            let mut arguments = arguments.map(str::to_owned).to_vec();
            let work = Work {
                bytes,
                calls_others,
                is_slow,
            };
            divide(Path::new("/session"), source, work, &mut arguments);
            arguments.join(" ")
        };
        let units = "-C codegen-units=16";
        let at_once = format!("{units} x.rs -Ccodegen-units=1");
        let saved = format!("{units} -C incremental=target x.rs {MANY}");
        for (bytes, calls_others, is_slow, expected) in [
            (10, false, false, &at_once),
            (10, true, false, &at_once),
            (10, true, true, &saved),
            (SMALL, true, false, &saved),
            (SMALL, false, true, &at_once),
        ] {
            assert_eq!(divided("1", bytes, calls_others, is_slow), *expected);
        }
        assert_eq!(divided(MEASUREMENT, 10, true, true), at_once);
        assert_eq!(
            divided(MEASUREMENT, SMALL, false, false),
            format!(
                "{units} -C incremental=target x.rs -Ccodegen-units=1 \
                 -Cincremental=/session/incremental"
            )
        );
    }
}
