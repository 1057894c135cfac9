//! Reads the options at the start of a line.

use std::ops::Range;

use super::{Given, OptionSpec, Options};
use crate::error::{MagicError, nearest};

/// Reads the options at the start of `line` and returns them with their length in bytes. `offset`
/// is the start of `line` in the cell.
///
/// Options end at the first word that does not start with `-`, at `--`, or at a `-` that cannot
/// be an option (`-1`, `-(a + b)`).
///
/// # Errors
///
/// If an option is not in `specs`, lacks its value, or has a value that it does not take.
pub fn parse(
    line: &str,
    offset: usize,
    specs: &[OptionSpec],
) -> Result<(Options, usize), MagicError> {
    let mut reader = Reader {
        line,
        offset,
        at: 0,
    };
    let mut options = Options::default();
    loop {
        reader.skip_spaces();
        let word = reader.peek_word();
        let mut letters = word.chars();
        let is_option = letters.next() == Some('-')
            && letters
                .next()
                .is_some_and(|letter| letter == '-' || letter.is_alphabetic());
        if !is_option {
            return Ok((options, reader.at));
        }
        if word == "--" {
            reader.at += 2;
            reader.skip_spaces();
            return Ok((options, reader.at));
        }
        if word.starts_with("--") {
            options.given.push(reader.long(specs)?);
        } else {
            reader.cluster(specs, &mut options.given)?;
        }
    }
}

struct Reader<'a> {
    line: &'a str,
    offset: usize,
    at: usize,
}

impl<'a> Reader<'a> {
    fn skip_spaces(&mut self) {
        let rest = &self.line[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    /// The text up to the next space.
    fn peek_word(&self) -> &'a str {
        self.line[self.at..]
            .split(char::is_whitespace)
            .next()
            .unwrap_or_default()
    }

    fn take_word(&mut self) -> &'a str {
        let word = self.peek_word();
        self.at += word.len();
        word
    }

    fn span_from(&self, start: usize) -> Range<usize> {
        self.offset + start..self.offset + self.at
    }

    /// `--name`, `--name value` or `--name=value`.
    fn long(&mut self, specs: &[OptionSpec]) -> Result<Given, MagicError> {
        let start = self.at;
        let word = self.take_word();
        let (name, attached) = match word[2..].split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (&word[2..], None),
        };
        let Some(spec) = specs.iter().find(|spec| spec.long == name) else {
            let near = nearest(name, specs.iter().map(|spec| spec.long));
            return Err(unknown(
                &format!("--{name}"),
                self.span_from(start),
                near.map(|n| format!("--{n}")),
            ));
        };
        let value = match (spec.value, attached) {
            (Some(_), Some(value)) if !value.starts_with(['"', '\'']) => Some(value.to_owned()),
            (Some(what), Some(value)) => {
                self.at -= value.len();
                Some(self.separate_value(start, what)?)
            }
            (Some(what), None) => Some(self.separate_value(start, what)?),
            (None, None) => None,
            (None, Some(_)) => {
                return Err(MagicError::new(
                    format!("`--{name}` takes no value"),
                    self.span_from(start),
                ));
            }
        };
        Ok(Given {
            short: spec.short,
            value,
            span: self.span_from(start),
        })
    }

    /// `-q`, `-qo`, `-r5`, `-r 5` or `-qr5`.
    fn cluster(&mut self, specs: &[OptionSpec], given: &mut Vec<Given>) -> Result<(), MagicError> {
        let start = self.at;
        let word = self.peek_word();
        self.at += 1;
        for (index, letter) in word.char_indices().skip(1) {
            self.at += letter.len_utf8();
            let Some(spec) = specs.iter().find(|spec| spec.short == letter) else {
                self.at = start + word.len();
                // `-repeat` may mean `--repeat`. A single letter resembles no option in particular.
                let near = (word.len() > 3)
                    .then(|| nearest(&word[1..], specs.iter().map(|spec| spec.long)))
                    .flatten();
                let near = near.map(|near| format!("--{near}"));
                let name = if index == 1 {
                    word.to_owned()
                } else {
                    format!("-{letter}")
                };
                return Err(unknown(&name, self.span_from(start), near));
            };
            let Some(what) = spec.value else {
                given.push(Given {
                    short: letter,
                    value: None,
                    span: self.span_from(start),
                });
                continue;
            };
            let attached = &word[index + letter.len_utf8()..];
            let value = if attached.is_empty() || attached.starts_with(['"', '\'']) {
                self.separate_value(start, what)?
            } else {
                self.at += attached.len();
                attached.to_owned()
            };
            given.push(Given {
                short: letter,
                value: Some(value),
                span: self.span_from(start),
            });
            break;
        }
        Ok(())
    }

    fn separate_value(&mut self, start: usize, what: &str) -> Result<String, MagicError> {
        let option = &self.line[start..self.at];
        self.skip_spaces();
        if let Some(quoted) = self.take_quoted() {
            return quoted;
        }
        let value = self.take_word();
        if value.is_empty() {
            return Err(MagicError::new(
                format!("`{option}` needs a value: `{option} {what}`"),
                self.offset + start..self.offset + start + option.len(),
            ));
        }
        Ok(value.to_owned())
    }

    /// `"one value"` or `'one value'`, without the quotes; `None` if the value is not quoted.
    fn take_quoted(&mut self) -> Option<Result<String, MagicError>> {
        let rest = &self.line[self.at..];
        let quote = rest
            .chars()
            .next()
            .filter(|first| ['"', '\''].contains(first))?;
        let (start, inside) = (self.at, &rest[1..]);
        let Some(length) = inside.find(quote) else {
            self.at = self.line.len();
            return Some(Err(MagicError::new(
                format!("this value has no closing `{quote}`"),
                self.span_from(start),
            )));
        };
        self.at += length + 2;
        Some(Ok(inside[..length].to_owned()))
    }
}

