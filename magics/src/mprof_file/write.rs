//! The lines of a profile.

use std::io::Write as _;
use std::time::Duration;

const MIB: u64 = 1 << 20;
/// Decimals of a size: less than a byte.
const SIZE: u64 = 1_000_000;

/// Appends the command line, arguments with blanks in quotes.
pub fn command<S: AsRef<str>>(out: &mut Vec<u8>, arguments: &[S]) {
    out.extend(b"CMDLINE");
    for argument in arguments {
        // It is one line.
        let argument = argument.as_ref().replace(['\n', '\r'], " ");
        let quote = if argument.contains([' ', '\t']) {
            "'"
        } else {
            ""
        };
        append(out, format_args!(" {quote}{argument}{quote}"));
    }
    out.push(b'\n');
}

/// Appends a sample of the program: bytes, and the time since 1970.
pub fn memory(out: &mut Vec<u8>, bytes: u64, time: Duration, is_peak: bool) {
    out.extend(b"MEM ");
    sample(out, bytes, time, is_peak);
}

/// Appends a sample of one child.
pub fn child(out: &mut Vec<u8>, pid: u32, bytes: u64, time: Duration, is_peak: bool) {
    append(out, format_args!("CHLD {pid} "));
    sample(out, bytes, time, is_peak);
}

/// Appends one execution of a function or phase: bytes and time when it was entered and left, and
/// how many others it was in.
pub fn function(
    out: &mut Vec<u8>,
    name: &str,
    start: (u64, Duration),
    end: (u64, Duration),
    level: usize,
) {
    // Fields end at a blank, and at no other kind of space.
    let name = name.replace([' ', '\n', '\r'], "\u{a0}");
    append(out, format_args!("FUNC {name} "));
    for (bytes, time) in [start, end] {
        size_and_time(out, bytes, time);
        out.push(b' ');
    }
    append(out, format_args!("{level}\n"));
}

fn sample(out: &mut Vec<u8>, bytes: u64, time: Duration, is_peak: bool) {
    size_and_time(out, bytes, time);
    out.extend(if is_peak { &b" peak\n"[..] } else { b"\n" });
}

fn size_and_time(out: &mut Vec<u8>, bytes: u64, time: Duration) {
    // Rounded to the nearest, which may be the next MiB.
    let part = ((bytes % MIB) * SIZE + MIB / 2) / MIB;
    let (whole, part) = (bytes / MIB + part / SIZE, part % SIZE);
    let (seconds, micros) = (time.as_secs(), time.subsec_micros());
    append(out, format_args!("{whole}.{part:06} {seconds}.{micros:06}"));
}

fn append(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text)
        .expect("memory takes all that is written");
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn the_lines_are_those_of_mprof() {
        let mut out = Vec::new();
        let time = Duration::from_micros(1_700_000_000_000_042);
        command(&mut out, &["sh", "-c", "sort a\n| uniq"]);
        memory(&mut out, (12 << 20) + 4096, time, false);
        memory(&mut out, 150 << 20, time, true);
        memory(&mut out, (1 << 20) - 1, time, false);
        child(&mut out, 4711, 512, time, false);
        function(&mut out, "read all", (0, time), (1 << 20, time * 2), 1);
        assert_snapshot!(String::from_utf8(out).unwrap().replace('\u{a0}', "~"), @r"
        CMDLINE sh -c 'sort a | uniq'
        MEM 12.003906 1700000000.000042
        MEM 150.000000 1700000000.000042 peak
        MEM 0.999999 1700000000.000042
        CHLD 4711 0.000488 1700000000.000042
        FUNC read~all 0.000000 1700000000.000042 1.000000 3400000000.000084 1
        ");
    }

    #[test]
    fn a_size_just_below_a_mebibyte_is_rounded_with_all_its_digits() {
        let mut out = Vec::new();
        let gib = 1 << 30;
        memory(&mut out, gib - 1, Duration::ZERO, false);
        assert_eq!(out, b"MEM 1023.999999 0.000000\n");
    }
}
