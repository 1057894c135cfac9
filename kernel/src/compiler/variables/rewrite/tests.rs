use ra_ap_syntax::ast::AstNode as _;

use super::*;
use crate::compiler::definitions::Definitions;
use crate::compiler::variables::{Left, TAKEN, types};

/// A cell of a session without a directory.
fn read(source: String, arguments: &[String], held: Held) -> Cell {
    Cell::read(Path::new("/dev/null"), source, arguments, held)
}

/// A cell as evcxr writes it, which takes `v` and binds `w`.
fn cell(definition: &str, statements: &str) -> String {
    format!(
        "{definition}\n#[unsafe(no_mangle)]\npub extern \"C\" fn run_user_code_1(\n\
         mut evcxr_variable_store: *mut evcxr_internal_runtime::VariableStore)\n  \
         -> *mut evcxr_internal_runtime::VariableStore {{\n\
         let evcxr_variable_store = unsafe {{&mut *evcxr_variable_store}};\n\
         {{let mut vars_ok = true;\nif !vars_ok {{return evcxr_variable_store;}}}}\n\
         match std::panic::catch_unwind(\n  std::panic::AssertUnwindSafe(||{{\n\
         let memit_variables = ();\nlet mut v: Vec<P> = {TAKEN};\n{statements}\n\
         evcxr_variable_store.put_variable::<()>(stringify!(memit_variables), memit_variables);\n\
         evcxr_variable_store.put_variable::<Vec<P>>(stringify!(v), v);\n\
         evcxr_variable_store.put_variable::<Vec<\nP>>(stringify!(w), w);\n\
         }})) {{ \n  Ok(_) => {{}}\n  Err(_) => {{\n}}}}\nevcxr_variable_store\n}}"
    )
}

/// A session that holds `v`, whose type reaches what `definition` defines.
fn held(definition: &str) -> Held {
    let file = SourceFile::parse(definition, Edition::Edition2024).tree();
    let definitions = Definitions::of(file.syntax(), BTreeMap::new());
    let reached = definitions.reached_by(&types::parsed("Vec<P>").unwrap());
    held_with(reached)
}

fn held_with(reached: BTreeSet<Reached>) -> Held {
    Held {
        groups: vec![(reached, ["v".to_owned()].into())],
        unwanted: BTreeSet::new(),
    }
}

fn rewritten(definition: &str, statements: &str, decisions: &Decisions) -> Rewritten {
    let source = cell(definition, statements);
    let rewritten = read(source.clone(), &[], held("struct P(u8);")).rewritten(decisions);
    assert_eq!(rewritten.source.lines().count(), source.lines().count());
    rewritten
}

#[test]
fn a_cell_takes_what_it_mentions_and_puts_it_back_behind_the_part_that_can_panic() {
    let Rewritten {
        source, compiled, ..
    } = rewritten("struct P(u8);", "let w = v.clone();", &Decisions::default());
    let place = |text: &str| {
        source
            .find(text)
            .unwrap_or_else(|| panic!("{text}\n{source}"))
    };
    let places = [
        place("vars_ok &= evcxr_variable_store.check_variable_of::<Vec<P>>(\"v\", &["),
        place("let mut v = evcxr_variable_store.take_variable_of::<Vec<P>>(\"v\", &["),
        place("catch_unwind"),
        place("put_variable_of::<Vec< P>>(\"w\", w, &["),
        place("Err(_)"),
        place("put_variable_of::<Vec<P>>(\"v\", v, &["),
    ];
    assert!(places.is_sorted(), "{source}");
    assert!(!source.contains("memit_"), "{source}");
    assert_eq!(compiled.taken, ["v".to_owned()].into());
    assert!(!compiled.put["v"].is_new && compiled.put["v"].is_mutable);
    assert!(compiled.put["w"].is_new && !compiled.put["w"].is_mutable);
    assert!(compiled.put["w"].reached.iter().any(|of| of.name == "P"));
}

