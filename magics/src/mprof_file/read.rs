//! Reads a file of memit's or of Python's `mprof`.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use memit_measurement::mprof_format;

use super::{Child, Profile, Sample, Span};
use crate::ellipsis::shortened;

const MIB: f64 = 1_048_576.0;

/// The longest part of a broken line that an error quotes, in characters.
const LONGEST_QUOTE: usize = 61;

/// The size that Python's `mprof` writes for a process that it cannot read.
const UNREAD: &str = "-1.000000 ";

/// Why a file could not be read as a profile.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be opened or read.
    #[error("cannot read {path}", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// The fields of a line do not fit its first word.
    #[error("{path}:{line}: {problem}: `{text}`", path = .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Its number, from 1.
        line: usize,
        /// What the reader expected.
        problem: &'static str,
        /// The line, shortened if it is long.
        text: String,
    },
    /// The file has a command line, but no samples.
    #[error(
        "{path} has no samples: the program ended before the first, or is still running",
        path = .path.display()
    )]
    NoSamples {
        /// The file.
        path: PathBuf,
    },
    /// The file has no line of a profile.
    #[error(
        "{path} is not a profile: no line starts with CMDLINE or MEM, as in the files that `memit \
         mprof run` writes",
        path = .path.display()
    )]
    NoProfile {
        /// The file.
        path: PathBuf,
    },
}

impl Profile {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is not a profile, or has a broken line.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let file = File::open(path).map_err(|source| ReadError::File {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(BufReader::new(file), path)
    }

    /// Reads the text of a profile. Errors name `path`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is not a profile, or has a broken line.
    pub fn parse(mut text: impl BufRead, path: &Path) -> Result<Self, ReadError> {
        let mut profile = Self::default();
        let mut line = Vec::new();
        let mut number = 0;
        loop {
            line.clear();
            let read = text.read_until(b'\n', &mut line);
            let length = read.map_err(|source| ReadError::File {
                path: path.to_owned(),
                source,
            })?;
            if length == 0 {
                break;
            }
            number += 1;
            let is_whole = line.last() == Some(&b'\n');
            let content = String::from_utf8_lossy(line.trim_ascii_end());
            match profile.add(&content) {
                Ok(()) => {}
                // The recording program is still writing this line.
                Err(_) if !is_whole => {}
                Err(problem) => {
                    return Err(ReadError::Line {
                        path: path.to_owned(),
                        line: number,
                        problem,
                        text: shortened(&content, LONGEST_QUOTE),
                    });
                }
            }
        }
        let path = || path.to_owned();
        if profile.samples.is_empty() {
            return Err(if profile.command.is_some() {
                ReadError::NoSamples { path: path() }
            } else {
                ReadError::NoProfile { path: path() }
            });
        }
        sort(&mut profile.samples);
        for child in &mut profile.children {
            sort(&mut child.samples);
        }
        Ok(profile)
    }

    fn add(&mut self, line: &str) -> Result<(), &'static str> {
        // Python's reader stops here too. Its writer leaves an empty line if it could read nothing.
        if line.is_empty() {
            return Err("an empty line");
        }
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "CMDLINE" => self.command = Some(rest.trim().to_owned()),
            "MEM" => {
                let sample = sample(rest).ok_or("expected `MEM <MiB> <seconds>`")?;
                if !rest.starts_with(UNREAD) {
                    self.samples.push(sample);
                }
            }
            "CHLD" => {
                let expected = "expected `CHLD <process> <MiB> <seconds>`";
                let (name, rest) = rest.split_once(' ').ok_or(expected)?;
                let sample = sample(rest).ok_or(expected)?;
                self.child(name).samples.push(sample);
            }
            "FUNC" => {
                let span = span(rest)
                    .ok_or("expected `FUNC <name> <MiB> <seconds> <MiB> <seconds> <level>`")?;
                self.spans.push(span);
            }
            // A newer version may write other lines.
            _ => {}
        }
        Ok(())
    }

    fn child(&mut self, name: &str) -> &mut Child {
        // Search from the end: it is nearly always a recent child.
        let at = self.children.iter().rposition(|child| child.name == name);
        let at = at.unwrap_or_else(|| {
            self.children.push(Child {
                name: name.to_owned(),
                samples: Vec::new(),
            });
            self.children.len() - 1
        });
        &mut self.children[at]
    }
}

