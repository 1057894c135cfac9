use proptest::prelude::*;
use ra_ap_syntax::ast::{self, AstNode};
use ra_ap_syntax::{Edition, SourceFile};

use super::*;

fn definitions(source: &str) -> Definitions {
    let file = SourceFile::parse(source, Edition::Edition2024).tree();
    let crates = [("shapes".to_owned(), 1)].into();
    Definitions::of(file.syntax(), crates)
}

/// The definitions that the type `of` reaches.
fn reached(of: &str, source: &str) -> BTreeSet<Reached> {
    let file = SourceFile::parse(&format!("type Of = {of};"), Edition::Edition2024).tree();
    let alias = file
        .syntax()
        .descendants()
        .find_map(ast::TypeAlias::cast)
        .unwrap();
    definitions(source).reached_by(alias.ty().unwrap().syntax())
}

/// Whether a variable of the type `of` is kept when the source of the session changes.
fn is_kept(of: &str, before: &str, after: &str) -> bool {
    let now = definitions(after);
    let before = reached(of, before);
    let is_kept = before.iter().all(|reached| now.has(reached));
    // The store compares in its own way.
    let after = reached(of, after);
    assert_eq!(is_kept, before.is_subset(&after), "{before:?} {after:?}");
    is_kept
}

#[track_caller]
fn assert_kept(of: &str, before: &str, after: &str) {
    assert!(
        is_kept(of, before, after),
        "{of}: `{before}` and `{after}` are the same"
    );
}

#[track_caller]
fn assert_dropped(of: &str, before: &str, after: &str) {
    assert!(
        !is_kept(of, before, after),
        "{of}: `{before}` and `{after}` differ"
    );
}

#[test]
fn what_does_not_matter_keeps_a_variable() {
    let point = "struct Point { x: i32, y: i32 }";
    for same in [
        "struct Point{x:i32,y:i32}",
        "/// A point.\nstruct Point {\n    x: i32, // east\n    y: i32,\n}",
        "#[derive(Clone, Debug)]\n#[allow(dead_code)] struct Point { /** East. */ x: i32, y: i32 }",
        "struct Point { x: i32, y: i32 } impl Point { fn x(&self) -> i32 { 0 } const N: u8 = 1; }",
        "fn point() {} struct Point { x: i32, y: i32 } struct Other;",
        "use std::collections::HashMap; struct Point { x: i32, y: i32 } use std::vec::Vec;",
        "struct Point { x: i32, y: i32 } impl Iterator for Point { type Item = u8; }",
        "fn x() {} const fn y() {} struct Point { x: i32, y: i32 }",
    ] {
        assert_kept("Vec<Point>", point, same);
    }
}

