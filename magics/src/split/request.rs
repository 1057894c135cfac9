//! Turns the text of a magic into a call of it, or a request for its help.

use super::extent::{self, Within};
use super::head::Head;
use super::{MagicText, Part, placed};
use crate::cell::options;
use crate::cell::snippet::Snippet;
use crate::error::{MagicError, nearest};
use crate::magic::{Call, Content, Form, Magic};
use crate::magics::{foreign, registry, statement};

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
            let message = format!("there is no magic `%{name}`");
            return Err(MagicError::new(message, self.name.clone()).with_help(instead_of(name)));
        };
        if self.help {
            return Ok(Request::Help(magic));
        }
        let mut specs = magic.options().to_vec();
        specs.push(options::HELP);
        let line = cell[self.line.clone()].lines().next().unwrap_or_default();
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
        if let Some(variable) = &self.variable
            && !specs.contains(&statement::VARIABLE)
        {
            return Err(MagicError::new(
                format!("`%{name}` has no result to bind"),
                variable.start..self.name.end,
            )
            .with_help(format!("write `%{name}` alone")));
        }
        let start = self.line.start + length;
        let argument = Snippet::new(cell, start..self.line.end.max(start));
        let body = self.body.clone().map(|body| Snippet::new(cell, body));
        if magic.content() == Content::Rust {
            for snippet in [Some(&argument), body.as_ref()].into_iter().flatten() {
                self.refuse_magics(cell, snippet)?;
            }
        }
        Ok(Request::Run(
            magic,
            Call {
                name: self.name.clone(),
                cell: self.body.is_some(),
                options,
                variable: self
                    .variable
                    .clone()
                    .map(|at| (cell[at.clone()].to_owned(), at)),
                argument,
                body,
            },
        ))
    }

    /// Refuses magics in the statements of this magic.
    fn refuse_magics(&self, cell: &str, statements: &Snippet) -> Result<(), MagicError> {
        let text = statements.text();
        let mut within = super::split(text).unwrap_or_default().into_iter();
        let inner = within.find_map(|part| match part {
            Part::Magic(magic) => Some(magic),
            Part::Rust(range) => placed(text, range).into_iter().next(),
        });
        let Some(inner) = inner.filter(|inner| registry::find(&text[inner.name.clone()]).is_some())
        else {
            return Ok(());
        };
        let (outer, name) = (&cell[self.sign.clone()], &text[inner.name.clone()]);
        let start = statements.range().start;
        let span = start + inner.sign.start..start + inner.sign.end;
        Err(
            MagicError::new(format!("`%{name}` cannot stand within `{outer}`"), span).with_help(
                format!("a magic measures Rust: write `%{name}` in a cell of its own, or above or below `{outer}`"),
            ),
        )
    }

    /// Reads the text that belongs to a head.
    pub(super) fn read(cell: &str, head: Head, within: Within) -> Self {
        let name_end = head.name.end;
        let line_end = cell[name_end..]
            .find('\n')
            .map_or(cell.len(), |length| name_end + length);
        let magic = registry::find(&cell[head.name.clone()]).filter(|_| !head.help);
        let start = magic.and_then(|magic| {
            let specs = magic.options();
            let line = &cell[name_end..line_end];
            let length = options::parse(line, name_end, specs).map(|(_, length)| length);
            length.ok().map(|length| name_end + length)
        });
        let takes_statements = magic.is_some_and(|magic| magic.argument() == STATEMENTS);
        let is_value = head.variable.is_some();
        let end = match start {
            Some(start) if takes_statements => extent::end(cell, start, within, is_value),
            _ if within == Within::Block || is_value => {
                extent::end(&cell[..line_end], name_end, Within::Block, is_value)
            }
            _ => line_end,
        };
        let line = name_end..name_end + cell[name_end..end].trim_end().len();
        let has_semicolon = is_value && cell[end..].starts_with(';');
        Self {
            whole: head.whole.start..end + usize::from(has_semicolon),
            sign: head.sign,
            name: head.name,
            line,
            body: None,
            variable: head.variable,
            help: head.help,
        }
    }
}