/// `<MiB> <seconds>`, with an optional ` peak`.
fn sample(text: &str) -> Option<Sample> {
    let mut fields = text.split(' ');
    let memory = number(fields.next()?)?;
    let time = number(fields.next()?)?;
    let is_peak = fields.next() == Some("peak");
    Some(Sample {
        time,
        memory: bytes(memory.max(0.0)),
        is_peak,
    })
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
    let (numbers, more) = fields.split_first_chunk::<4>()?;
    let mut read = [0.0; 4];
    for (number_read, field) in read.iter_mut().zip(numbers) {
        *number_read = number(field)?;
    }
    let [start_memory, start, end_memory, end] = read;
    // Files of older versions have no level.
    let level = more.first().map_or(Some(0), |level| level.parse().ok())?;
    let at = |memory: f64, time| Sample {
        time,
        memory: bytes(memory.max(0.0)),
        is_peak: false,
    };
    Some(Span {
        name: mprof_format::read_name(name),
        start: at(start_memory, start),
        end: at(end_memory, end.max(start)),
        level,
        peak: None,
        is_unfinished: false,
    })
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
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

fn sort(samples: &mut [Sample]) {
    samples.sort_by(|one, other| one.time.total_cmp(&other.time));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Profile, ReadError> {
        Profile::parse(text.as_bytes(), Path::new("x.dat"))
    }

    fn error(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_file_of_pythons_mprof_is_read() {
        let profile = parse(
            "CMDLINE python x.py 'a b'\n\
             MEM 2.000000 10.2000\n\
             CHLD 7 1.500000 10.2000\n\
             MEM 1.000000 10.1000\n\
             MEM -1.000000 10.3000\n\
             CHLD 8 0.500000 10.2001\n\
             CHLD 7 2.500000 10.3000\n\
             FUNC __main__.f 1.0000 10.1000 2.0000 10.2000 0\n\
             FUNC .a block 1.0000 10.1000 2.0000 10.2000 1\n\
             FUNC old 1.0000 10.1000 2.0000 10.2000\n\
             NEWS of the future\n",
        )
        .unwrap();
        assert_eq!(profile.command.as_deref(), Some("python x.py 'a b'"));
        let samples = |samples: &[Sample]| -> Vec<_> {
            samples
                .iter()
                .map(|sample| (sample.time, sample.memory >> 19))
                .collect()
        };
        assert_eq!(samples(&profile.samples), [(10.1, 2), (10.2, 4)]);
        let children: Vec<_> = profile
            .children
            .iter()
            .map(|child| child.name.as_str())
            .collect();
        assert_eq!(children, ["7", "8"]);
        assert_eq!(
            samples(&profile.children[0].samples),
            [(10.2, 3), (10.3, 5)]
        );
        let spans: Vec<_> = profile
            .spans
            .iter()
            .map(|span| (span.name.as_str(), span.level, span.end.memory >> 20))
            .collect();
        assert_eq!(
            spans,
            [("__main__.f", 0, 2), ("a block", 1, 2), ("old", 0, 2)]
        );
    }

    #[test]
    fn an_error_names_the_number_of_the_broken_line() {
        let good = "CMDLINE x\nMEM 1.0 1.0\n";
        let errors = [
            error(&format!("{good}MEM 1.0\n")),
            error(&format!("{good}MEM one 2.0\n")),
            error(&format!("{good}MEM 1.0 nan\n")),
            error(&format!("{good}\n")),
            error(&format!("{good}CHLD 7 1.0\n")),
            error(&format!("{good}FUNC f 1 2 3\n")),
            error(&format!("{good}FUNC {} 1 2 3\n", "f".repeat(100))),
        ];
        assert_snapshot!(errors.join("\n"), @r"
        x.dat:3: expected `MEM <MiB> <seconds>`: `MEM 1.0`
        x.dat:3: expected `MEM <MiB> <seconds>`: `MEM one 2.0`
        x.dat:3: expected `MEM <MiB> <seconds>`: `MEM 1.0 nan`
        x.dat:3: an empty line: ``
        x.dat:3: expected `CHLD <process> <MiB> <seconds>`: `CHLD 7 1.0`
        x.dat:3: expected `FUNC <name> <MiB> <seconds> <MiB> <seconds> <level>`: `FUNC f 1 2 3`
        x.dat:3: expected `FUNC <name> <MiB> <seconds> <MiB> <seconds> <level>`: `FUNC fffffffffffffffffffffffffffffffffffffffffffffffffffffff…`
        ");
    }

    #[test]
    fn a_line_that_is_being_written_is_left_out() {
        let profile = parse("MEM 1.0 1.0\nMEM 2.0 2").unwrap();
        assert_eq!(profile.samples.len(), 2);
        let profile = parse("MEM 1.0 1.0\nMEM 2.0").unwrap();
        assert_eq!(profile.samples.len(), 1);
    }

    #[test]
    fn an_empty_profile_differs_from_another_file() {
        assert!(error("").contains("x.dat is not a profile"));
        assert!(error("# Title\n").contains("x.dat is not a profile"));
        assert!(error("CMDLINE x\n").contains("x.dat has no samples"));
    }

    #[test]
    fn the_peak_of_a_function_is_the_highest_sample_during_its_calls() {
        let profile = parse(
            "MEM 1.0 1.0\nMEM 9.0 1.5 peak\nMEM 3.0 2.0\nMEM 20.0 3.0\n\
             FUNC f 1.0 1.0 3.0 2.0 0\nFUNC short 1.0 1.1 2.0 1.2 0\n",
        )
        .unwrap();
        assert_eq!(profile.peak_in("f"), Some(9 << 20));
        assert_eq!(profile.peak_in("short"), Some(2 << 20));
        assert_eq!(profile.peak_in("g"), None);
        assert_eq!(profile.peak().unwrap().memory, 20 << 20);
        assert!(profile.samples[1].is_peak);
    }

    proptest! {
        #[test]
        fn a_written_file_can_be_read_back(kib in 0u64..1 << 40, micros in 0u64..4_000_000_000_000_000, name in "\\PC{1,20}") {
            let time = Duration::from_micros(micros);
            let sample = mprof_format::Sample { memory: kib << 10, time };
            let end = mprof_format::Sample { memory: 0, time };
            let mut text = String::new();
            mprof_format::memory(&mut text, sample, true).unwrap();
            mprof_format::child(&mut text, 7, sample, false).unwrap();
            mprof_format::function(&mut text, &name, sample, end, 3).unwrap();
            let profile = Profile::parse(text.as_bytes(), Path::new("x")).unwrap();
            prop_assert_eq!(profile.samples[0].memory, kib << 10);
            prop_assert!((profile.samples[0].time - time.as_secs_f64()).abs() < 1e-5);
            prop_assert_eq!(profile.children[0].samples[0].memory, kib << 10);
            prop_assert_eq!(profile.spans[0].level, 3);
        }
    }
}
