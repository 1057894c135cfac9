use super::*;

const UNIT: &str = "macro_rules! unit { ($n:ident) => { #[derive(Debug)] struct $n(f64); }; }";

/// The source that evcxr receives after cells with the sources `before`.
fn kept(before: &[&str], source: &str) -> String {
    let mut calls = ItemCalls::default();
    for cell in before {
        calls = calls.keep(cell).calls;
    }
    calls.keep(source).rewritten.source
}

#[test]
fn a_call_that_makes_items_is_kept_in_a_constant() {
    let source = "let a = 1; unit!(Metre); let b = 2;\nb";
    let mut calls = ItemCalls::default();
    calls = calls.keep(UNIT).calls;
    let kept = calls.keep(source);
    assert!(!kept.is_guess());
    insta::assert_snapshot!(kept.rewritten.source.replace(" \n", "\n"), @r"
    let a = 1;
    const MEMIT_ITEMS_1: &str = stringify! {
               unit!(Metre);
    MEMIT_ITEMS_1}; #[cfg(not(memit_rustc))] #[ derive ( Debug ) ] struct Metre ( f64 ) ;
                             let b = 2;
    b
    ");
    let lines = [1, 2, 3, 4, 5, 6].map(|line| kept.rewritten.line(line));
    assert_eq!(lines, [1, 1, 1, 1, 1, 2]);
}

#[test]
fn a_call_ends_when_its_names_are_defined_anew() {
    let first = "unit!(Metre);";
    assert!(kept(&[UNIT, first], first).contains("const MEMIT_ITEMS_1: &str"));
    assert!(kept(&[UNIT, first], "unit!(Foot);").contains("const MEMIT_ITEMS_2: &str"));
    let plain = kept(&[UNIT, first], "let a = 1;\nstruct Metre;");
    assert_eq!(
        plain,
        "const MEMIT_ITEMS_1: MEMIT_ENDED = ();\nlet a = 1;\nstruct Metre;"
    );
    let again = kept(&[UNIT, first, "struct Metre;"], first);
    assert!(
        again.starts_with("const Metre: MEMIT_ENDED = ();\n"),
        "{again}"
    );
    assert!(again.contains("const MEMIT_ITEMS_2: &str"), "{again}");
}

#[test]
fn a_call_without_names_is_replaced_by_one_with_the_same_implementation() {
    let tell =
        "macro_rules! tell { ($($t:ty),*) => { $(impl Tell for $t {})* } }\ntell!(Cat, Dog);";
    assert!(kept(&[tell], "tell!(Cow, Dog);").contains("MEMIT_ITEMS_1: &str"));
    assert!(kept(&[tell], "tell!(Cow);").contains("MEMIT_ITEMS_2: &str"));
    let id = "macro_rules! id { ($t:ty, $n:ident) => { struct $n($t); } }\nid!(u32, UserId);";
    assert!(kept(&[id], "id!(u32, OrderId);").contains("MEMIT_ITEMS_2: &str"));
    assert!(kept(&[id], "id!(u64, UserId);").contains("MEMIT_ITEMS_1: &str"));
}

#[test]
fn a_call_of_an_unknown_macro_is_replaced_by_one_about_the_same_name() {
    let first = "m::id!(UserId, u32);";
    assert!(kept(&[first], "m::id!(UserId, u64);").contains("MEMIT_ITEMS_1: &str"));
    assert!(kept(&[first], "m::id!(OrderId, u32);").contains("MEMIT_ITEMS_2: &str"));
}

#[test]
fn statements_stay_as_they_are() {
    for source in [
        "println!(\"{}\", 1);",
        "macro_rules! two { ($n:ident) => { let $n = 2; } }\ntwo!(x);",
        "macro_rules! sum { ($($n:expr),*) => { 0 $(+ $n)* } }\nsum!(1, 2)",
        "macro_rules! both { () => { fn f() {} f(); } }\nboth!();",
        "vec![1]",
        "info!(\"x\");",
        "maplit::hashmap! { A => 1 }",
        "unit!(Unknown",
        "let s = stringify!(struct A;);",
    ] {
        assert_eq!(kept(&[], source), source);
    }
}

#[test]
fn macros_of_crates_are_guessed_by_the_tokens_of_the_call() {
    let source = "bitflags::bitflags! { struct Flags: u32 { const A = 1; } };";
    let kept = ItemCalls::default().keep(source);
    assert!(kept.is_guess());
    assert!(
        kept.rewritten.source.contains("} \nMEMIT_ITEMS_1};"),
        "{}",
        kept.rewritten.source
    );
    let learned = ItemCalls::default().without_guesses(&kept);
    assert_eq!(learned.keep(source).rewritten.source, source);
}
