//! The measured statements, and the use of their value.
//!
//! In a cell, the temporaries of the last expression live until its value has been shown. Here they live
//! until the value has been used: the value may borrow from them, and from variables of the statements.

use super::snippet::{Generated, Snippet};
use super::syntax::Statements;

/// Writes a block of the statements, in which `use_value` finds their value as `§value`. `moves` says that
/// a variable as the last expression is moved, as nothing else needs it.
pub(crate) fn used(generated: &mut Generated, snippets: &[&Snippet], moves: bool, use_value: &str) {
    generated.code("{");
    let Some((last, before)) = snippets.split_last() else {
        generated.code("}");
        return;
    };
    for snippet in before {
        generated.snippet(snippet).code(";");
    }
    let statements = Statements::parse(last.text());
    let range = statements.value().filter(|_| statements.is_valid());
    let above = last.piece(
        0..range
            .as_ref()
            .map_or(last.text().len(), |range| range.start),
    );
    if !above.is_blank() {
        generated.snippet(&above);
    }
    let borrows = range.is_some() && statements.value_is_place() && !moves;
    let scrutinee = if borrows { "&(" } else { "(" };
    let value = range.map(|range| last.piece(range));
    generated.around(
        &format!(";match {scrutinee}"),
        &format!(") {{ §value => {{\n{use_value}\n}} }};\n}}"),
        |generated| {
            if let Some(value) = &value {
                generated.snippet(value);
            }
        },
    );
}

/// Writes statements whose variables and value are those of the cell. `end` stands where the value exists.
pub(crate) fn kept(generated: &mut Generated, snippets: &[&Snippet], end: &str) {
    let Some((last, before)) = snippets.split_last() else {
        return;
    };
    for snippet in before {
        generated.snippet(snippet).code(";");
    }
    let statements = Statements::parse(last.text());
    let Some(range) = statements.value().filter(|_| statements.is_valid()) else {
        generated.snippet(last).code(";").code(end);
        return;
    };
    let above = last.piece(0..range.start);
    if !above.is_blank() {
        generated.snippet(&above);
    }
    let value = last.piece(range);
    if statements.value_is_place() {
        generated.code(end).snippet(&value);
        return;
    }
    generated.around(
        "match (",
        &format!(") {{ §value => {{ {end} §value }} }}"),
        |generated| {
            generated.snippet(&value);
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(cell: &str, moves: bool) -> String {
        let mut generated = Generated::default();
        let snippet = Snippet::new(cell, 0..cell.len());
        used(&mut generated, &[&snippet], moves, "drop(§value);");
        for (at, line) in generated.source.lines().enumerate() {
            let users = generated.cell_line(at + 1);
            let users = users.and_then(|line| cell.lines().nth(line - 1));
            assert!(
                users.is_none_or(|users| users.contains(line.trim())),
                "{line}"
            );
        }
        generated.source
    }

    #[test]
    fn the_value_is_used_while_its_temporaries_live() {
        insta::assert_snapshot!(code("let a = f();\nlet b = 1; a.g().h() // all", false), @"
        {
        let a = f();
        let b = 1; 
        ;match (
                   a.g().h()
        ) { §value => {
        drop(§value);
        } };
        }
        ");
    }

    #[test]
    fn a_place_is_borrowed_and_statements_have_no_value() {
        assert!(code("v[1]", false).contains("match &(\nv[1]\n)"));
        assert!(code("v", false).contains("match &(\nv\n)"));
        assert!(code("v", true).contains("match (\nv\n)"));
        assert!(code("v.len()", false).contains("match (\nv.len()\n)"));
        assert!(code("for n in v {}", false).contains("for n in v {}\n;match (\n)"));
    }
}