/// A type, the definitions of a session, and what becomes of them.
const EDITS: &[(&str, &str, &str)] = &[
    (
        "Vec<Point>",
        "struct Point { x: i32 }",
        "struct Point { x: f64 }",
    ),
    (
        "P",
        "struct P { x: i32, y: i32 }",
        "struct P { y: i32, x: i32 }",
    ),
    (
        "P",
        "struct P(u8, u8);",
        "#[repr(packed)] struct P(u8, u8);",
    ),
    (
        "Event",
        "enum Event { Start(u64), Stop }",
        "enum Event { Start(String), Stop }",
    ),
    ("E", "enum E { A = 1 }", "enum E { A = 2 }"),
    ("U", "union U { a: u8 }", "union U { a: u16 }"),
    (
        "Block",
        "const N: usize = 2; struct Block([u64; N]);",
        "const N: usize = 4; struct Block([u64; N]);",
    ),
    (
        "S",
        "const fn n() -> usize { 1 } struct S([u8; n()]);",
        "const fn n() -> usize { 2 } struct S([u8; n()]);",
    ),
    (
        "S",
        "struct S([u8; T::N]); struct T; impl T { const N: usize = 1; }",
        "struct S([u8; T::N]); struct T; impl T { const N: usize = 2; }",
    ),
    (
        "User",
        "type Id = u32; struct User { id: Id }",
        "type Id = String; struct User { id: Id }",
    ),
    ("Id", "type Id = u32;", "type Id = u64;"),
    (
        "Box<dyn Shape>",
        "trait Shape { fn area(&self); }",
        "trait Shape { fn sides(&self) {} fn area(&self); }",
    ),
    (
        "Box<dyn Shape>",
        "trait Base { fn a(&self); } trait Shape: Base {}",
        "trait Base { fn z(&self); fn a(&self); } trait Shape: Base {}",
    ),
    (
        "Wrap<Foo>",
        "struct Foo; trait Tr { type Out; } impl Tr for Foo { type Out = u32; } struct Wrap<T: Tr>(T::Out);",
        "struct Foo; trait Tr { type Out; } impl Tr for Foo { type Out = String; } struct Wrap<T: Tr>(T::Out);",
    ),
    (
        "std::iter::Peekable<Counter>",
        "struct Counter; impl Iterator for Counter { type Item = u32; }",
        "struct Counter; impl Iterator for Counter { type Item = String; }",
    ),
    ("fn(Point) -> u8", "struct Point(u8);", "struct Point(u16);"),
    (
        "Callback",
        "type Callback = fn(u8);",
        "type Callback = fn(u64);",
    ),
    (
        "Vec<Option<(u8, Outer<Inner>)>>",
        "struct Outer<T>(T); struct Inner(u8);",
        "struct Outer<T>(T); struct Inner(u16);",
    ),
    (
        "m::P",
        "mod m { pub struct P(u8); }",
        "mod m { pub struct P(u16); }",
    ),
    (
        "Map",
        "use std::collections::HashMap as Map;",
        "use std::collections::BTreeMap as Map;",
    ),
    (
        "Q",
        "mod m { pub struct P(u8); } use m::P as Q;",
        "mod m { pub struct P(u16); } use m::P as Q;",
    ),
    (
        "Flags",
        "bitflags! { struct Flags: u8 {} }",
        "bitflags! { struct Flags: u16 {} }",
    ),
    (
        "S",
        "macro_rules! n { () => { 1 } } struct S([u8; n!()]);",
        "macro_rules! n { () => { 2 } } struct S([u8; n!()]);",
    ),
    (
        "S",
        "struct S(Option<u8>);",
        "struct S(Option<u8>); struct Option<T>(T, T);",
    ),
];

#[test]
fn the_everyday_edits_drop_a_variable() {
    for (of, before, after) in EDITS {
        assert_dropped(of, before, after);
        assert_kept(of, before, before);
    }
}

#[test]
fn a_type_behind_any_or_error_counts() {
    let (old, new) = ("struct Hidden(u8);", "struct Hidden(u16);");
    assert_dropped("Vec<Box<dyn std::any::Any>>", old, new);
    assert_kept("Vec<Box<dyn std::fmt::Debug>>", old, new);
    let implemented = |of: &str| format!("{of} impl std::error::Error for Hidden {{}}");
    assert_dropped(
        "Box<dyn std::error::Error>",
        &implemented(old),
        &implemented(new),
    );
    assert_dropped("eyre::Report", &implemented(old), &implemented(new));
    assert_kept("Box<dyn std::error::Error>", old, new);
    let derived = |of: &str| format!("#[derive(Debug, thiserror::Error)] {of}");
    assert_dropped("Result<u8, std::io::Error>", &derived(old), &derived(new));
}

#[test]
fn a_dependency_counts_where_a_type_comes_from_it() {
    let of_crate = |of: &str, source: &str| {
        reached(of, source)
            .iter()
            .any(|reached| matches!(reached.what, What::Crate(1)))
    };
    assert!(of_crate("shapes::Dot", ""));
    assert!(of_crate("Dot", "use shapes::{Dot, Line};"));
    assert!(of_crate("Dot", "use shapes::prelude::*;"));
    assert!(of_crate("Vec<Picture>", "struct Picture(shapes::Dot);"));
    assert!(of_crate("S", "#[shapes::packed] struct S(u8);"));
    assert!(!of_crate("Vec<u8>", "use shapes::prelude::*;"));
    assert!(!of_crate("std::shapes::Dot", ""));
}

#[test]
fn the_crate_of_the_cell_counts_where_it_defines_a_part_of_the_type() {
    let of_cell = |of: &str, source: &str| {
        let source = format!("{source} type Of = {of};");
        let file = SourceFile::parse(&source, Edition::Edition2024).tree();
        let definitions = Definitions::of(file.syntax(), [(CELL_CRATE.to_owned(), 7)].into());
        let aliases = file.syntax().children().filter_map(ast::TypeAlias::cast);
        let of = aliases.last().and_then(|alias| alias.ty()).unwrap();
        let reached = definitions.reached_by(of.syntax());
        reached.iter().any(|reached| reached.what == What::Cell(7))
    };
    assert!(of_cell("Vec<Dot>", "struct Dot;"));
    assert!(of_cell(
        "Dot",
        "mod shapes { pub struct Dot; } use shapes::Dot;"
    ));
    assert!(of_cell("Box<dyn Shape>", "trait Shape {}"));
    assert!(!of_cell(
        "Arc<AtomicU64>",
        "use std::sync::{Arc, atomic::AtomicU64};"
    ));
    assert!(!of_cell(
        "Number",
        "use std::sync::atomic::AtomicU64 as Number;"
    ));
    assert!(!of_cell("shapes::Dot", "use shapes::Dot;"));
}

