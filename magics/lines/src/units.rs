//! Times, sizes and counts as people read them.

/// Units of time below a minute, largest first, with their length in nanoseconds.
const TIME_UNITS: [(&str, f64); 4] = [("s", 1e9), ("ms", 1e6), ("μs", 1e3), ("ns", 1.0)];

/// Units of time from a minute up, largest first, with their length in seconds.
const LONG_TIME_UNITS: [(&str, f64); 4] =
    [("d", 86_400.0), ("h", 3_600.0), ("min", 60.0), ("s", 1.0)];

/// Multiples of a byte, each 1024 times the one before.
const BYTE_UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// Bytes in a mebibyte.
const MIB: f64 = 1_048_576.0;

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

/// C's `%.{precision}g` (C11, 7.21.6.1): `precision` significant digits, an exponent when it is
/// below -4 or not below `precision`, no trailing zeros.
pub fn general(value: f64, precision: usize) -> String {
    if !value.is_finite() {
        return format!("{value}").to_lowercase();
    }
    let digits = precision.max(1);
    // The exponent that counts is the one after rounding: 999.95 to three digits is 1e+03.
    let scientific = format!("{value:.*e}", digits - 1);
    let (mantissa, exponent) = scientific
        .split_once('e')
        .expect("`{:e}` always writes an exponent");
    let exponent: i32 = exponent
        .parse()
        .expect("`{:e}` writes the exponent as an integer");
    match usize::try_from(exponent) {
        Ok(above) if above >= digits => {
            format!("{}e+{exponent:02}", without_trailing_zeros(mantissa))
        }
        Ok(above) => without_trailing_zeros(&format!("{value:.*}", digits - 1 - above)).to_owned(),
        Err(_) if exponent < -4 => {
            format!(
                "{}e-{:02}",
                without_trailing_zeros(mantissa),
                exponent.unsigned_abs()
            )
        }
        Err(_) => {
            let below = usize::try_from(exponent.unsigned_abs()).unwrap_or_default();
            without_trailing_zeros(&format!("{value:.*}", digits - 1 + below)).to_owned()
        }
    }
}

fn without_trailing_zeros(number: &str) -> &str {
    if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        number
    }
}

/// A size in bytes as mebibytes with two decimals: `123.45 MiB`, the form of `memory_profiler`.
pub fn mib(bytes: u64) -> String {
    format!("{} MiB", mib_number(bytes))
}

/// The number of [`mib`] without its unit: `123.45`.
pub fn mib_number(bytes: u64) -> String {
    mib_decimals(bytes, 2)
}

fn mib_decimals(bytes: u64, decimals: usize) -> String {
    format!("{:.decimals$}", bytes as f64 / MIB)
}

/// A size in bytes in the unit that fits, or, with a `precision`, in mebibytes with that many
/// decimals: `76.2939 MiB`.
pub fn size(n: u64, precision: Option<usize>) -> String {
    match precision {
        None => bytes(n),
        Some(decimals) => format!("{} MiB", mib_decimals(n, decimals)),
    }
}

/// [`size`] with a minus sign in front of a negative size, unless no digit of it is left.
pub fn signed_size(n: i64, precision: Option<usize>) -> String {
    let size = size(n.unsigned_abs(), precision);
    let visible = size.contains(|digit| matches!(digit, '1'..='9'));
    let sign = if n < 0 && visible { "-" } else { "" };
    format!("{sign}{size}")
}

/// A size in the largest unit that keeps it at or above 1: `0 B`, `64 B`, `95.37 MiB`.
pub fn bytes(n: u64) -> String {
    if n < 1024 {
        format!("{n} B")
    } else {
        binary_multiple(n as f64)
    }
}

/// [`bytes`] with a minus sign in front of a negative size: `-64 B`.
pub fn signed_bytes(n: i64) -> String {
    let sign = if n < 0 { "-" } else { "" };
    format!("{sign}{}", bytes(n.unsigned_abs()))
}

/// A mean of sizes: like [`bytes`], but part of a byte is shown, to two decimals or, below
/// a hundredth, to two digits: `21.33 B`.
pub fn mean_bytes(n: f64) -> String {
    if n < 1024.0 {
        format!("{} B", mean_count(n))
    } else {
        binary_multiple(n)
    }
}

