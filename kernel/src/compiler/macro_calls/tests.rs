use super::*;

/// What the last call in `source` makes, with the macros in `source`.
fn makes(source: &str) -> String {
    let source = format!("{source}\n");
    let file = SourceFile::parse(&source, Edition::Edition2024).tree();
    let mut macros = Macros::default();
    for of in file.syntax().children().filter_map(ast::MacroRules::cast) {
        macros.define(&of);
    }
    let calls = file.syntax().children().filter_map(ast::MacroCall::cast);
    let (name, names) = match macros.makes(&calls.last().unwrap()) {
        Makes::Items(names) => ("items", names),
        Makes::PerhapsItems(names) => ("perhaps", names),
        Makes::PerhapsOf(name) => ("perhaps of", [name].into()),
        Makes::Statements => ("statements", BTreeSet::new()),
    };
    let names = names.into_iter().map(|name| format!(" {name}"));
    name.to_owned() + &names.collect::<String>()
}

#[test]
fn macros_of_the_session_are_expanded() {
    for (source, expected) in [
        (
            "macro_rules! unit { ($n:ident) => { #[derive(Debug)] struct $n(f64); }; }\nunit!(Metre);",
            "items Metre",
        ),
        (
            "macro_rules! ids { ($($(#[$m:meta])* $v:vis $n:ident: $t:ty),* $(,)?) => {\
                $($(#[$m])* $v struct $n { id: $t } impl $n { fn id(&self) -> &$t { &self.id } })* } }\n\
             ids! { pub UserId: Vec<u32>, #[derive(Debug)] OrderId: &'static [u8], }",
            "items OrderId UserId",
        ),
        (
            "macro_rules! colours { (enum $n:ident { $($v:ident = $e:expr),+ $(,)? }) => {\
                enum $n { $($v = $e),+ } } }\ncolours! { enum Colour { Red = 1 + 1, Green = 2 } }",
            "items Colour",
        ),
        (
            "macro_rules! two { (a) => { fn a() {} }; (b $x:literal) => { const B: u8 = $x; } }\ntwo!(b -1);",
            "items B",
        ),
        (
            "macro_rules! outer { ($($t:tt)*) => { inner!($($t)*); } }\n\
             macro_rules! inner { ($n:ident => $b:block) => { fn $n() -> u8 $b } }\nouter!(five => { 5 });",
            "items five",
        ),
        (
            "macro_rules! shared { ($n:ident, $t:ty) => { thread_local! { static $n: $t = $t::new(); } } }\n\
             shared!(SEEN, Vec<u8>);",
            "items SEEN",
        ),
        (
            "macro_rules! tell { ($($t:ty),*) => { $(impl Tell for $t {})* } }\ntell!(A, B<'static>);",
            "items",
        ),
        (
            "macro_rules! two { ($n:ident) => { let $n = 2; } }\ntwo!(x);",
            "statements",
        ),
        (
            "macro_rules! both { () => { fn f() {} f(); } }\nboth!();",
            "statements",
        ),
        (
            "macro_rules! say { ($($t:tt)*) => { println!($($t)*) } }\nsay!(\"x\");",
            "statements",
        ),
        (
            "macro_rules! nothing { ($($t:tt)*) => {} }\nnothing!(struct A);",
            "statements",
        ),
        (
            "macro_rules! endless { () => { endless!(); } }\nendless!();",
            "statements",
        ),
        (
            "macro_rules! one { (1) => { fn f() {} } }\none!(2);",
            "statements",
        ),
    ] {
        assert_eq!(makes(source), expected, "{source}");
    }
}

#[test]
fn the_tokens_of_a_call_tell_what_other_macros_make() {
    for (call, expected) in [
        (
            "thread_local! { static A: u8 = 1; pub static B: u8 = const { 2 }; }",
            "items A B",
        ),
        (
            "lazy_static! { static ref A: Mutex<u8> = Mutex::new(1); }",
            "perhaps A",
        ),
        (
            "bitflags::bitflags! { pub struct Flags: u32 { const A = 1; } }",
            "perhaps Flags",
        ),
        ("define_id!(UserId);", "perhaps of UserId"),
        ("impl_all! { impl A for B {} }", "perhaps"),
        ("paste! { fn [<make_ u8>]() {} }", "perhaps"),
        ("log::info!(\"{}\", struct_name);", "statements"),
        ("println!(\"struct\");", "statements"),
        ("json!({ \"type\": 1 });", "statements"),
    ] {
        assert_eq!(makes(call), expected, "{call}");
    }
}

#[test]
fn statics_are_declared_for_the_analyser() {
    let source =
        "thread_local! { static A: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) }; }\n";
    let file = SourceFile::parse(source, Edition::Edition2024).tree();
    let call = file.syntax().children().find_map(ast::MacroCall::cast);
    let declared = declared(&call.unwrap())
        .unwrap()
        .to_string()
        .replace(' ', "");
    assert_eq!(
        declared,
        "staticA:::std::thread::LocalKey<RefCell<Vec<u8>>>=loop{};"
    );
}
