//! Puts measurements where magics stand in blocks of Rust.

use super::{MagicText, Request};
use crate::cell::rust;
use crate::cell::snippet::{self, Generated, Scope, Snippet};
use crate::cell::syntax::{Block, Surroundings};
use crate::error::MagicError;
use crate::magic::{Action, Measurement};

/// Rust with measurements in its blocks.
pub struct Placing {
    /// The Rust.
    pub generated: Generated,
    /// The measurements, in the order of their numbers.
    pub measurements: Vec<Box<dyn Measurement>>,
}

/// Puts a measurement in the place of each of the magics, which [`super::placed`] has found in blocks of
/// `code`. The numbers of the magics count from `first`.
///
/// # Errors
///
/// If a magic is wrong, or cannot stand in a block.
pub fn place(
    code: &str,
    magics: &[MagicText],
    scope: &Scope,
    first: u32,
) -> Result<Placing, MagicError> {
    let mut plain = code.to_owned();
    for magic in magics {
        let mut blanks = " ".repeat(magic.whole.len() - 1);
        blanks.insert(0, ';');
        plain.replace_range(magic.whole.clone(), &blanks);
    }
    let commands = code.len() - crate::cell::without_commands(code).len();
    let statements = rust(&plain);
    let mut pieces = Vec::new();
    let mut blocks: Vec<Block> = Vec::new();
    let mut measurements: Vec<Box<dyn Measurement>> = Vec::new();
    let mut needs_runtime = false;
    for (magic, number) in magics.iter().zip(first..) {
        let around = statements.surroundings(magic.whole.start - commands);
        let measurement = measurement(code, magic, around.in_function)?;
        let mut indices = Vec::new();
        for block in &around.blocks {
            let start = block.start + commands;
            let index = blocks.iter().position(|known| known.start == start);
            indices.push(index.unwrap_or_else(|| {
                let names = block.names.clone();
                blocks.push(Block { start, names });
                blocks.len() - 1
            }));
        }
        // The outermost block is named first.
        let places = indices.iter().rev().map(|index| format!("&*§place{index}"));
        let within = within(
            scope,
            &around,
            number,
            places.collect::<Vec<_>>().join(", "),
        );
        let generated = measurement.code(&within)?;
        needs_runtime |= generated.source.contains(snippet::RUNTIME);
        pieces.push((magic.whole.clone(), generated));
        measurements.push(measurement);
    }
    let mut generated = Generated::default();
    if needs_runtime && !scope.has_tokio {
        generated.code(snippet::TOKIO);
    }
    let places = blocks.iter().enumerate().map(|(index, block)| {
        let mut place = Generated::default();
        place.code(&shown(index, &block.names));
        (block.start..block.start, place)
    });
    pieces.extend(places);
    pieces.sort_by_key(|(range, _)| range.start);
    let mut copied = 0;
    for (range, piece) in pieces {
        generated
            .snippet(&Snippet::new(code, copied..range.start))
            .append(&piece);
        copied = range.end;
    }
    generated.snippet(&Snippet::new(code, copied..code.len()));
    generated.name_our_own();
    Ok(Placing {
        generated,
        measurements,
    })
}

/// The measurement of a magic in a block.
fn measurement(
    code: &str,
    magic: &MagicText,
    in_function: bool,
) -> Result<Box<dyn Measurement>, MagicError> {
    let name = &code[magic.name.clone()];
    let refused = |message: String, help: &str| {
        Err(MagicError::new(message, magic.sign.clone()).with_help(help))
    };
    let Request::Run(known, call) = magic.request(code)? else {
        return refused(
            format!("the help of `%{name}` cannot stand in a block"),
            "write the line at the top of a cell",
        );
    };
    let Action::Measure(measurement) = known.resolve(&call)? else {
        return refused(
            format!("`%{name}` cannot stand in a block"),
            "write it at the top of a cell: it does not measure Rust",
        );
    };
    let delivery = measurement.delivery();
    if delivery.variable.is_some() || delivery.returned {
        return refused(
            format!("`%{name}` cannot return its result in a block"),
            "the report is shown when the block runs. To use the result, write the magic at the top of a \
             cell, such as `let t = %timeit f(10)`",
        );
    }
    if measurement.is_kept() {
        // `%time` always runs its statements in the session, `%mprof` by this option.
        let option = if call.options.has('k') { " --keep" } else { "" };
        return refused(
            format!("`%{name}{option}` cannot stand in a block"),
            &format!("write `%%{name}{option}` on the first line of the cell"),
        );
    }
    if in_function && !measurement.functions().is_empty() {
        return refused(
            format!("`%{name}` cannot stand in a function"),
            "a cell is compiled with the probes of its own magics only: write the magic in the cell that \
             calls the function",
        );
    }
    Ok(measurement)
}

