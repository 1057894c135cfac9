//! Times.

use super::number::general;

/// Units of time below a minute, largest first, with their length in nanoseconds.
const TIME_UNITS: [(&str, f64); 4] = [("s", 1e9), ("ms", 1e6), ("μs", 1e3), ("ns", 1.0)];

/// Units of time from a minute up, largest first, with their length in seconds.
const LONG_TIME_UNITS: [(&str, f64); 4] =
    [("d", 86_400.0), ("h", 3_600.0), ("min", 60.0), ("s", 1.0)];

/// A time in nanoseconds, to `precision` significant digits: `11.2 ns`, `1min 3s`.
///
/// The format of `IPython`'s `_format_time`: whole units joined by spaces from a minute up, C's
/// `%.*g` of the largest fitting unit below.
pub fn time(ns: f64, precision: usize) -> String {
    let seconds = ns / 1e9;
    if seconds.is_finite() && seconds >= 60.0 {
        return long_time(seconds);
    }
    let (unit, length) = TIME_UNITS
        .into_iter()
        .find(|&(_, length)| ns >= length)
        .unwrap_or(("ns", 1.0));
    format!("{} {unit}", general(ns / length, precision))
}

fn long_time(seconds: f64) -> String {
    let mut parts = Vec::new();
    let mut leftover = seconds;
    for (suffix, length) in LONG_TIME_UNITS {
        let value = (leftover / length).floor();
        if value > 0.0 {
            leftover %= length;
            parts.push(format!("{value:.0}{suffix}"));
        }
        if leftover < 1.0 {
            break;
        }
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `IPython` prints for a time in seconds with 1, 3 and 5 digits.
    const IPYTHON_TIMES: [(f64, [&str; 3]); 21] = [
        (0.0, ["0 ns", "0 ns", "0 ns"]),
        (1e-10, ["0.1 ns", "0.1 ns", "0.1 ns"]),
        (3.12e-10, ["0.3 ns", "0.312 ns", "0.312 ns"]),
        (1.12e-8, ["1e+01 ns", "11.2 ns", "11.2 ns"]),
        (9.9995e-7, ["1e+03 ns", "1e+03 ns", "999.95 ns"]),
        (1e-6, ["1 μs", "1 μs", "1 μs"]),
        (1.5e-6, ["2 μs", "1.5 μs", "1.5 μs"]),
        (1e-3, ["1 ms", "1 ms", "1 ms"]),
        (0.5, ["5e+02 ms", "500 ms", "500 ms"]),
        (1.0, ["1 s", "1 s", "1 s"]),
        (9.99, ["1e+01 s", "9.99 s", "9.99 s"]),
        (59.999, ["6e+01 s", "60 s", "59.999 s"]),
        (60.0, ["1min", "1min", "1min"]),
        (63.0, ["1min 3s", "1min 3s", "1min 3s"]),
        (119.7, ["1min 59s", "1min 59s", "1min 59s"]),
        (3_600.0, ["1h", "1h", "1h"]),
        (3_661.0, ["1h 1min 1s", "1h 1min 1s", "1h 1min 1s"]),
        (86_401.0, ["1d 1s", "1d 1s", "1d 1s"]),
        (
            90_061.5,
            ["1d 1h 1min 1s", "1d 1h 1min 1s", "1d 1h 1min 1s"],
        ),
        (
            6e10,
            [
                "694444d 10h 40min",
                "694444d 10h 40min",
                "694444d 10h 40min",
            ],
        ),
        (-5e-9, ["-5 ns", "-5 ns", "-5 ns"]),
    ];

    #[test]
    fn times_are_written_as_ipython_writes_them() {
        for (seconds, expected) in IPYTHON_TIMES {
            for (precision, text) in [1, 3, 5].into_iter().zip(expected) {
                assert_eq!(time(seconds * 1e9, precision), text, "{seconds} s");
            }
        }
    }

    #[test]
    fn the_micro_sign_is_the_greek_letter() {
        assert_eq!(time(1e3, 3), "1 \u{3bc}s");
    }

    #[test]
    fn times_that_are_no_numbers_do_not_panic() {
        assert_eq!(time(f64::NAN, 3), "nan ns");
        assert_eq!(time(f64::INFINITY, 3), "inf s");
    }
}