fn unknown(name: &str, span: Range<usize>, near: Option<String>) -> MagicError {
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("if `{name}` is the start of the statement, write `-- ` before it"),
    };
    MagicError::new(format!("unknown option `{name}`"), span).with_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SPECS: &[OptionSpec] = &[
        OptionSpec {
            short: 'r',
            long: "repeat",
            value: Some("R"),
            help: "",
        },
        OptionSpec {
            short: 'q',
            long: "quiet",
            value: None,
            help: "",
        },
        OptionSpec {
            short: 'o',
            long: "",
            value: None,
            help: "",
        },
    ];

    fn parsed(line: &str) -> (Options, &str) {
        let (options, end) = parse(line, 0, SPECS).unwrap();
        (options, &line[end..])
    }

    #[test]
    fn values_may_be_attached_or_not() {
        for line in [
            "-r5 v",
            "-r 5 v",
            "--repeat 5 v",
            "--repeat=5 v",
            "-qr5 v",
            "-q -r  5   v",
        ] {
            let (options, rest) = parsed(line);
            assert_eq!(options.text('r'), Some("5"), "{line}");
            assert_eq!(rest, "v", "{line}");
        }
    }

    #[test]
    fn a_value_in_quotes_may_have_blanks() {
        for line in [
            "-r 'one two' v",
            "-r\"one two\" v",
            "--repeat \"one two\"  v",
            "--repeat='one two' v",
            "-qr 'one two' v",
        ] {
            let (options, rest) = parsed(line);
            assert_eq!(options.text('r'), Some("one two"), "{line}");
            assert_eq!(rest, "v", "{line}");
        }
        assert_eq!(
            parsed("-r 'it is \"so\"' v").0.text('r'),
            Some("it is \"so\"")
        );
        let error = parse("-r 'one two v", 10, SPECS).unwrap_err();
        assert_eq!(error.message, "this value has no closing `'`");
        assert_eq!(error.span, 13..23);
    }

    #[test]
    fn the_rust_behind_the_options_stays_as_written() {
        assert_eq!(
            parsed("-q f::<'a'>( \"-r 5\" )  ").1,
            "f::<'a'>( \"-r 5\" )  "
        );
        assert_eq!(parsed("-1i32.abs()").1, "-1i32.abs()");
        assert_eq!(parsed("-(a + b)").1, "-(a + b)");
        assert_eq!(parsed("-q -- -x").1, "-x");
        assert_eq!(parsed("").1, "");
    }

    #[test]
    fn an_unknown_option_names_the_nearest_one() {
        let error = parse("--repaet 5 x", 10, SPECS).unwrap_err();
        assert_eq!(error.message, "unknown option `--repaet`");
        assert_eq!(error.span, 10..18);
        assert_eq!(error.help.unwrap(), "did you mean `--repeat`?");
        let error = parse("-z x", 0, SPECS).unwrap_err();
        assert_eq!(
            error.help.unwrap(),
            "if `-z` is the start of the statement, write `-- ` before it"
        );
    }

    #[test]
    fn a_missing_or_wrong_value_is_an_error() {
        assert_eq!(
            parse("-q -r", 0, SPECS).unwrap_err().message,
            "`-r` needs a value: `-r R`"
        );
        assert_eq!(
            parse("--quiet=1", 0, SPECS).unwrap_err().message,
            "`--quiet` takes no value"
        );
        let (options, _) = parsed("-r many x");
        let error = options
            .value::<u32>('r', "a whole number", |_| true)
            .unwrap_err();
        assert_eq!(error.message, "`-r` takes a whole number, not `many`");
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "[-a-zé=0-9 '\"]{0,40}") {
            if let Ok((_, end)) = parse(&line, 0, SPECS) {
                prop_assert!(line.is_char_boundary(end));
            }
        }
    }
}
