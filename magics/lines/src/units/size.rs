//! Sizes in bytes.

use super::number::{mean_count, whole};

/// Units above a byte, each 1024 times the unit before.
const BYTE_UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// Bytes in a mebibyte.
const MIB: f64 = 1_048_576.0;

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

/// [`size`] with a minus sign in front of a negative size, unless all digits are 0.
pub fn signed_size(n: i64, precision: Option<usize>) -> String {
    let size = size(n.unsigned_abs(), precision);
    let visible = size.contains(|digit| matches!(digit, '1'..='9'));
    let sign = if n < 0 && visible { "-" } else { "" };
    format!("{sign}{size}")
}

/// A size in the largest unit in which it is at least 1: `0 B`, `64 B`, `95.37 MiB`.
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

/// A mean of sizes: like [`bytes`], but with fractions of a byte, to two decimals or, below a
/// hundredth, to two digits: `21.33 B`.
pub fn mean_bytes(n: f64) -> String {
    if n < 1024.0 {
        format!("{} B", mean_count(n))
    } else {
        binary_multiple(n)
    }
}

/// Reads a size as people write it, in bytes: `512KiB`, `1.5 GB`, `100M`. The unit is required.
/// `K`, `M`, `G` and `T` alone are powers of 1024, as in `dd`.
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

#[cfg(test)]
mod tests {
    use super::*;

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
    }
}
