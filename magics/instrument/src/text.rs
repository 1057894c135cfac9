//! Probes in the functions of a source text.

use proc_macro2::LineColumn;
use syn::spanned::Spanned as _;

use crate::edit::{Edits, Insertion};
use crate::error::Error;
use crate::find::{self, Found};
use crate::function::{Function, Runtime};
use crate::mark;
use crate::{inlining, probe};

/// Source with probes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrumented {
    /// The source, with as many lines as before.
    pub source: String,
    /// The source without probes. `#[profile]` is blanked out here, too.
    pub plain: String,
    /// The functions that got probes, in source order.
    pub functions: Vec<Function>,
    /// Where [`Self::source`] has more text than the original.
    pub insertions: Vec<Insertion>,
}

/// Which functions get probes.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    /// The functions with one of these names. A name may lack leading modules, types and functions, and
    /// then fit several functions.
    Named(&'a [&'a str]),
    /// The same functions. Each can also run without probes, as the runtime says at each call, if that
    /// leaves what the function does unchanged.
    Switched(&'a [&'a str]),
    /// The functions with the attribute `#[profile]` or `#[memit::profile]`.
    Marked,
    /// The functions with the attribute, but with a span from start to end instead of probes.
    Spans {
        /// Maps the whole name of a function to the name of its span.
        name: fn(&str) -> &str,
    },
    /// No function.
    Nothing,
}

/// Puts probes into functions of a source, and blanks out every `#[profile]`.
pub fn instrument(
    source: &str,
    which: Which<'_>,
    runtime: Runtime<'_>,
) -> Result<Instrumented, Error> {
    let file = find::parse(source)?;
    let found = find::all(&file);
    if let Which::Named(names) | Which::Switched(names) = which {
        expect_known(names, &found, &file)?;
    }
    let mut edits = Edits::default();
    let mut functions = Vec::new();
    let mut blanked = source.to_owned();
    for function in &found {
        let mark = mark::of(function.attributes);
        let options = match which {
            Which::Marked | Which::Spans { .. } => mark.map(mark::options).transpose()?,
            Which::Named(_) | Which::Switched(_) | Which::Nothing => None,
        };
        if let Some(mark) = mark {
            let span = mark.span();
            blank(&mut blanked, span.start(), span.end());
        }
        let is_wanted = match which {
            Which::Named(names) | Which::Switched(names) => {
                names.iter().any(|name| function.is_called(name))
            }
            Which::Marked => mark.is_some(),
            Which::Spans { name } => {
                if mark.is_some() {
                    expect_no_const(function)?;
                    probe::span(function, name(&function.name), runtime, &mut edits);
                }
                false
            }
            Which::Nothing => false,
        };
        if is_wanted {
            expect_no_const(function)?;
            let options = options.unwrap_or_default();
            let switched = matches!(which, Which::Switched(_)) && probe::can_be_switched(function);
            if !switched {
                edits.insert(function.start, inlining::attribute(function.attributes));
            }
            let probed = probe::function(function, options, runtime, switched, &mut edits);
            functions.push(probed);
        }
    }
    probe::avoid_names_in(source, &mut edits);
    Ok(Instrumented {
        insertions: edits.insertions(),
        source: edits.apply_to_text(&blanked),
        plain: blanked,
        functions,
    })
}

fn expect_no_const(function: &Found<'_>) -> Result<(), Error> {
    match function.signature.constness {
        Some(_) => Err(Error::Const {
            name: function.name.clone(),
        }),
        None => Ok(()),
    }
}

fn expect_known(names: &[&str], found: &[Found<'_>], file: &syn::File) -> Result<(), Error> {
    let is_known = |name: &&&str| found.iter().any(|function| function.is_called(name));
    match names.iter().find(|name| !is_known(name)) {
        Some(name) => Err(Error::Unknown {
            name: (*name).to_owned(),
            known: found.iter().map(|function| function.name.clone()).collect(),
            made_by: find::macro_that_makes(file, name),
        }),
        None => Ok(()),
    }
}

/// Replaces the text between two positions by spaces. Columns count characters.
fn blank(source: &mut String, start: LineColumn, end: LineColumn) {
    let mut at = LineColumn { line: 1, column: 0 };
    let blanked = source.chars().map(|character| {
        let inside = start <= at && at < end;
        if character == '\n' {
            at = LineColumn {
                line: at.line + 1,
                column: 0,
            };
            character
        } else {
            at.column += 1;
            if inside { ' ' } else { character }
        }
    });
    *source = blanked.collect();
}