/// What to do instead of calling `%name`, which does not exist.
fn instead_of(name: &str) -> String {
    if let Some(advice) = foreign::advice(name) {
        return advice.to_owned();
    }
    match nearest(name, registry::all().iter().map(|magic| magic.name())) {
        Some(near) => {
            let is_cell = registry::find(near).is_some_and(|magic| magic.form() == Form::Cell);
            let sign = if is_cell { "%%" } else { "%" };
            format!("did you mean `{sign}{near}`? `%lsmagic` lists all magics")
        }
        None => "`%lsmagic` lists all magics".to_owned(),
    }
}

/// The argument of the magics whose statements may go on in the next lines.
const STATEMENTS: &str = "STATEMENTS";

/// Overwrites the head of every magic with blanks, so that only Rust is left, at unchanged byte
/// offsets. A `;` behind its statements replaces a blank or a line end.
pub fn blank_magics(cell: &str) -> String {
    let Ok(parts) = super::split(cell) else {
        return cell.to_owned();
    };
    let magics = parts.into_iter().flat_map(|part| match part {
        Part::Magic(magic) => vec![magic],
        Part::Rust(range) => placed(cell, range),
    });
    let mut text = cell.as_bytes().to_vec();
    for magic in magics {
        let content = magic.content(cell);
        let rust = match magic.request(cell) {
            Ok(Request::Run(_, asked)) if content == Content::Rust => asked.argument.range().start,
            _ => magic.line.end,
        };
        blank(&mut text[magic.whole.start..rust]);
        if let Some(body) = &magic.body {
            match content {
                Content::Rust => {}
                Content::Text => blank(&mut text[body.clone()]),
                Content::Cell => {
                    let rust = blank_magics(&cell[body.clone()]);
                    text[body.clone()].copy_from_slice(rust.as_bytes());
                }
            }
        }
        // Below other content than Rust, there is no statement to end.
        let is_alone = magic.body.is_some() && content != Content::Rust;
        let has_semicolon = cell[..magic.whole.end].ends_with(';');
        match text.get_mut(magic.whole.end) {
            Some(end @ (b' ' | b'\n')) if !has_semicolon && !is_alone => *end = b';',
            _ => {}
        }
    }
    // Only whole characters were overwritten, with spaces.
    String::from_utf8(text).unwrap_or_else(|_| cell.to_owned())
}