/// What a snippet finds in a block.
fn within(scope: &Scope, around: &Surroundings, number: u32, places: String) -> Scope {
    let mut variables = if around.in_function {
        Vec::new()
    } else {
        scope.variables.clone()
    };
    variables.extend(around.names.iter().cloned());
    variables.sort();
    variables.dedup();
    Scope {
        variables,
        placed: Some((number, places)),
        ..scope.clone()
    }
}

/// Code that notes the values of a block's names, before a statement can move the values.
fn shown(index: usize, names: &[String]) -> String {
    let shown = names.iter().filter(|name| !name.starts_with('_'));
    let texts =
        shown.map(|name| format!("(\"{name}\", (&::memit_session::Shown(&{name})).text())"));
    let texts = texts.collect::<Vec<_>>().join(", ");
    format!(
        "let §place{index} = {{ #[allow(warnings)] use ::memit_session::{{WithText as _, WithoutText as _}}; \
         ::memit_session::place(&[{texts}]) }};"
    )
}

#[cfg(test)]
mod tests {
    use super::super::placed;
    use super::*;

    fn place_all(code: &str, first: u32) -> Result<Placing, MagicError> {
        let magics = placed(code, 0..code.len());
        place(code, &magics, &Scope::default(), first)
    }

    fn error(code: &str) -> String {
        let Err(error) = place_all(code, 0) else {
            panic!("{code}")
        };
        error.message
    }

    #[test]
    fn the_users_lines_stay_around_a_measurement() {
        let code = "let v = f();\nfor n in [10, 100] {\n    %timeit -r 3 work(n, &v)\n}\nv";
        let placing = place_all(code, 4).unwrap();
        let generated = placing.generated;
        let users = generated.users();
        let users: Vec<_> = users
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        let column = " ".repeat(17);
        assert_eq!(
            users,
            [
                "let v = f();",
                "for n in [10, 100] {",
                &format!("{column}work(n, &v)"),
                "}",
                "v"
            ]
        );
        for part in [
            "measure_placed(",
            ", 4, &[&*memit_own_place0]",
            "(\"n\", (&::memit_session::Shown(&n)).text())",
            "let mut n = unsafe { ::std::ptr::read(&raw const n) };",
            "let mut v = unsafe",
        ] {
            assert!(
                generated.source.contains(part),
                "{part}: {}",
                generated.source
            );
        }
        assert_eq!(placing.measurements.len(), 1);
        assert!(placed("let v = 1;\nv", 0..12).is_empty());
    }

    #[test]
    fn what_a_block_cannot_hold_is_refused() {
        insta::assert_snapshot!(
            [
                "{\n%session\n}",
                "{\n%timeit?\n}",
                "{\nlet t = %timeit 1;\n}",
                "{\n%memit -v m 1\n}",
                "{\n%mprof -k f()\n}",
                "fn f() {\n%lprun -f g g()\n}",
            ]
            .map(error)
            .join("\n"),
            @"
        `%session` cannot stand in a block
        the help of `%timeit` cannot stand in a block
        `%timeit` cannot return its result in a block
        `%memit` cannot return its result in a block
        `%mprof --keep` cannot stand in a block
        `%lprun` cannot stand in a function
        "
        );
    }
}