/// A size as people write it, in bytes: `512KiB`, `1.5 GB`, `100M`; a unit must be there. `K`,
/// `M`, `G` and `T` alone are multiples of 1024, as in `dd`.
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let number: f64 = text[..end].parse().ok()?;
    let unit = text[end..].trim_start().to_ascii_lowercase();
    let (prefix, base) = match unit.strip_suffix('b') {
        Some(prefix) => match prefix.strip_suffix('i') {
            Some(prefix) => (prefix, 1024_f64),
            None => (prefix, 1000.0),
        },
        None => (unit.as_str(), 1024.0),
    };
    let power = match prefix {
        "" if unit == "b" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        _ => return None,
    };
    let bytes = number * base.powi(power);
    (bytes < 1e18).then(|| whole(bytes))
}

/// A number that is not negative, rounded; what is too large is the largest.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast does what is said above"
)]
pub fn whole(number: f64) -> u64 {
    number.round() as u64
}

fn binary_multiple(n: f64) -> String {
    let mut value = n / 1024.0;
    let mut unit = 0;
    // 1023.995 would be written 1024.00.
    while value >= 1023.995 && unit + 1 < BYTE_UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.2} {}", BYTE_UNITS[unit])
}

/// A count with thousands separators: `10,000,000`.
pub fn count(n: u64) -> String {
    grouped(&n.to_string())
}

/// A mean of counts: whole where it is whole, else to two decimals or, below a hundredth, to two
/// digits: `1`, `1,234.5`, `0.0012`.
pub fn mean_count(n: f64) -> String {
    if !n.is_finite() || (n != 0.0 && n.abs() < 0.01) {
        return general(n, 2);
    }
    let number = format!("{n:.2}");
    let number = without_trailing_zeros(&number);
    match number.split_once('.') {
        Some((whole, decimals)) => format!("{}.{decimals}", grouped(whole)),
        None => grouped(number),
    }
}

fn grouped(number: &str) -> String {
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", number),
    };
    let mut text = String::from(sign);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number as written, and its noun, in the plural unless the number is `1`: `2 runs`.
