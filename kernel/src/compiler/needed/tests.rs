use super::*;

/// The source of a cell in a session with these items.
fn source(items: &str, cell: &str) -> String {
    format!(
        "{items}\nfn run_user_code_1(store: *mut u8) -> *mut u8 {{\n{cell}\nstore\n}}\nuse a::B;\n"
    )
}

/// The functions whose needed are left out of a cell, if the cell before has compiled with `before`.
fn left_out(before: &str, now: &str, cell: &str) -> Vec<String> {
    let session = tempfile::tempdir().unwrap();
    let crates = BTreeMap::new();
    let before = source(before, "1");
    let attempts = compile(session.path(), &before, &crates);
    assert_eq!(attempts, [before], "nothing is known yet");
    let now = source(now, cell);
    without_bodies(&compile(session.path(), &now, &crates))
}

/// The sources from which a cell may be compiled. The last of them compiles.
fn compile(session: &Path, source: &str, crates: &BTreeMap<String, u64>) -> Vec<String> {
    let mut needed = Needed::of(session, source, crates);
    let mut sources = Vec::new();
    loop {
        let attempt = needed.next().unwrap();
        sources.push(attempt.source.clone().into_owned());
        if needed.attempts.is_empty() {
            assert_eq!(attempt.source, source);
            assert!(attempt.has_items);
            needed.remember(session, &attempt, Duration::ZERO).unwrap();
            return sources;
        }
    }
}

/// The functions without a body in one of the sources.
fn without_bodies(sources: &[String]) -> Vec<String> {
    let lacks = |source: &&String| source.contains(LEFT_OUT);
    let Some(source) = sources.iter().find(lacks) else {
        return Vec::new();
    };
    let items = Items::of(source);
    let functions = items.functions.iter();
    let left_out = functions.filter(|of| source[of.body.clone()].contains(LEFT_OUT));
    left_out.map(|of| of.name.clone()).collect()
}

/// A function whose body calls the other function.
fn function(head: &str, calls: &str) -> String {
    format!("{head} {{\n    {calls}\n}}\n")
}

#[test]
fn bodies_are_left_out_that_the_cell_does_not_call() {
    let items = function("fn f()", "g()") + &function("fn g()", "") + &function("fn h()", "f()");
    assert_eq!(left_out(&items, &items, "1"), ["f", "g", "h"]);
    assert_eq!(left_out(&items, &items, "f()"), ["h"]);
    assert_eq!(left_out(&items, &items, "g()"), ["f", "h"]);
    assert_eq!(left_out(&items, &items, "\"h\""), [""; 0]);
}

#[test]
fn a_new_function_keeps_its_body() {
    let items = function("fn f()", "") + &function("fn g()", "");
    let new = items.clone() + &function("fn new()", "g()");
    assert_eq!(left_out(&items, &new, "1"), ["f"]);
    let changed = function("fn f()", "1;") + &function("fn g()", "");
    assert_eq!(left_out(&items, &changed, "1"), ["g"]);
}

#[test]
fn every_body_is_compiled_if_something_is_missing() {
    let f = function("fn f()", "S::new();");
    for (before, now) in [
        ("struct S;", "struct S(u8);"),
        ("struct S;", ""),
        ("mod m { pub struct S; }", "mod m { }"),
        ("use a::S;", "use b::S;"),
        ("impl S { const N: u8 = 1; }", "impl S { const N: u8 = 2; }"),
        ("impl A for S { fn a() {} }", "impl B for S { fn a() {} }"),
        ("fn s(n: u8) {}", "fn s(n: u16) {}"),
        (
            "macro_rules! s { () => { 1 } }",
            "macro_rules! s { () => { 2 } }",
        ),
        ("struct S; struct T;", "struct T;"),
    ] {
        let [before, now] = [before, now].map(|items| format!("{items}\n{f}"));
        assert_eq!(left_out(&before, &now, "1"), [""; 0], "{before} {now}");
        assert_eq!(left_out(&before, &before, "1")[0], "f");
    }
    let more = format!("{f}struct Other;");
    assert_eq!(left_out(&f, &more, "1"), ["f"]);
}

#[test]
fn another_dependency_of_the_same_name_counts() {
    let session = tempfile::tempdir().unwrap();
    let source = source(&function("fn f()", ""), "1");
    let left_out = |crates: &[(&str, u64)]| {
        let crates = crates
            .iter()
            .map(|(name, state)| ((*name).to_owned(), *state));
        without_bodies(&compile(session.path(), &source, &crates.collect())).len()
    };
    assert_eq!(left_out(&[("a", 1)]), 0);
    assert_eq!(left_out(&[("a", 1)]), 1);
    assert_eq!(left_out(&[("a", 1), ("b", 1)]), 1);
    assert_eq!(left_out(&[("a", 2), ("b", 1)]), 0);
    assert_eq!(left_out(&[("b", 1)]), 0);
}

