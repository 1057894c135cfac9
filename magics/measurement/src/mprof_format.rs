//! The file format of `mprof`, which comes with Python's `memory_profiler`: text, a fact per line.
//!
//! ```text
//! CMDLINE python sort.py
//! MEM 12.500000 1700000000.100000          memory of the program
//! MEM 162.312500 1700000000.150000 peak    a peak between two samples
//! CHLD 4711 8.250000 1700000000.100000     memory of a child process, by its number
//! FUNC sort 12.500000 1700000000.100000 80.000000 1700000000.900000 0
//!                                          a function: memory and time at its start and at its
//!                                          end, and how many others it was called in
//! ATMOST MEM 170.250000                    the peak of the program may be above all samples, up to this
//! ATMOST 4711 inf                          the peak of a child may be, and nobody knows how far
//! ```
//!
//! Sizes are in MiB and times in seconds since 1970, both with six decimals: for a size, that is a
//! byte. `peak` and `ATMOST` are ours: other readers take the first two numbers for a sample, and leave out
//! lines that begin with other words.
//!
//! The functions of this module write a line each. They do not allocate, since what they write about
//! may be the heap of their own process, and they write digits themselves, since the formatting macros
//! would take longer than all the rest.

use std::fmt::{Result, Write};
use std::time::Duration;

const MIB: u64 = 1 << 20;
/// Six decimals.
const MILLION: u64 = 1_000_000;
/// What a blank in a name is written as. `mprof` ends a field at each blank, but at no other kind of
/// space.
const BLANK: char = '\u{a0}';

/// Memory at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// In bytes.
    pub memory: u64,
    /// Since 1970.
    pub time: Duration,
}

/// Writes the command line of the program, arguments with blanks in quotes.
pub fn command<S: AsRef<str>>(out: &mut impl Write, arguments: &[S]) -> Result {
    out.write_str("CMDLINE")?;
    for argument in arguments {
        let argument = argument.as_ref();
        let quote = if argument.contains([' ', '\t', '\n', '\r']) {
            "'"
        } else {
            ""
        };
        out.write_str(" ")?;
        out.write_str(quote)?;
        replaced(out, argument, ['\n', '\r'], ' ')?;
        out.write_str(quote)?;
    }
    out.write_str("\n")
}

/// Writes a sample of the program.
pub fn memory(out: &mut impl Write, sample: Sample, is_peak: bool) -> Result {
    out.write_str("MEM ")?;
    size_and_time(out, sample)?;
    end(out, is_peak)
}

/// Writes a sample of a child process.
pub fn child(out: &mut impl Write, pid: u32, sample: Sample, is_peak: bool) -> Result {
    out.write_str("CHLD ")?;
    number(out, pid.into(), 1)?;
    out.write_str(" ")?;
    size_and_time(out, sample)?;
    end(out, is_peak)
}

/// Writes that the peak of the program, or of a child process, may be above all samples: up to a size in
/// bytes, if that is known.
pub fn at_most(out: &mut impl Write, child: Option<u32>, at_most: Option<u64>) -> Result {
    out.write_str("ATMOST ")?;
    match child {
        None => out.write_str("MEM ")?,
        Some(pid) => {
            number(out, pid.into(), 1)?;
            out.write_str(" ")?;
        }
    }
    match at_most {
        None => out.write_str("inf")?,
        Some(at_most) => size(out, at_most)?,
    }
    out.write_str("\n")
}

/// Writes one execution of a function or a phase. `level` is the number of functions around it.
pub fn function(
    out: &mut impl Write,
    name: &str,
    start: Sample,
    end: Sample,
    level: u64,
) -> Result {
    out.write_str("FUNC ")?;
    if name.starts_with('.') {
        // `read_name` takes this one away.
        out.write_str(".")?;
    }
    replaced(out, name, [' ', '\n', '\r'], BLANK)?;
    for sample in [start, end] {
        out.write_str(" ")?;
        size_and_time(out, sample)?;
    }
    out.write_str(" ")?;
    number(out, level, 1)?;
    out.write_str("\n")
}

/// The name that [`function`] was given, from the field that it wrote. Line breaks and no-break
/// spaces come back as blanks.
///
/// Also reads what Python writes for a block, which has a name and no module: `.name`.
pub fn read_name(field: &str) -> String {
    let name = field.strip_prefix('.').unwrap_or(field);
    name.replace(BLANK, " ")
}

fn end(out: &mut impl Write, is_peak: bool) -> Result {
    out.write_str(if is_peak { " peak\n" } else { "\n" })
}

fn size_and_time(out: &mut impl Write, sample: Sample) -> Result {
    let Sample { memory, time } = sample;
    size(out, memory)?;
    out.write_str(" ")?;
    number(out, time.as_secs(), 1)?;
    out.write_str(".")?;
    number(out, time.subsec_micros().into(), 6)
}