pub fn counted(number: &str, noun: &str) -> String {
    let plural = if number == "1" { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What Python 3 prints for `"%.{p}g" % x` with p = 0, 1, 3, 5.
    const PYTHON_GENERAL: [(f64, [&str; 4]); 23] = [
        (999.95, ["1e+03", "1e+03", "1e+03", "999.95"]),
        (999.5, ["1e+03", "1e+03", "1e+03", "999.5"]),
        (999.4999, ["1e+03", "1e+03", "999", "999.5"]),
        (0.0001, ["0.0001", "0.0001", "0.0001", "0.0001"]),
        (1e-05, ["1e-05", "1e-05", "1e-05", "1e-05"]),
        (100_000.0, ["1e+05", "1e+05", "1e+05", "1e+05"]),
        (123_456.0, ["1e+05", "1e+05", "1.23e+05", "1.2346e+05"]),
        (0.5, ["0.5", "0.5", "0.5", "0.5"]),
        (1.0, ["1", "1", "1", "1"]),
        (0.0, ["0", "0", "0", "0"]),
        (100.0, ["1e+02", "1e+02", "100", "100"]),
        (99.95, ["1e+02", "1e+02", "100", "99.95"]),
        (2.5, ["2", "2", "2.5", "2.5"]),
        (1.005, ["1", "1", "1", "1.005"]),
        (12.5, ["1e+01", "1e+01", "12.5", "12.5"]),
        (1e16, ["1e+16", "1e+16", "1e+16", "1e+16"]),
        (1e22, ["1e+22", "1e+22", "1e+22", "1e+22"]),
        (1e-320, ["1e-320", "1e-320", "1e-320", "9.9999e-321"]),
        (-2.345_67, ["-2", "-2", "-2.35", "-2.3457"]),
        (0.000_123_45, ["0.0001", "0.0001", "0.000123", "0.00012345"]),
        (0.000_099_995, ["0.0001", "0.0001", "0.0001", "9.9995e-05"]),
        (f64::INFINITY, ["inf", "inf", "inf", "inf"]),
        (f64::NAN, ["nan", "nan", "nan", "nan"]),
    ];

    #[test]
    fn general_is_pythons_percent_g() {
        for (value, expected) in PYTHON_GENERAL {
            for (precision, text) in [0, 1, 3, 5].into_iter().zip(expected) {
                assert_eq!(general(value, precision), text, "%.{precision}g of {value}");
            }
        }
    }

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

    #[test]
    fn mebibytes_have_two_decimals_at_any_size() {
        assert_eq!(mib(0), "0.00 MiB");
        assert_eq!(mib(100 << 20), "100.00 MiB");
        assert_eq!(mib(5_242), "0.00 MiB");
        assert_eq!(mib(5_243), "0.01 MiB");
        assert_eq!(mib(u64::MAX), "17592186044416.00 MiB");
    }

    #[test]
    fn sizes_take_the_unit_that_fits() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(64), "64 B");
        assert_eq!(bytes(1_023), "1023 B");
        assert_eq!(bytes(1_024), "1.00 KiB");
        assert_eq!(bytes(100_000_000), "95.37 MiB");
        assert_eq!(bytes((1 << 20) - 1), "1.00 MiB");
        assert_eq!(bytes(u64::MAX), "16.00 EiB");
        assert_eq!(signed_bytes(64), "64 B");
        assert_eq!(signed_bytes(-1_536), "-1.50 KiB");
        assert_eq!(signed_bytes(i64::MIN), "-8.00 EiB");
    }

    #[test]
    fn sizes_of_a_precision_are_in_mebibytes() {
        assert_eq!(size(80_000_024, None), "76.29 MiB");
        assert_eq!(size(80_000_024, Some(4)), "76.2940 MiB");
        assert_eq!(size(24, Some(4)), "0.0000 MiB");
        assert_eq!(size(24, Some(0)), "0 MiB");
        assert_eq!(signed_size(-80_000_024, Some(1)), "-76.3 MiB");
        assert_eq!(signed_size(-24, Some(4)), "0.0000 MiB");
        assert_eq!(signed_size(-24, None), "-24 B");
        assert_eq!(signed_size(i64::MIN, Some(1)), "-8796093022208.0 MiB");
    }

    #[test]
    fn sizes_are_read_with_their_unit() {
        for (text, bytes) in [
            ("64B", 64),
            ("1KiB", 1024),
            ("1kB", 1000),
            ("100MiB", 100 << 20),
            ("1.5 GB", 1_500_000_000),
            ("2G", 2 << 30),
        ] {
            assert_eq!(parse_size(text), Some(bytes), "{text}");
        }
        for text in [
            "",
            "100",
            "MiB",
            "1 XB",
            "-1MiB",
            "1.2.3MB",
            "9999999TiB",
            "1iB",
        ] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }

    #[test]
    fn means_show_fractions_only_where_there_are_some() {
        assert_eq!(mean_bytes(64.0), "64 B");
        assert_eq!(mean_bytes(21.333), "21.33 B");
        assert_eq!(mean_bytes(1_536.0), "1.50 KiB");
        assert_eq!(mean_count(1.0), "1");
        assert_eq!(mean_count(0.5), "0.5");
        assert_eq!(mean_count(0.001_234), "0.0012");
        assert_eq!(mean_count(1_234.5), "1,234.5");
        assert_eq!(mean_count(0.0), "0");
    }

    #[test]
    fn counts_are_grouped_in_thousands() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(10_000_000), "10,000,000");
        assert_eq!(counted("1", "run"), "1 run");
        assert_eq!(counted("0.5", "allocation"), "0.5 allocations");
    }

    proptest! {
        #[test]
        fn general_never_strays_by_more_than_half_a_digit(value in -1e18..1e18f64, precision in 1..12usize) {
            let read: f64 = general(value, precision).parse().unwrap();
            let half_a_digit = 0.5 * 10f64.powi(1 - i32::try_from(precision).unwrap());
            prop_assert!((read - value).abs() <= value.abs() * half_a_digit * (1.0 + 1e-9));
        }

        #[test]
        fn grouping_only_adds_commas(n: u64) {
            prop_assert_eq!(count(n).replace(',', ""), n.to_string());
        }
    }
}
