//! Reads a file of memit's or of Python's `mprof`.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::line::Line;
use super::{AtMost, Child, Profile, Sample};
use crate::ellipsis::shortened;
use crate::visible::visible;

/// The longest part of a broken line that a message quotes, in characters.
const LONGEST_QUOTE: usize = 61;

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
    /// The file has no samples, but lines that should have been some.
    #[error("{path}:{problem}", path = .path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// The first of the lines.
        problem: Problem,
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

/// A line that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The number of the line, from 1.
    line: usize,
    /// What the reader expected, or what is wrong.
    expected: &'static str,
    /// The line, shortened if it is long.
    text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            line,
            expected,
            text,
        } = self;
        write!(f, "{line}: {expected}")?;
        if text.is_empty() {
            return Ok(());
        }
        write!(f, ": `{text}`")
    }
}

impl Profile {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is not a profile.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let file = File::open(path).map_err(|source| ReadError::File {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(BufReader::new(file), path)
    }

    /// Reads the text of a profile. Errors name `path`. Broken lines are left out, and are among
    /// [`Self::problems`].
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is not a profile.
    pub fn parse(text: impl BufRead, path: &Path) -> Result<Self, ReadError> {
        let mut profile = Self::default();
        for read in Lines::of(text) {
            let read = read.map_err(|source| ReadError::File {
                path: path.to_owned(),
                source,
            })?;
            match read {
                Ok(line) => profile.add(line),
                Err(problem) => profile.problems.push(problem),
            }
        }
        if profile.samples.is_empty() {
            let path = path.to_owned();
            return Err(match profile.problems.into_iter().next() {
                Some(problem) => ReadError::Broken { path, problem },
                None if profile.command.is_some() => ReadError::NoSamples { path },
                None => ReadError::NoProfile { path },
            });
        }
        sort(&mut profile.samples);
        for child in &mut profile.children {
            sort(&mut child.samples);
        }
        Ok(profile)
    }

    fn add(&mut self, line: Line) {
        match line {
            Line::Command(command) => self.command = Some(command),
            Line::Memory(sample) => self.samples.push(sample),
            Line::Child(name, sample) => self.child(&name).samples.push(sample),
            Line::Function(span) => self.spans.push(span),
            Line::AtMost(None, at_most) => {
                self.at_most = Some(AtMost::wider(self.at_most, at_most));
            }
            Line::AtMost(Some(name), at_most) => {
                let child = self.child(&name);
                child.at_most = Some(AtMost::wider(child.at_most, at_most));
            }
            Line::Nothing => {}
        }
    }

    fn child(&mut self, name: &str) -> &mut Child {
        // Search from the end: it is nearly always a recent child.
        let at = self.children.iter().rposition(|child| child.name == name);
        let at = at.unwrap_or_else(|| {
            self.children.push(Child {
                name: name.to_owned(),
                samples: Vec::new(),
                at_most: None,
            });
            self.children.len() - 1
        });
        &mut self.children[at]
    }
}

/// The first sample of the program among the first `most` lines of a profile.
pub fn first_sample(text: impl BufRead, most: usize) -> Option<Sample> {
    let lines = Lines::of(text).take(most).map_while(Result::ok);
    lines.flatten().find_map(|line| match line {
        Line::Memory(sample) => Some(sample),
        _ => None,
    })
}

/// The lines of a profile, broken ones included.
struct Lines<R> {
    text: R,
    line: Vec<u8>,
    number: usize,
}

impl<R: BufRead> Lines<R> {
    fn of(text: R) -> Self {
        Self {
            text,
            line: Vec::new(),
            number: 0,
        }
    }

