//! Cells and their parts.

use super::*;
use proptest::prelude::*;

/// Each part as text: Rust unchanged, magics as `[name|line|body]`.
fn parts(cell: &str) -> Vec<String> {
    split(cell)
        .unwrap()
        .into_iter()
        .map(|part| match part {
            Part::Rust(range) => cell[range].to_owned(),
            Part::Magic(magic) => format!(
                "[{}|{}{}{}]",
                &cell[magic.name],
                &cell[magic.line],
                magic
                    .body
                    .map(|body| format!("|{}", &cell[body]))
                    .unwrap_or_default(),
                if magic.help { "|help" } else { "" },
            ),
        })
        .collect()
}

#[test]
fn magics_and_rust_mix() {
    assert_eq!(
        parts("let v = 1;\n%memit v\n  %timeit -n 1 v + 1\nv"),
        ["let v = 1;\n", "[memit| v]", "[timeit| -n 1 v + 1]", "v"]
    );
}

#[test]
fn a_percent_sign_that_is_an_operator_or_in_a_string_is_no_magic() {
    for cell in [
        "let x = total\n  %memit;",
        "let s = \"\n%memit x\n\";",
        "/*\n%memit x\n*/",
        "f(a\n%memit)",
        "fn f() {\n%memit x\n}",
        "let y = a\n%b::c",
    ] {
        assert_eq!(parts(cell), [cell]);
    }
}

#[test]
fn lines_in_the_rust_of_a_cell_may_look_like_magics() {
    let cell =
        "%memit x\nfor n in 0..3 {\n    %timeit n\n}\nlet n = [\n    %timeit n\n];\n%memit y";
    let found = lines_like_magics(cell);
    let found: Vec<_> = found
        .into_iter()
        .map(|(line, name)| (&cell[line], &cell[name]))
        .collect();
    assert_eq!(found, [("%timeit n", "timeit")]);
}

#[test]
fn a_missing_semicolon_above_a_magic_is_named() {
    for (cell, at) in [
        ("let n = 1;\nn\n%memit n", 12),
        ("let m = 4 // four\n%timeit m", 17),
        ("println!(\"x\")\n\n%timeit -n 1 x + 1", 13),
    ] {
        let error = split(cell).unwrap_err();
        assert!(error.message.starts_with("`;` is missing before line "));
        assert_eq!(error.span, at..at, "{cell}");
    }
    for cell in [
        "total\n%memit - 1",
        "let x = total\n%memit",
        "f(a\n%memit x)",
    ] {
        assert_eq!(parts(cell), [cell]);
    }
}

#[test]
fn a_magic_may_follow_commands_and_comments() {
    assert_eq!(
        parts(":dep regex = \"1\"\n// now\n%memit x"),
        [":dep regex = \"1\"\n// now\n", "[memit| x]"]
    );
    assert_eq!(parts("!ls -l\n%memit x"), ["!ls -l\n", "[memit| x]"]);
}

#[test]
fn a_cell_magic_takes_the_rest_of_the_cell() {
    assert_eq!(
        parts("\n// how big?\n%%memit -r 2 let n = 3;\nf(n)\n%memit 1"),
        ["\n// how big?\n", "[memit| -r 2 let n = 3;|f(n)\n%memit 1]"]
    );
    assert_eq!(parts("/* a\n b */\n%%memit\nf()")[1], "[memit||f()]");
    let error = split("let x = 1;\n%%memit\nx").unwrap_err();
    assert_eq!(
        error.message,
        "`%%memit` is not on the first line of the cell"
    );
    assert_eq!(error.span, 11..18);
}

#[test]
fn help_is_asked_for_on_either_side() {
    for cell in ["%memit?", "?%memit", "%memit??", "%%memit?", "? %memit"] {
        assert!(parts(cell)[0].ends_with("|help]"), "{cell}");
    }
    assert_eq!(parts("%memit x?"), ["[memit| x?]"]);
}

#[test]
fn statements_of_a_magic_go_on_in_the_next_lines() {
    assert_eq!(
        parts(
            "%timeit -r 3 v.iter()
    .sum::<u64>()
%memit vec![
1u8; 9
]
v"
        ),
        [
            "[timeit| -r 3 v.iter()
    .sum::<u64>()]",
            "[memit| vec![
1u8; 9
]]",
            "v"
        ]
    );
    assert_eq!(
        parts(
            "%%timeit let v = vec![
1
];
v.len()"
        ),
        ["[timeit| let v = vec![
1
];|v.len()]"]
    );
}

