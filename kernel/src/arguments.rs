//! Values of command-line options, as `clap` wants them parsed.

use std::time::Duration;

/// Parses a duration in seconds, such as `0.5`.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "expected a number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("must be above 0".to_owned()),
    }
}

/// Parses two times in seconds, such as `0,20.5`.
pub(crate) fn window(text: &str) -> Result<(f64, f64), String> {
    let ends = text.split_once(',').and_then(|(from, to)| {
        let ends: (f64, f64) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
        (ends.0.is_finite() && ends.1.is_finite()).then_some(ends)
    });
    match ends {
        Some((from, to)) if from < to => Ok((from, to)),
        Some(_) => Err("the second time must be after the first".to_owned()),
        None => {
            Err("expected two times in seconds with a comma between them, such as 0,2.5".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_two_times_in_order() {
        assert_eq!(window("0,20.5"), Ok((0.0, 20.5)));
        assert_eq!(window("-1, 2"), Ok((-1.0, 2.0)));
        for wrong in ["", "1", "1,", "a,b", "2,1", "1,1", "0,nan"] {
            assert!(window(wrong).is_err(), "{wrong}");
        }
    }
}