/// A definition `name` made of one of the other types.
fn a_definition(name: &'static str, other: &'static str) -> impl Strategy<Value = String> {
    let field = prop_oneof![
        Just("u8".to_owned()),
        Just("String".to_owned()),
        Just("[u64; 2]".to_owned()),
        Just(other.to_owned()),
        Just(format!("Vec<{other}>")),
        Just(format!("Option<Box<{other}>>")),
    ];
    let fields = prop::collection::vec(field, 1..4);
    (fields, 0..4_u8).prop_map(move |(fields, form)| {
        let named = |(index, of): (usize, &String)| format!("f{index}: {of}");
        let named: Vec<_> = fields.iter().enumerate().map(named).collect();
        match form {
            0 => format!("struct {name} {{ {} }}", named.join(", ")),
            1 => format!("struct {name}({});", fields.join(", ")),
            2 => format!("enum {name} {{ First({}), Last }}", fields.join(", ")),
            _ => format!("type {name} = ({},);", fields.join(", ")),
        }
    })
}

/// The same tokens in another dress.
fn dressed(definition: &str, dress: u8) -> String {
    match dress {
        0 => definition.to_owned(),
        1 => definition.replace(' ', "\n    "),
        2 => format!("// Why.\n/// What.\n#[derive(Debug)]\n{definition}\nfn unrelated() {{}}"),
        _ => definition
            .replace('(', "( /* inside */ ")
            .replace('{', "{ // inside\n"),
    }
}

proptest! {
    /// Of any two sessions, a variable is kept exactly if each definition that it reaches has the
    /// same tokens in both.
    #[test]
    fn a_variable_is_kept_exactly_with_the_same_definitions(
        before in (a_definition("Outer", "Inner"), a_definition("Inner", "Leaf"), a_definition("Leaf", "u8")),
        after in (a_definition("Outer", "Inner"), a_definition("Inner", "Leaf"), a_definition("Leaf", "u8")),
        changes in (any::<bool>(), any::<bool>(), any::<bool>()),
        dress in 0..4_u8,
    ) {
        let after = (
            if changes.0 { after.0 } else { before.0.clone() },
            if changes.1 { after.1 } else { before.1.clone() },
            if changes.2 { after.2 } else { before.2.clone() },
        );
        // What the definitions say, not what the model finds.
        let reaches_inner = before.0.contains("Inner");
        let reaches_leaf = reaches_inner && before.1.contains("Leaf");
        let is_same = before.0 == after.0
            && (!reaches_inner || before.1 == after.1)
            && (!reaches_leaf || before.2 == after.2);
        let first = [before.0, before.1, before.2].join("\n");
        let second = [after.2, after.0, after.1].map(|of| dressed(&of, dress)).join("\n");
        prop_assert_eq!(is_kept("Vec<Outer>", &first, &second), is_same);
    }
}

#[test]
fn the_content_of_an_included_file_counts() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shapes.rs");
    let content = |text: &str| std::fs::write(&file, text).unwrap();
    let path = file.display();
    let is_kept = |source: &str, of: &str, before: &str, after: &str| {
        content(before);
        let reached = reached(of, source);
        content(after);
        let now = definitions(source);
        reached.iter().all(|reached| now.has(reached))
    };
    let module = format!("mod shapes {{ include!(\"{path}\"); }}");
    let (old, new) = ("pub struct Dot(u8);", "pub struct Dot(String);");
    assert!(!is_kept(&module, "shapes::Dot", old, new));
    assert!(is_kept(
        &module,
        "shapes::Dot",
        old,
        "// A dot.\npub struct Dot(u8); fn f() {}"
    ));
    let length = format!("const N: usize = include_str!(\"{path}\").len(); struct Text([u8; N]);");
    assert!(!is_kept(&length, "Text", "one", "three"));
    assert!(is_kept(&length, "Text", "one", "one"));
    content(&module);
    assert!(
        !reached("shapes::Dot", &module).is_empty(),
        "a file that includes itself"
    );
}
