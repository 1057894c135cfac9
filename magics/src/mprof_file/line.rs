//! One line of a file.

use memit_measurement::mprof_format;

use super::{AtMost, Sample, Span};

const MIB: f64 = 1_048_576.0;

/// The size that Python's `mprof` writes for a process that it cannot read.
const UNREAD: f64 = -1.0;

/// More memory than processors can address, in MiB, and the end of the year 9999 in seconds since
/// 1970. Whatever is beyond would only spoil a drawing.
const MOST_MIB: f64 = 137_438_953_472.0;
const LAST_SECOND: f64 = 253_402_300_800.0;

const MEMORY: &str = "expected `MEM <MiB> <seconds>`";
const CHILD: &str = "expected `CHLD <process> <MiB> <seconds>`";
const FUNCTION: &str = "expected `FUNC <name> <MiB> <seconds> <MiB> <seconds> <level>`";
const AT_MOST: &str = "expected `ATMOST <MEM or process> <MiB or inf>`";

/// What a line tells.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Line {
    /// The command line of the program.
    Command(String),
    Memory(Sample),
    /// The name of a child, and its memory.
    Child(String, Sample),
    Function(Span),
    /// How far the peak of the program, or of the child of that name, may be above the samples.
    AtMost(Option<String>, AtMost),
    /// A process that could not be read, or news of a later version.
    Nothing,
}

impl Line {
    /// # Errors
    ///
    /// If the fields do not fit the first word.
    pub(super) fn parse(line: &str) -> Result<Self, &'static str> {
        // Python's writer leaves an empty line if it could read nothing.
        if line.is_empty() {
            return Err("an empty line");
        }
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        Ok(match word {
            "CMDLINE" => Self::Command(rest.trim().to_owned()),
            "MEM" => match size_and_time(rest).ok_or(MEMORY)? {
                Some(sample) => Self::Memory(sample),
                None => Self::Nothing,
            },
            "CHLD" => {
                let (name, rest) = rest.split_once(' ').ok_or(CHILD)?;
                match size_and_time(rest).ok_or(CHILD)? {
                    Some(sample) => Self::Child(name.to_owned(), sample),
                    None => Self::Nothing,
                }
            }
            "FUNC" => Self::Function(span(rest).ok_or(FUNCTION)?),
            "ATMOST" => {
                let (of, size) = rest.split_once(' ').ok_or(AT_MOST)?;
                let child = (of != "MEM").then(|| of.to_owned());
                Self::AtMost(child, at_most(size).ok_or(AT_MOST)?)
            }
            _ => Self::Nothing,
        })
    }

    /// Whether the line has numbers that matter.
    pub(super) fn is_of_profile(&self) -> bool {
        !matches!(self, Self::Command(_) | Self::Nothing)
    }
}

fn at_most(text: &str) -> Option<AtMost> {
    match text {
        "inf" => Some(AtMost::Unknown),
        size => Some(AtMost::Bytes(bytes(mib(size)??))),
    }
}

/// `<MiB> <seconds>`, with an optional ` peak`; nothing in it if the process could not be read.
#[allow(
    clippy::option_option,
    reason = "a broken line is another matter than one without a size"
)]
fn size_and_time(text: &str) -> Option<Option<Sample>> {
    let mut fields = text.split(' ');
    let memory = mib(fields.next()?)?;
    let time = seconds(fields.next()?)?;
    let is_peak = fields.next() == Some("peak");
    Some(memory.map(|memory| Sample {
        time,
        memory: bytes(memory),
        is_peak,
    }))
}

fn span(text: &str) -> Option<Span> {
    let fields: Vec<&str> = text.split(' ').collect();
    // Python ends the name at the first blank. Its own `timestamp("a name")` writes blanks in the
    // name, though, so if the fields do not fit, try longer names.
    let (first, numbers) = fields.split_first()?;
    span_of(first, numbers).or_else(|| {
        (1..fields.len()).find_map(|at| span_of(&fields[..at].join(" "), &fields[at..]))
    })
}

