use super::*;

/// The names of the marks in `source` after cells with the sources `before`.
fn marks(before: &[&str], source: &str) -> Vec<String> {
    let mut implementations = Implementations::default();
    for cell in before {
        implementations = implementations.mark(cell).implementations;
    }
    let marked = implementations.mark(source).rewritten.source;
    let names = marked.split(MARK).skip(1);
    names
        .map(|rest| rest[..rest.find(':').unwrap()].to_owned())
        .collect()
}

#[test]
fn an_implementation_is_named_after_its_trait_and_its_type() {
    let mark = |source: &str| marks(&[], source).concat();
    let of_cat = mark("impl Speak for Cat { fn speak(&self) {} }");
    assert_eq!(mark("impl  Speak for Cat { /* other */ }"), of_cat);
    assert_ne!(mark("impl Speak for Dog {}"), of_cat);
    assert_ne!(mark("impl Read for Cat {}"), of_cat);
    assert_ne!(
        mark("impl From<u32> for Cat {}"),
        mark("impl From<u64> for Cat {}")
    );
    assert_eq!(
        mark("impl<T: Debug> Tell for T {}"),
        mark("impl<U> Tell for U {}")
    );
    assert_eq!(
        mark("unsafe impl<'a> Send for C<'a> {}"),
        mark("unsafe impl<'b> Send for C<'b> {}")
    );
}

#[test]
fn an_inherent_implementation_replaces_those_with_a_common_name() {
    let (get, both) = (
        "impl P { fn get(&self) {} }",
        "impl P { fn get(&self) {} fn set(&self) {} }",
    );
    assert_eq!(marks(&[], get), ["1"]);
    assert_eq!(marks(&[get], both), ["1"]);
    assert_eq!(
        marks(&[get], "impl P { fn set(&self) {} }"),
        ["2"],
        "nothing in common"
    );
    assert_eq!(
        marks(&[get, "impl P { fn set(&self) {} }"], both),
        ["1", "2"],
        "both are replaced"
    );
    assert_eq!(
        marks(&[get], "impl Q { fn get(&self) {} }"),
        ["2"],
        "another type"
    );
    assert_eq!(
        marks(&[both, "impl P { fn set(&self) {} }"], get),
        ["2"],
        "nothing is left of the first"
    );
}

#[test]
fn marks_keep_the_columns_of_items_and_lines_can_be_mapped() {
    let source = ":dep x\nstruct P; impl P {}\n\n  /// Doc.\n  impl A for P {}\nlet p = P;";
    let marked = Implementations::default().mark(source).rewritten;
    let lines: Vec<_> = marked.source.lines().map(str::trim_end).collect();
    assert_eq!(lines[1], "struct P;");
    assert_eq!(lines[2], "const MEMIT_IMPL_1: () = ();");
    assert_eq!(lines[3], "          impl P {}");
    assert!(lines[6].starts_with("const MEMIT_IMPL_"));
    assert_eq!(lines[7], "  /// Doc.");
    let mapped = [1, 2, 4, 5, 8, 9, 10].map(|line| marked.line(line));
    assert_eq!(mapped, [1, 2, 2, 3, 4, 5, 6]);
}

#[test]
fn a_source_without_such_items_stays_unchanged() {
    for source in [
        "let implied = 1;",
        "fn f() -> impl Sized {}",
        "const N: u8 = 1;",
        "use a::b;",
    ] {
        assert_eq!(
            Implementations::default().mark(source).rewritten.source,
            source
        );
    }
    assert_eq!(marks(&[], "const _: () = assert!(true);").len(), 1);
}

#[test]
fn a_cell_that_is_run_again_ends_the_implementations_of_its_last_run() {
    let first = "struct P { x: u8 }\nimpl P { fn x(&self) {} }\nimpl A for P {}\nimpl A for Q {}";
    let of_a = marks(&[], "impl A for P {}").concat();
    let other_cell = "impl P { fn other(&self) {} }";
    // The method has another name, and `A` is gone.
    let again = "struct P { y: u8 }\nimpl P { fn y(&self) {} }";
    assert_eq!(
        marks(&[first, other_cell], again),
        ["1", &of_a, "3"],
        "that of the other cell stays"
    );
    assert_eq!(
        marks(&[first], "struct P { y: u8 }"),
        [""; 0],
        "not the same cell"
    );
    assert_eq!(
        marks(&[first, again], "impl P { fn x(&self) {} }"),
        ["3"],
        "the first is gone"
    );
    let trait_ = "trait T { fn a(); }\nimpl T for P {}\nimpl T for Q {}";
    let of_q = marks(&[], "impl T for Q {}").concat();
    assert!(marks(&[trait_], "trait T { fn b(); }\nimpl T for P {}").contains(&of_q));
}

#[test]
fn a_derived_implementation_replaces_a_written_one() {
    let written = "struct P;\nimpl std::fmt::Debug for P {}";
    let mark = marks(&[], "impl std::fmt::Debug for P {}");
    assert_eq!(marks(&[written], "#[derive(Clone, Debug)] struct P;"), mark);
    assert_eq!(marks(&[written], "#[derive(Clone)] struct P;"), [""; 0]);
    assert_eq!(marks(&[written], "#[derive(Debug)] struct Q;"), [""; 0]);
}

#[test]
fn a_trait_and_a_type_are_the_same_by_any_path() {
    let of = |before: &[&str], source: &str| marks(before, source).concat();
    let debug = of(&[], "impl std::fmt::Debug for P {}");
    for (before, source) in [
        ("use std::fmt;", "impl fmt::Debug for P {}"),
        ("use std::fmt::{self, Debug};", "impl Debug for P {}"),
        (
            "use std::{fmt::{Debug as D}, io};",
            "impl D for crate::P {}",
        ),
        (
            "use std as s; use s::fmt as f;",
            "impl f::Debug for self::P {}",
        ),
        ("", "use core::fmt::Debug; impl Debug for P {}"),
        ("", "impl ::core::fmt::Debug for P {}"),
    ] {
        assert_eq!(of(&[before], source), debug, "{before} {source}");
    }
    assert_ne!(of(&["use other::Debug;"], "impl Debug for P {}"), debug);
    assert_ne!(
        of(
            &["use std::fmt::Debug;", "trait Debug {}"],
            "impl Debug for P {}"
        ),
        debug
    );
    assert_ne!(
        of(&["use std::{fmt, io};"], "impl fmt::Write for P {}"),
        of(&["use std::{fmt, io};"], "impl io::Write for P {}"),
    );
    assert_eq!(
        of(&["use std::io;"], "impl From<io::Error> for P {}"),
        of(&[], "impl std::convert::From<std::io::Error> for P {}"),
    );
}