/// Overwrites everything but line ends with blanks.
fn blank(text: &mut [u8]) {
    for byte in text.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

#[cfg(test)]
mod tests {
    use super::super::split;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_unknown_magic_names_another_one_or_says_what_to_do() {
        let error = |cell: &str| {
            let [Part::Magic(magic)] = &split(cell).unwrap()[..] else {
                panic!("{cell}")
            };
            let Err(error) = magic.request(cell) else {
                panic!("{cell}")
            };
            format!("{}: {}", error.message, error.help.unwrap())
        };
        let cells = [
            "%memti x",
            "%writefil x",
            "%%bahs\nls",
            "%pip install x",
            "%%go\nx",
            "%no_such_magic",
        ];
        insta::assert_snapshot!(cells.map(error).join("\n"), @"
        there is no magic `%memti`: did you mean `%memit`? `%lsmagic` lists all magics
        there is no magic `%writefil`: did you mean `%%writefile`? `%lsmagic` lists all magics
        there is no magic `%bahs`: did you mean `%%bash`? `%lsmagic` lists all magics
        there is no magic `%pip`: not needed here: `:dep NAME = \"VERSION\"` adds a crate
        there is no magic `%go`: not needed here: a cell is Rust
        there is no magic `%no_such_magic`: `%lsmagic` lists all magics
        ");
    }

    #[test]
    fn blanking_keeps_every_offset() {
        let cell = "let é = 1;\n%memit -r 2 é + 1\n%lsmagic\né";
        let blank = blank_magics(cell);
        assert_eq!(blank.len(), cell.len());
        assert_eq!(blank, "let é = 1;\n            é + 1;        ;é");
    }

    #[test]
    fn blanking_knows_blocks_variables_and_statements_over_lines() {
        for (cell, blank) in [
            ("if a { %timeit f(n) }", "if a {         f(n);}"),
            (
                "for n in 0..3 {\n%memit f(n)\n}",
                "for n in 0..3 {\n       f(n);}",
            ),
            ("let t = %timeit -o 1 + 1; t", "                   1 + 1; t"),
            ("%timeit v\n.len()\nv", "        v\n.len();v"),
        ] {
            assert_eq!(blank_magics(cell), blank);
        }
    }

    #[test]
    fn blanking_takes_text_for_text_and_a_cell_for_a_cell() {
        for (cell, blank) in [
            ("%%bash\nlet é = 1;", "      \n           "),
            ("%cd let\nv", "       ;v"),
            (
                "%%capture x\n:dep a\n%memit v.len()\nw",
                "           \n:dep a\n       v.len();w",
            ),
        ] {
            assert_eq!(blank_magics(cell), blank, "{cell}");
        }
    }

    #[test]
    fn commands_below_a_magic_belong_to_rust_alone() {
        let texts = |cell: &'static str| -> Vec<_> {
            let parts = split(cell).unwrap().into_iter();
            let text = |part| match part {
                Part::Rust(range) => &cell[range],
                Part::Magic(magic) => &cell[magic.body.unwrap()],
            };
            parts.map(text).collect()
        };
        assert_eq!(texts("%%memit\n:dep a\n!ls\nv"), [":dep a\n!ls\n", "v"]);
        assert_eq!(texts("%%sh\n:dep a\n!ls\nv"), [":dep a\n!ls\nv"]);
        assert_eq!(
            texts("%%capture\n:dep a\n%%memit\nv"),
            [":dep a\n%%memit\nv"]
        );
    }

    #[test]
    fn a_magic_within_a_magic_is_refused() {
        for (cell, message) in [
            (
                "%%timeit\n%memit vec![1]",
                "`%memit` cannot stand within `%%timeit`",
            ),
            ("%timeit %memit 3", "`%memit` cannot stand within `%timeit`"),
            (
                "%%memit\nfor n in 0..3 {\n%timeit n\n}",
                "`%timeit` cannot stand within `%%memit`",
            ),
            ("let t = %session", "`%session` has no result to bind"),
        ] {
            let parts = split(cell).unwrap();
            let Some(Part::Magic(magic)) = parts.last() else {
                panic!("{parts:?}")
            };
            let Err(error) = magic.request(cell) else {
                panic!("{cell}")
            };
            assert_eq!(error.message, message);
        }
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

        #[test]
        fn no_text_of_an_everyday_magic_makes_it_panic(
            at in 0..registry::everyday().len(),
            text in "[-=~\"'#a-d0-3 é\n;{}()!:\\[\\]]{0,40}",
            test in "(\n#\\[test\\] *fn é\\(\\) \\{\\})?",
        ) {
            let magic = registry::everyday()[at];
            let sign = if magic.form() == Form::Line { "%" } else { "%%" };
            let cell = format!("{sign}{} {text}{test}", magic.name());
            for part in split(&cell).unwrap_or_default() {
                if let Part::Magic(magic) = part
                    && let Ok(Request::Run(magic, call)) = magic.request(&cell)
                    && let Err(error) = magic.resolve(&call)
                {
                    prop_assert!(cell.get(error.span.clone()).is_some(), "{error:?}");
                }
            }
            prop_assert_eq!(blank_magics(&cell).len(), cell.len());
        }
    }
}