fn span_of(name: &str, fields: &[&str]) -> Option<Span> {
    let ([start_memory, start, end_memory, end], more) = fields.split_first_chunk::<4>()?;
    let (start_memory, end_memory) = (mib(start_memory)?, mib(end_memory)?);
    let (start, end) = (seconds(start)?, seconds(end)?);
    // Files of older versions have no level.
    let level = more.first().map_or(Some(0), |level| level.parse().ok())?;
    let at = |memory: Option<f64>, time| Sample {
        time,
        memory: bytes(memory.unwrap_or(0.0)),
        is_peak: false,
    };
    Some(Span {
        name: mprof_format::read_name(name),
        start: at(start_memory, start),
        end: at(end_memory, end.max(start)),
        level,
        thread: 0,
        peak: None,
        is_unfinished: false,
    })
}

/// A size, or the mark of a process that could not be read.
#[allow(
    clippy::option_option,
    reason = "a broken size is another matter than an unknown one"
)]
fn mib(text: &str) -> Option<Option<f64>> {
    let mib: f64 = text.parse().ok()?;
    if (mib - UNREAD).abs() < f64::EPSILON {
        return Some(None);
    }
    (0.0..=MOST_MIB).contains(&mib).then_some(Some(mib))
}

fn seconds(text: &str) -> Option<f64> {
    let seconds: f64 = text.parse().ok()?;
    (0.0..=LAST_SECOND).contains(&seconds).then_some(seconds)
}

/// Most sizes are whole KiB, but six decimals of a MiB lose up to half a byte.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn bytes(mib: f64) -> u64 {
    let bytes = mib * MIB;
    let kibibytes = (bytes / 1024.0).round() * 1024.0;
    if (bytes - kibibytes).abs() <= 1.0 {
        kibibytes as u64
    } else {
        bytes.round() as u64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_that_no_drawing_can_have_break_a_line() {
        for number in [
            "nan", "inf", "-inf", "1e308", "-5", "1,5", "", "0x10", "1e15",
        ] {
            for line in [
                format!("MEM {number} 1.0"),
                format!("MEM 1.0 {number}"),
                format!("CHLD 7 {number} 1.0"),
                format!("CHLD 7 1.0 {number}"),
                format!("FUNC f 1 {number} 2 3 0"),
                format!("FUNC f 1 2 {number} 3 0"),
            ] {
                assert!(Line::parse(&line).is_err(), "{line}");
            }
        }
        assert!(Line::parse("MEM -0.0 1.0").is_ok());
    }

    #[test]
    fn a_process_that_could_not_be_read_has_no_sample() {
        for line in [
            "MEM -1.000000 1.0",
            "CHLD 7 -1.000000 1.0",
            "NEWS of the future",
        ] {
            assert_eq!(Line::parse(line), Ok(Line::Nothing), "{line}");
        }
    }

    #[test]
    fn a_peak_may_be_higher_up_to_a_size_or_nobody_knows_how_much() {
        let program = Line::AtMost(None, AtMost::Bytes(3 << 20));
        assert_eq!(Line::parse("ATMOST MEM 3.000000"), Ok(program));
        let child = Line::AtMost(Some("7".to_owned()), AtMost::Unknown);
        assert_eq!(Line::parse("ATMOST 7 inf"), Ok(child));
        assert!(Line::parse("ATMOST 7").is_err());
    }

    proptest! {
        #[test]
        fn no_line_has_a_number_that_no_drawing_can_have(
            word in "(MEM|CHLD 7|FUNC f|FUNC f 1 1|ATMOST MEM|[A-Z]{0,4})",
            fields in prop::collection::vec(prop_oneof![any::<f64>().prop_map(|n| n.to_string()), "\\PC{0,9}"], 0..6),
        ) {
            let samples = match Line::parse(&format!("{word} {}", fields.join(" "))) {
                Ok(Line::Memory(sample) | Line::Child(_, sample)) => vec![sample],
                Ok(Line::Function(span)) => vec![span.start, span.end],
                _ => Vec::new(),
            };
            for Sample { time, memory, .. } in samples {
                prop_assert!((0.0..=LAST_SECOND).contains(&time), "{time}");
                prop_assert!(memory <= 1 << 57, "{memory}");
            }
        }
    }
}
