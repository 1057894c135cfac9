//! Turns the text of a magic into a call of it, or a request for its help.

use super::registry;
use crate::cell::options;
use crate::cell::snippet::Snippet;
use crate::cell::{MagicText, Part, split};
use crate::error::{MagicError, nearest};
use crate::magic::{Call, Form, Magic};

/// What the user asks of a magic.
pub enum Request {
    /// To show the help.
    Help(&'static dyn Magic),
    /// To run the magic.
    Run(&'static dyn Magic, Call),
}

impl MagicText {
    /// Finds the magic and reads the options of this text, which is a part of `cell`.
    ///
    /// # Errors
    ///
    /// If the magic does not exist or does not have this form, or if its options are wrong.
    pub fn request(&self, cell: &str) -> Result<Request, MagicError> {
        let name = &cell[self.name.clone()];
        let Some(magic) = registry::find(name) else {
            let near = nearest(name, registry::all().iter().map(|magic| magic.name()));
            let help = match near {
                Some(near) => format!("did you mean `%{near}`? `%lsmagic` lists all magics"),
                None => "`%lsmagic` lists all magics".to_owned(),
            };
            let message = format!("there is no magic `%{name}`");
            return Err(MagicError::new(message, self.name.clone()).with_help(help));
        };
        if self.help {
            return Ok(Request::Help(magic));
        }
        let mut specs = magic.options().to_vec();
        specs.push(options::HELP);
        let line = &cell[self.line.clone()];
        let (options, length) = options::parse(line, self.line.start, &specs)?;
        if options.has(options::HELP.short) {
            return Ok(Request::Help(magic));
        }
        match (magic.form(), &self.body) {
            (Form::Line, Some(_)) => {
                return Err(MagicError::new(
                    format!("`%{name}` is a line magic"),
                    self.name.clone(),
                )
                .with_help(format!("write it with one `%`: `%{name}`")));
            }
            (Form::Cell, None) => {
                return Err(MagicError::new(
                    format!("`%%{name}` is a cell magic"),
                    self.name.clone(),
                )
                .with_help(format!(
                    "write it with two `%` on the first line: `%%{name}`"
                )));
            }
            _ => {}
        }
        let start = self.line.start + length;
        let argument = Snippet::new(cell, start..self.line.end.max(start));
        let body = self.body.clone().map(|body| Snippet::new(cell, body));
        Ok(Request::Run(
            magic,
            Call {
                cell: self.body.is_some(),
                options,
                argument,
                body,
            },
        ))
    }
}

/// Overwrites the head of every magic with blanks, so that only Rust is left, at unchanged byte
/// offsets. A `;` replaces the line end of each line magic.
pub fn blank_magics(cell: &str) -> String {
    let Ok(parts) = split(cell) else {
        return cell.to_owned();
    };
    let mut text = cell.as_bytes().to_vec();
    for part in parts {
        let Part::Magic(magic) = part else { continue };
        let rust = match magic.request(cell) {
            Ok(Request::Run(_, asked)) => asked.argument.range().start,
            _ => magic.line.end,
        };
        let sigils = if magic.body.is_some() { 2 } else { 1 };
        let head = magic.name.start - sigils..rust;
        for byte in &mut text[head] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        if let Some(end) = text.get_mut(magic.line.end) {
            *end = b';';
        }
    }
    // Only whole characters were overwritten, with spaces.
    String::from_utf8(text).unwrap_or_else(|_| cell.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_unknown_magic_names_the_nearest_one() {
        let cell = "%memti x";
        let [Part::Magic(magic)] = &split(cell).unwrap()[..] else {
            panic!()
        };
        let Err(error) = magic.request(cell) else {
            panic!()
        };
        assert_eq!(error.message, "there is no magic `%memti`");
        assert_eq!(
            error.help.unwrap(),
            "did you mean `%memit`? `%lsmagic` lists all magics"
        );
    }

    #[test]
    fn blanking_keeps_every_offset() {
        let cell = "let é = 1;\n%memit -r 2 é + 1\n%lsmagic\né";
        let blank = blank_magics(cell);
        assert_eq!(blank.len(), cell.len());
        assert_eq!(blank, "let é = 1;\n            é + 1;        ;é");
    }

    proptest! {
        #[test]
        fn no_cell_makes_it_panic(cell in "[%?a-c \n;{}()\"'/*é:!-]{0,60}") {
            for part in split(&cell).unwrap_or_default() {
                if let Part::Magic(magic) = part {
                    let _ = magic.request(&cell);
                }
            }
            prop_assert_eq!(blank_magics(&cell).len(), cell.len());
        }
    }
}
