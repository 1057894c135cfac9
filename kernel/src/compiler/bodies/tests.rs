use super::*;

/// The source of a cell in a session with these items.
fn source(items: &str, cell: &str) -> String {
    format!(
        "{items}\nfn run_user_code_1(store: *mut u8) -> *mut u8 {{\n{cell}\nstore\n}}\nuse a::B;\n"
    )
}

/// The functions whose bodies are left out of a cell, if the cell before has compiled with `before`.
fn left_out(before: &str, now: &str, cell: &str) -> Vec<String> {
    let session = tempfile::tempdir().unwrap();
    let crates = BTreeMap::new();
    let before = source(before, "1");
    let compiled = Bodies::of(session.path(), &before, &crates);
    assert_eq!(compiled.source, before, "nothing is known yet");
    compiled.remember(session.path(), Duration::ZERO).unwrap();
    names(&Bodies::of(session.path(), &source(now, cell), &crates))
}

fn names(bodies: &Bodies<'_>) -> Vec<String> {
    let items = Items::of(&bodies.source);
    let functions = items.functions.iter();
    let left_out = functions.filter(|of| bodies.source[of.body.clone()].contains(LEFT_OUT));
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
        let bodies = Bodies::of(session.path(), &source, &crates.collect());
        let names = names(&bodies);
        bodies.remember(session.path(), Duration::ZERO).unwrap();
        names.len()
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
        "fn f(x: impl Fn())",
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
    for head in ["async fn f()", "#[inline]\npub unsafe fn f<T>(t: T) -> !"] {
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
    Bodies::of(session.path(), &source, &crates)
        .remember(session.path(), Duration::ZERO)
        .unwrap();
    let mut bodies = Bodies::of(session.path(), &source, &crates);
    let place = |source: &str| {
        let (line, text) = source
            .lines()
            .enumerate()
            .find(|(_, line)| line.contains("fn after"))
            .unwrap();
        (line, text.split("fn after").next().unwrap().chars().count())
    };
    assert_eq!(names(&bodies), ["f"]);
    assert_eq!(place(&bodies.source), place(&source));
    assert!(bodies.work().bytes < source.len());
    assert!(bodies.put_back());
    assert_eq!(bodies.source, source);
    assert_eq!(bodies.work().bytes, source.len());
    assert!(!bodies.put_back());
}

#[test]
fn a_record_serves_until_an_item_is_new() {
    let session = tempfile::tempdir().unwrap();
    let crates = BTreeMap::new();
    let items = function("fn f()", "") + &function("fn g()", "");
    let recorded = |items: &str, cell: &str, millis| {
        let source = source(items, cell);
        let bodies = Bodies::of(session.path(), &source, &crates);
        assert_eq!(bodies.known.items, Items::of(&source));
        let is_recorded = bodies.is_recorded;
        let taken = Duration::from_millis(millis);
        bodies.remember(session.path(), taken).unwrap();
        is_recorded
    };
    assert!(!recorded(&items, "1", 0));
    assert!(recorded(&items, "a longer cell {}", 0));
    assert!(recorded(&items, "\u{e9}", 0));
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
    std::fs::write(session.path().join("bodies.json"), "{").unwrap();
    assert!(!recorded(&more, "1", 0));
}
