//! Plain numbers and counts.

/// C's `%.{precision}g` (C11, 7.21.6.1): `precision` significant digits, an exponent when it is
/// below -4 or not below `precision`, no trailing zeros.
pub fn general(value: f64, precision: usize) -> String {
    if !value.is_finite() {
        return format!("{value}").to_lowercase();
    }
    let digits = precision.max(1);
    // The exponent after rounding decides: 999.95 to three digits is 1e+03.
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

/// A number rounded to a whole one, at least 0 and at most `u64::MAX`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from a float stops at the limits of the type"
)]
pub fn whole(number: f64) -> u64 {
    number.round() as u64
}

/// A count with thousands separators: `10,000,000`.
pub fn count(n: u64) -> String {
    grouped(&n.to_string())
}

/// A mean of counts to two decimals or, below a hundredth, to two digits, without trailing zeros: `1`,
/// `1,234.5`, `0.0012`.
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

/// A number and its noun, in the plural unless the number is `1`: `2 runs`.
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

    #[test]
    fn means_show_fractions_only_where_there_are_some() {
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