#[test]
fn bodies_stay_that_count_without_a_call() {
    for head in [
        "const fn f()",
        "fn f() -> impl Iterator<Item = u8>",
        "fn f() -> Option<Box<impl Fn()>>",
        "#[unsafe(no_mangle)]\nextern \"C\" fn f()",
        "#[tokio::main]\nasync fn f()",
    ] {
        let items = function(head, "");
        assert_eq!(left_out(&items, &items, "1"), [""; 0], "{head}");
    }
    for body in [
        "struct S; impl A for S {}",
        "static N: u8 = 1;",
        "macro_rules! m { () => {} }",
    ] {
        let items = function("fn f()", body);
        assert_eq!(left_out(&items, &items, "1"), [""; 0], "{body}");
    }
    for head in [
        "fn f(x: impl Fn()) -> &'static str",
        "async fn f()",
        "#[inline]\npub unsafe fn f<T>(t: T) -> !",
    ] {
        let items = function(head, "");
        assert_eq!(left_out(&items, &items, "1"), ["f"], "{head}");
    }
    assert_eq!(
        left_out("fn f() { 1 }", "fn f() { 1 }", "1"),
        [""; 0],
        "too short"
    );
}

#[test]
fn methods_are_called_by_name_or_by_a_trait() {
    let of_trait = function(
        "impl Drop for S",
        &function("fn drop(&mut self)", "shown()"),
    );
    let own = function(
        "impl S",
        &(function("fn new() -> S", "") + &function("fn len(&self)", "")),
    );
    let items = format!("struct S;\n{of_trait}{own}{}", function("fn shown()", ""));
    assert_eq!(
        left_out(&items, &items, "1"),
        ["drop", "new", "len", "shown"]
    );
    assert_eq!(left_out(&items, &items, "S::new()"), ["len"]);
    assert_eq!(
        left_out(&items, &items, "v.len()"),
        ["drop", "new", "len", "shown"]
    );
    let made = format!("{items}{}", function("fn make() -> S", "S::new()"));
    assert_eq!(left_out(&made, &made, "make().len()"), [""; 0]);
    // An implementation for a type of others counts for every cell.
    let foreign = function("impl T for Vec<u8>", &function("fn t(&self)", ""));
    assert_eq!(left_out(&foreign, &foreign, "1"), [""; 0]);
}

#[test]
fn what_names_a_function_calls_the_function() {
    let f = function("fn f()", "");
    for by in [
        "static TABLE: [fn(); 1] = [f];",
        "macro_rules! TABLE { () => { f() } }",
        "trait T { fn TABLE() { f() } }",
        "#[serde(with = \"f\")] struct TABLE;",
    ] {
        let items = format!("{f}{by}");
        assert_eq!(left_out(&items, &items, "TABLE"), [""; 0], "{by}");
        assert_eq!(left_out(&items, &items, "1"), ["f"], "{by}");
    }
    for by in [
        "use crate::f as g;",
        "made! { f }",
        "extern \"C\" { fn f2(f: u8); }",
    ] {
        let items = format!("{f}{by}");
        assert_eq!(left_out(&items, &items, "1"), [""; 0], "{by}");
    }
}

#[test]
fn lines_and_columns_stay() {
    let session = tempfile::tempdir().unwrap();
    let body = "  if true {\n  panic!() }\n    \u{e9}  } fn after() {}";
    let items = format!("mod m {{\n  fn f(n: u8) -> u8 {{ n;\n{body} }}");
    let source = source(&items, "1");
    let crates = BTreeMap::new();
    compile(session.path(), &source, &crates);
    let place = |source: &str, name: &str| {
        let (line, text) = source
            .lines()
            .enumerate()
            .find(|(_, line)| line.contains(name))
            .unwrap();
        (line, text.split(name).next().unwrap().chars().count())
    };
    let sources = compile(session.path(), &source, &crates);
    let [closed, shorter, _] = sources.as_slice() else {
        panic!("{sources:?}");
    };
    assert_eq!(without_bodies(&sources), ["f"]);
    assert_eq!(place(shorter, "fn after"), place(&source, "fn after"));
    assert!(!closed.contains("mod m"));
    assert_eq!(place(closed, "fn run_"), place(&source, "fn run_"));
}