    fn line(&self) -> Result<Line, Problem> {
        let is_whole = self.line.last() == Some(&b'\n');
        let content = String::from_utf8_lossy(self.line.trim_ascii_end());
        let read = match Line::parse(&content) {
            // The rest may be missing from the last number, which is then another one.
            Ok(line) if !is_whole && line.is_of_profile() => Err("a line without an end"),
            read => read,
        };
        read.map_err(|expected| Problem {
            line: self.number,
            expected,
            text: shortened(&visible(&content), LONGEST_QUOTE),
        })
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Result<Line, Problem>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.line.clear();
        match self.text.read_until(b'\n', &mut self.line) {
            Ok(0) => None,
            Ok(_) => {
                self.number += 1;
                Some(Ok(self.line()))
            }
            Err(error) => Some(Err(error)),
        }
    }
}

fn sort(samples: &mut [Sample]) {
    samples.sort_by(|one, other| one.time.total_cmp(&other.time));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use insta::assert_snapshot;
    use memit_measurement::mprof_format;
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
    fn a_broken_line_costs_that_line_and_is_told_with_its_number() {
        let profile = parse(&format!(
            "CMDLINE x\nMEM 1.0 1.0\nMEM 1.0\nMEM one 2.0\nMEM 1.0 nan\n\nCHLD 7 1.0\nMEM 2.0 2.0\n\
             FUNC f 1 2 3\nFUNC {} 1 2 3\nMEM 3.0\x1b[2J\nMEM 3.0 3.0\n",
            "f".repeat(100)
        ))
        .unwrap();
        let sizes: Vec<_> = profile.samples.iter().map(|s| s.memory >> 20).collect();
        assert_eq!(sizes, [1, 2, 3]);
        let problems: Vec<_> = profile.problems.iter().map(Problem::to_string).collect();
        assert_snapshot!(problems.join("\n"), @r"
        3: expected `MEM <MiB> <seconds>`: `MEM 1.0`
        4: expected `MEM <MiB> <seconds>`: `MEM one 2.0`
        5: expected `MEM <MiB> <seconds>`: `MEM 1.0 nan`
        6: an empty line
        7: expected `CHLD <process> <MiB> <seconds>`: `CHLD 7 1.0`
        9: expected `FUNC <name> <MiB> <seconds> <MiB> <seconds> <level>`: `FUNC f 1 2 3`
        10: expected `FUNC <name> <MiB> <seconds> <MiB> <seconds> <level>`: `FUNC fffffffffffffffffffffffffffffffffffffffffffffffffffffff…`
        11: expected `MEM <MiB> <seconds>`: `MEM 3.0␛[2J`
        ");
    }

    #[test]
    fn the_first_sample_is_read_as_all_samples_are() {
        let first = |text: &[u8]| first_sample(text, 4).map(|sample| sample.time);
        assert_eq!(first(b"CMDLINE x\nMEM 1.0 7.25\nMEM 1.0 8.0\n"), Some(7.25));
        // Not UTF-8, broken, unread, and cut off.
        assert_eq!(first(b"CMDLINE \xff\nMEM 1.0 7.0\n"), Some(7.0));
        assert_eq!(
            first(b"MEM one 6.0\nMEM 1.0 1e99\nMEM 1.0 7.0\n"),
            Some(7.0)
        );
        assert_eq!(first(b"MEM -1.000000 6.0\nMEM 1.0 7.0\n"), Some(7.0));
        assert_eq!(first(b"CMDLINE x\nMEM 1.0 7"), None);
        assert_eq!(first(b"CMDLINE x\n\n\n\nMEM 1.0 7.0\n"), None);
    }

    #[test]
    fn a_file_with_broken_lines_alone_is_an_error_with_the_first() {
        let text = "CMDLINE x\nMEM 1,5 1600000000,1000\nMEM 2,5 1600000000,2000\n";
        let expected = "x.dat:2: expected `MEM <MiB> <seconds>`: `MEM 1,5 1600000000,1000`";
        assert_eq!(error(text), expected);
    }

    #[test]
    fn a_last_line_that_is_not_whole_is_left_out() {
        for cut in [
            "MEM 2.0 2",
            "MEM 97.123456 1",
            "MEM 2.0",
            "CHLD 7 1.0 16",
            "FUNC f 1 2 3 4",
            "ME",
        ] {
            let profile = parse(&format!("MEM 1.0 1.0\n{cut}")).unwrap();
            assert_eq!(profile.samples.len(), 1, "{cut}");
            assert!(
                profile.children.is_empty() && profile.spans.is_empty(),
                "{cut}"
            );
        }
        let profile = parse("MEM 1.0 1.0\nMEM 2.5 16000").unwrap();
        let problem = profile.problems[0].to_string();
        assert_eq!(problem, "2: a line without an end: `MEM 2.5 16000`");
    }

    #[test]
    fn lines_may_end_as_on_windows() {
        let profile = parse("CMDLINE x\r\nMEM 1.5 10.1\r\nMEM 9.5 10.2\r\n").unwrap();
        assert_eq!(profile.command.as_deref(), Some("x"));
        assert_eq!((profile.samples.len(), profile.problems.len()), (2, 0));
    }

    #[test]
    fn what_is_known_of_a_peak_is_the_least_of_all_lines() {
        let text = "MEM 1.0 1.0\nATMOST MEM 3.0\nATMOST MEM 2.0\nCHLD 7 1.0 1.0\nATMOST 7 inf\n";
        let profile = parse(text).unwrap();
        assert_eq!(profile.at_most, Some(AtMost::Bytes(3 << 20)));
        assert_eq!(profile.children[0].at_most, Some(AtMost::Unknown));
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