fn size(out: &mut impl Write, bytes: u64) -> Result {
    // Rounding may reach the next MiB.
    let part = ((bytes % MIB) * MILLION + MIB / 2) / MIB;
    number(out, bytes / MIB + part / MILLION, 1)?;
    out.write_str(".")?;
    number(out, part % MILLION, 6)
}

/// Writes decimal digits, with zeros in front up to `width`.
fn number(out: &mut impl Write, mut number: u64, width: usize) -> Result {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    while number > 0 || digits.len() - start < width {
        start -= 1;
        digits[start] = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
    out.write_str(std::str::from_utf8(&digits[start..]).unwrap_or_default())
}

/// Writes `text` with `to` in place of each of the characters `from`.
fn replaced<const N: usize>(out: &mut impl Write, text: &str, from: [char; N], to: char) -> Result {
    let mut pieces = text.split(from);
    out.write_str(pieces.next().unwrap_or_default())?;
    for piece in pieces {
        out.write_char(to)?;
        out.write_str(piece)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    const TIME: Duration = Duration::from_micros(1_700_000_000_000_042);

    fn at(memory: u64, time: Duration) -> Sample {
        Sample { memory, time }
    }

    fn written(write: impl FnOnce(&mut String) -> Result) -> String {
        let mut out = String::new();
        write(&mut out).unwrap();
        out
    }

    /// The fields of a line, split as `read_mprofile_file` of `memory_profiler` 0.61 splits them.
    fn fields(line: &str) -> Vec<&str> {
        line.strip_suffix('\n').unwrap().split(' ').collect()
    }

    #[test]
    fn the_lines_are_those_of_mprof() {
        let text = written(|out| {
            command(out, &["sh", "-c", "sort a\n| uniq"])?;
            memory(out, at((12 << 20) + 4096, TIME), false)?;
            memory(out, at(150 << 20, TIME), true)?;
            child(out, 4711, at(512, TIME), false)?;
            let (start, end) = (at(0, TIME), at(1 << 20, TIME * 2));
            function(out, "read all", start, end, 1)
        });
        assert_snapshot!(text.replace(BLANK, "~"), @r"
        CMDLINE sh -c 'sort a | uniq'
        MEM 12.003906 1700000000.000042
        MEM 150.000000 1700000000.000042 peak
        CHLD 4711 0.000488 1700000000.000042
        FUNC read~all 0.000000 1700000000.000042 1.000000 3400000000.000084 1
        ");
    }

    #[test]
    fn a_bound_is_of_the_program_or_of_a_child() {
        let line = |child, bound| written(|out| at_most(out, child, bound));
        assert_eq!(line(None, Some(3 << 19)), "ATMOST MEM 1.500000\n");
        assert_eq!(line(None, None), "ATMOST MEM inf\n");
        assert_eq!(line(Some(7), None), "ATMOST 7 inf\n");
    }

    #[test]
    fn sizes_are_rounded_with_all_their_digits() {
        let size = |bytes| written(|out| memory(out, at(bytes, Duration::ZERO), false));
        assert_eq!(size((1 << 20) - 1), "MEM 0.999999 0.000000\n");
        assert_eq!(size((1 << 30) - 1), "MEM 1023.999999 0.000000\n");
        assert_eq!(size(u64::MAX), "MEM 17592186044415.999999 0.000000\n");
    }

    #[test]
    fn a_name_comes_back_as_it_was() {
        for name in [
            "load words",
            "Words::count",
            ".hidden",
            "..",
            "\u{fc}\ttab ",
            "",
        ] {
            let line = written(|out| function(out, name, at(0, TIME), at(0, TIME), 3));
            let fields = fields(&line);
            assert_eq!(fields.len(), 7, "{line}");
            assert_eq!(read_name(fields[1]), name);
            assert_eq!(fields[6], "3");
        }
        assert_eq!(read_name(".block"), "block");
        assert_eq!(read_name("two\u{a0}words"), "two words");
    }

    proptest! {
        #[test]
        fn what_is_written_has_the_fields_that_mprof_reads(
            bytes: u64, micros: u64, level: u64, name in "[^\u{a0}]*"
        ) {
            let sample = at(bytes, Duration::from_micros(micros));
            let line = written(|out| function(out, &name, sample, sample, level));
            prop_assert_eq!(line.matches(['\n', '\r']).count(), 1);
            let fields = fields(&line);
            prop_assert_eq!(fields.len(), 7);
            prop_assert_eq!(read_name(fields[1]), name.replace(['\n', '\r'], " "));
            let mib: f64 = fields[2].parse().unwrap();
            let seconds: f64 = fields[3].parse().unwrap();
            prop_assert!((mib - bytes as f64 / MIB as f64).abs() <= 1e-6 + mib * 1e-15);
            prop_assert!((seconds - sample.time.as_secs_f64()).abs() <= 1e-6 + seconds * 1e-15);
            prop_assert_eq!(fields[6].parse::<u64>().unwrap(), level);
        }
    }
}