#[test]
fn a_cell_that_binds_nothing_takes_variables_without_evcxrs_store() {
    let source = "struct P(u8);\n#[unsafe(no_mangle)]\npub extern \"C\" fn run_user_code_3(\n\
        evcxr_variable_store: *mut u8) -> *mut u8 {\nif ::std::panic::catch_unwind(||{\n\
        memit_bound!( let mut v: Vec<P> = X; );\nv.len();\n}).is_err() {\n}\nevcxr_variable_store\n}";
    let read = |source: &str| {
        read(source.to_owned(), &[], held("struct P(u8);")).rewritten(&Decisions::default())
    };
    let caught = read(source);
    assert_eq!(caught.source.lines().count(), source.lines().count());
    assert!(!caught.compiled.put["v"].is_new);
    insta::assert_snapshot!(caught.source.replace(|c: char| c.is_ascii_digit(), ""), @r#"
    struct P(u);
    #[unsafe(no_mangle)]
    pub extern "C" fn run_user_code_(
    evcxr_variable_store: *mut u) -> *mut u { let memit_store = evcxr_variable_store; let ::core::option::Option::Some(evcxr_variable_store) = (unsafe { ::memit_session::store_of(memit_store.cast(), &["v"]) }) else { return memit_store; }; { let mut vars_ok = true; vars_ok &= evcxr_variable_store.check_variable_of::<Vec<P>>("v", &[, , ]); if !vars_ok { return memit_store; } } let mut v = evcxr_variable_store.take_variable_of::<Vec<P>>("v", &[, , ]);
    if ::std::panic::catch_unwind(::std::panic::AssertUnwindSafe(||{

    v.len();
    })).is_err() {
    }
     evcxr_variable_store.put_variable_of::<Vec<P>>("v", v, &[, , ]); memit_store
    }
    "#);
    let only_for_errors = source
        .replace("if ::std::panic::catch_unwind(||{", "")
        .replace("}).is_err() {\n}", "");
    assert!(read(&only_for_errors).source.contains("take_variable_of"));
}

#[test]
fn a_variable_that_is_bound_again_is_not_put_back() {
    let statements = "let v = v; let w = v.clone();";
    let rewritten = rewritten("struct P(u8);", statements, &Decisions::default());
    assert!(rewritten.compiled.put["v"].is_new);
    assert_eq!(rewritten.source.matches("put_variable_of").count(), 2);
}

#[test]
fn a_variable_with_a_changed_definition_is_given_up() {
    let Rewritten {
        source, compiled, ..
    } = rewritten(
        "struct P(u16);",
        "let w = vec![P(1)];",
        &Decisions::default(),
    );
    assert!(source.contains("::memit_session::give_up(evcxr_variable_store.cast(), &[\"v\"])"));
    assert!(!source.contains("take_variable_of"), "{source}");
    assert_eq!(compiled.given_up[0].variable, "v");
    assert_eq!(compiled.given_up[0].changed.name, "P");
}

#[test]
fn items_give_a_variable_up_too() {
    let source = "struct P(u16);\n#[unsafe(no_mangle)]\npub extern \"C\" fn run_user_code_2(\n\
        mut x: *mut std::os::raw::c_void) -> *mut std::os::raw::c_void {x}";
    let rewritten =
        read(source.to_owned(), &[], held("struct P(u8);")).rewritten(&Decisions::default());
    assert!(rewritten.source.contains("give_up(x.cast(), &[\"v\"])"));
    assert!(rewritten.puts.is_empty());
    let same = read(source.to_owned(), &[], held("struct P(u16);"));
    assert_eq!(same.rewritten(&Decisions::default()).source, source);
}

#[test]
fn decisions_change_what_is_put() {
    let mut decisions = Decisions::default();
    let moved = Decision::Moved("drop(v)".to_owned());
    decisions.of.insert(slot("v", false), moved);
    decisions.of.insert("w".to_owned(), Decision::Inferred);
    let statements = "drop(v); let w = f();";
    let inferred = rewritten("struct P(u8);", statements, &decisions);
    assert!(inferred.source.contains("put_unnamed(\"w\", w);"));
    assert_eq!(inferred.compiled.moved["v"], "drop(v)");
    assert_eq!(inferred.compiled.put["w"].of, None);
    let left = Decision::Left(Left::Borrows(Some("v".to_owned())));
    decisions.of.insert("w".to_owned(), left);
    decisions.ended.insert("w".to_owned());
    let left = rewritten("struct P(u8);", statements, &decisions);
    assert!(left.source.contains("::core::mem::drop(w);"));
    assert!(left.puts.is_empty());
    assert!(left.can_borrow.contains("w"));
}

#[test]
fn a_let_that_evcxr_does_not_see_is_put_as_rustc_infers() {
    let statements = "memit_unseen!(a b =>\nlet (mut a, b) = f();\n);\nlet w = b;";
    let rewritten = rewritten("struct P(u8);", statements, &Decisions::default());
    assert!(rewritten.source.contains("put_unnamed(\"a\", a);"));
    assert!(rewritten.asking().is_some());
    assert!(rewritten.compiled.put["a"].is_mutable);
    assert!(!rewritten.compiled.put["b"].is_mutable);
}

#[test]
fn a_dependency_that_is_compiled_again_is_another_one() {
    let directory = tempfile::tempdir().unwrap();
    let library = directory.path().join("libshapes.rlib");
    fs::write(&library, "1").unwrap();
    let arguments = [
        "--extern".to_owned(),
        format!("shapes={}", library.display()),
    ];
    let before = crates(&arguments);
    assert_eq!(crates(&arguments), before);
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(1);
    fs::File::open(&library)
        .unwrap()
        .set_modified(later)
        .unwrap();
    assert_ne!(crates(&arguments), before);
}

#[test]
fn types_of_a_crate_with_another_identity_are_other_types() {
    let source = || cell("struct P(u8);", "let w = v;");
    let metadata = |value: &str| ["-C".to_owned(), format!("metadata={value}")];
    let first = read(source(), &metadata("0"), held("struct P(u8);"));
    let put = first.rewritten(&Decisions::default()).compiled.put;
    let held = held_with(put["w"].reached.clone());
    let given_up = |value| {
        read(source(), &metadata(value), held.clone())
            .given_up
            .len()
    };
    assert_eq!([given_up("0"), given_up("1")], [0, 1]);
}
