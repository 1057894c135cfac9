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

/// A length of time, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit(pub(crate) Option<Duration>);

/// Parses a limit in seconds, or `none`.
pub(crate) fn limit(text: &str) -> Result<Limit, String> {
    if text == "none" {
        return Ok(Limit(None));
    }
    let limit = seconds(text).map_err(|error| format!("{error}, or `none`"))?;
    Ok(Limit(Some(limit)))
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
    fn a_limit_is_a_time_or_none() {
        assert_eq!(limit("1.5"), Ok(Limit(Some(Duration::from_millis(1500)))));
        assert_eq!(limit("none"), Ok(Limit(None)));
        assert_eq!(limit("-1"), Err("must be above 0, or `none`".to_owned()));
        let error = "expected a number of seconds, or `none`";
        assert_eq!(limit("never"), Err(error.to_owned()));
    }

    #[test]
    fn a_window_is_two_times_in_order() {
        assert_eq!(window("0,20.5"), Ok((0.0, 20.5)));
        assert_eq!(window("-1, 2"), Ok((-1.0, 2.0)));
        for wrong in ["", "1", "1,", "a,b", "2,1", "1,1", "0,nan"] {
            assert!(window(wrong).is_err(), "{wrong}");
        }
    }
}