#[test]
fn a_record_serves_until_an_item_is_new() {
    let session = tempfile::tempdir().unwrap();
    let crates = BTreeMap::new();
    let items = function("fn f()", "") + &function("fn g()", "");
    let recorded = |items: &str, cell: &str, millis| {
        let source = source(items, cell).replace("BLANK", "\n\n\n");
        let mut needed = Needed::of(session.path(), &source, &crates);
        assert_eq!(needed.known.items, Items::of(&source));
        let is_recorded = needed.is_recorded;
        let taken = Duration::from_millis(millis);
        let is_closed = |attempt: &Attempt<'_>| !attempt.has_items;
        let attempt = std::iter::from_fn(|| needed.next()).find(|attempt| !is_closed(attempt));
        needed
            .remember(session.path(), &attempt.unwrap(), taken)
            .unwrap();
        is_recorded
    };
    assert!(!recorded(&items, "1", 0));
    assert!(recorded(&items, "a longer cell {}", 0));
    assert!(recorded(&items, "\u{e9}", 0));
    assert!(recorded(&(items.clone() + "BLANK"), "1", 0));
    assert!(recorded(&items, "1", 0));
    assert!(!recorded(&items, "} fn other() {", 0));
    assert!(!recorded(&items, "1", 0));
    let known = || Record::read(session.path()).unwrap().known;
    recorded(&items, "1", 400);
    assert!(!known().is_slow, "the cell calls no other");
    recorded(&items, "f()", 400);
    assert!(known().is_slow);
    let more = items.clone() + &function("fn h()", "");
    assert!(!recorded(&more, "1", 0));
    assert!(known().is_slow);
    std::fs::write(session.path().join("needed.json"), "{").unwrap();
    assert!(!recorded(&more, "1", 0));
}

/// Whether a cell is compiled without the items of the session, which the session had before.
fn is_closed(items: &str, cell: &str) -> bool {
    let session = tempfile::tempdir().unwrap();
    let crates = [("dep".to_owned(), 1)].into();
    let source = format!("{items}\nfn run_user_code_1() {{\n{cell}\n}}\n");
    compile(session.path(), &source, &crates);
    let mut needed = Needed::of(session.path(), &source, &crates);
    let attempt = needed.next().unwrap();
    let items = Items::of(&attempt.source);
    assert_eq!(attempt.has_items, !items.of_session.is_empty());
    !attempt.has_items
}

#[test]
fn a_cell_that_names_nothing_is_compiled_without_items() {
    let items = "struct S { x: u8 }\nfn f() -> S { let inner = 1; S { x: inner } }\nuse dep::{Thing, a_module::{self, x as other}};";
    for cell in [
        "1 + 1",
        "let y = 3;",
        "inner",
        "println!(\"{}\", 1)",
        "let v: Vec<u64> = ::std::vec::Vec::new(); (1, 'a').0",
        "std::mem::size_of::<u8>()",
        "y.cast().is_null()",
        "memit_unseen!(p q =>\nlet (p, q) = (1, 2);\n);",
    ] {
        assert!(is_closed(items, cell), "{cell}");
    }
    for cell in [
        "f()",
        "S { y: 1 }",
        "a.x",
        "Thing",
        "dep::other()",
        "println!(\"{x}\")",
        "v.len()",
        "v.iter::<u8>()",
        "println!(\"{}\", v.len())",
        "unsafe extern \"C\" { safe fn exported(); }",
        "other",
        "a_module",
    ] {
        assert!(!is_closed(items, cell), "{cell}");
    }
    // Without traits in scope, a method is one of the library.
    assert!(is_closed("struct S;", "v.len()"));
    assert!(!is_closed("struct S; trait T {}", "v.len()"));
}

#[test]
fn an_import_of_everything_may_define_any_name() {
    for open in [
        "use dep::prelude::*;",
        "dep::items! { a }",
        "mod inner { use dep::*; }",
    ] {
        for cell in [
            "1 + 1",
            "let y = 3;",
            "let y = 3; (y, y + 1)",
            "memit_unseen!(p q =>\nlet (p, q) = (1, 2);\n);",
            "match &(\n1+1\n) { value => ::std::println!(\"\", value) };",
            "for n in 0..3 { let mut m = n; m += 1; }",
            "::memit_session::measure({ use ::memit_session::abi::plan::*; Plan::Time(TimePlan { \
             loops: 1 }) }, &mut || { });",
        ] {
            assert!(is_closed(open, cell), "{open} {cell}");
        }
        for cell in [
            "println!(\"\")",
            "Vec::new()",
            "let N = 3;",
            "y",
            "i32::MAX",
            "[1].len()",
            "memit_unseen!(c =>\nlet c = b;\n);",
        ] {
            assert!(!is_closed(open, cell), "{open} {cell}");
        }
    }
}