#[test]
fn a_magic_may_begin_within_a_line_and_be_bound() {
    assert_eq!(
        parts(
            "let a = 1; %timeit a + 1
a"
        ),
        ["let a = 1; ", "[timeit| a + 1]", "a"]
    );
    assert_eq!(
        parts("let t = %timeit -o 1 + 1; t.best_ns;\n/* c */ %memit t"),
        ["[timeit| -o 1 + 1]", " t.best_ns;\n/* c */ ", "[memit| t]"]
    );
    for cell in ["// a; %memit x", "let s = \"; %memit x\";", "a[1; %b c]"] {
        assert_eq!(parts(cell), [cell]);
    }
}

#[test]
fn commands_begin_a_part_of_their_own() {
    assert_eq!(
        parts(
            "let a = 1;
:dep rayon = \"1\"
!ls
a"
        ),
        [
            "let a = 1;
",
            ":dep rayon = \"1\"
!ls
a"
        ]
    );
    assert_eq!(
        parts(
            ":dep itoa = \"1\"
%%memit use a;
b"
        ),
        [
            ":dep itoa = \"1\"
",
            "[memit| use a;|b]"
        ]
    );
    assert_eq!(
        parts(
            "%%memit
:dep itoa = \"1\"
// b
b"
        ),
        [
            ":dep itoa = \"1\"
// b
",
            "[memit||b]"
        ]
    );
    for cell in [
        "f(
:dep)",
        "let s = \";
:dep x\";",
        "let a
: u8 = 1;",
        "a;
::b()",
    ] {
        assert_eq!(parts(cell), [cell]);
    }
}

#[test]
fn magics_in_blocks_are_found() {
    for (cell, expected) in [
        (
            "for n in [10, 100] {
    %timeit -r 3 work(n)
}",
            &["%timeit -r 3 work(n)"][..],
        ),
        (
            "fn bench() {
%timeit work(3)
}",
            &["%timeit work(3)"],
        ),
        (
            "if true { %timeit work(3) } else { %memit work(4)
}",
            &["%timeit work(3)", "%memit work(4)"],
        ),
        (
            "{
let a = 1;
%timeit a
    .abs()
%memit a
}",
            &[
                "%timeit a
    .abs()",
                "%memit a",
            ],
        ),
        (
            "match x {
1 => {
%timeit x
}
_ => {}
}",
            &["%timeit x"],
        ),
        (
            "let f = |n| {
%timeit n
};",
            &["%timeit n"],
        ),
        ("loop { let t = %timeit -o n; }", &["let t = %timeit -o n;"]),
        (
            "match x {
%timeit x
}",
            &[],
        ),
        (
            "S {
%timeit x
}",
            &[],
        ),
        (
            "f(
%timeit x)",
            &[],
        ),
        (
            "{
let s = \"
%timeit x
\";
}",
            &[],
        ),
        (
            "{
// %timeit x
}",
            &[],
        ),
        (
            "{ let a = b
%timeit; }",
            &[],
        ),
    ] {
        let found = placed(cell, 0..cell.len());
        let found: Vec<_> = found.into_iter().map(|magic| &cell[magic.whole]).collect();
        assert_eq!(found, expected, "{cell}");
        assert_eq!(parts(cell), [cell]);
    }
}

proptest! {
    #[test]
    fn the_parts_cover_the_cell_without_overlaps(cell in "[%?a-c
;:{}()\"'/*é!-=]{0,60}") {
        if let Ok(parts) = split(&cell) {
            let mut ranges: Vec<_> = parts
                .into_iter()
                .flat_map(|part| match part {
                    Part::Rust(range) => {
                        placed(&cell, range.clone());
                        vec![range]
                    }
                    Part::Magic(magic) => [Some(magic.whole), magic.body]
                        .into_iter()
                        .flatten()
                        .collect(),
                })
                .collect();
            ranges.sort_by_key(|range| (range.start, range.end));
            let mut at = 0;
            for range in ranges {
                prop_assert!(range.start >= at && range.end <= cell.len());
                prop_assert!(cell.get(range.clone()).is_some());
                at = range.end;
            }
        }
    }
}
