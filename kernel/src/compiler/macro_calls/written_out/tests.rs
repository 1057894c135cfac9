use std::fs;

use super::*;

/// What the calls in `source` become that make statics, each in a line of its own.
fn with_crates(source: &str, crates: &BTreeMap<String, PathBuf>) -> String {
    let file = SourceFile::parse(source, Edition::Edition2024).tree();
    let known = Known::of(file.syntax(), crates);
    let calls = file.syntax().descendants().filter_map(ast::MacroCall::cast);
    let texts = calls.filter_map(|call| known.written_out(&call, source));
    let trimmed = |text: String| {
        let lines = text.split('\n').map(|line| {
            let words = line.split(' ').filter(|word| !word.is_empty());
            words.collect::<Vec<_>>().join(" ")
        });
        lines.collect::<Vec<_>>().join("\n").trim().to_owned()
    };
    texts.map(trimmed).collect::<Vec<_>>().join("\n")
}

fn written_out(source: &str) -> String {
    with_crates(source, &BTreeMap::new())
}

#[test]
fn calls_that_make_statics_are_written_out() {
    for (source, expected) in [
        (
            "macro_rules! make { ($n:ident) => { static $n: u8 = 1; } }\nmake!(A);",
            "static A : u8 = 1 ;",
        ),
        (
            "macro_rules! all { ($($v:vis $n:ident),*) => { $($v static $n: u8 = 1;)* } }\nall!(A, pub B);",
            "static A : u8 = 1 ; pub static B : u8 = 1 ;",
        ),
        (
            "macro_rules! outer { ($($t:tt)*) => { struct S; inner!($($t)*); other!(1); } }\n\
             macro_rules! inner { ($n:ident = $e:expr) => { static $n: u8 = $e; } }\n\
             macro_rules! other { ($e:expr) => { const C: u8 = $e; } }\nouter!(A = 1);",
            "struct S ; static A : u8 = 1 ; other !( 1 ) ;",
        ),
        (
            "macro_rules! key { ($n:ident) => { thread_local! { static $n: u8 = 1; } } }\nkey!(A);",
            "thread_local ! { static A : u8 = 1 ; }",
        ),
        (
            "macro_rules! same { ($($t:tt)*) => { $($t)* } }\nsame! { static A: u8 = 1 + 1; }",
            "static A: u8 = 1 + 1;",
        ),
        (
            "macro_rules! make { ($n:ident) => { static $n: u8 = $crate::ONE; } }\n\
             mod m { #[cfg(unix)] #[allow(dead_code)] make!(A); }",
            "# [ cfg ( unix ) ] static A : u8 = crate :: ONE ;",
        ),
        (
            "macro_rules! next { () => {{ static N: A = A::new(0); let n = N.next(); n }} }\n\
             fn f() -> u8 { next!() + 1 }",
            "( { static N : A = A :: new ( 0 ) ; let n = N . next ( ) ; n } )",
        ),
        (
            "macro_rules! make { ($n:ident) => { static $n: u8 = 1; } }\nfn f() -> u8 { make!(A); A }",
            "static A : u8 = 1 ;",
        ),
    ] {
        assert_eq!(written_out(source), expected, "{source}");
    }
}

#[test]
fn what_a_metavariable_stands_for_stays_one_piece() {
    for (source, expected) in [
        (
            "macro_rules! make { ($e:expr) => { static A: u8 = $e * 2; } }\nmake!(1 + 1);",
            "static A : u8 = ( 1 + 1 ) * 2 ;",
        ),
        (
            "macro_rules! make { ($t:ty) => { static A: &$t = &$t::new(); } }\nmake!(Vec<u8>);",
            "static A : & Vec<u8> = & < Vec<u8> > :: new ( ) ;",
        ),
        (
            "macro_rules! make { ($t:ty) => { static A: Option<&$t> = None; } }\nmake!(dyn Any + Send);",
            "static A : Option <& ( dyn Any + Send ) > = None ;",
        ),
        (
            "macro_rules! make { ($e:expr) => { static A: u8 = $e; }; ($($t:tt)*) => { static B: u8 = 1; } }\n\
             make!(fold::<u8, u8>(|a, b| a + b));",
            "static A : u8 = ( fold::<u8, u8>(|a, b| a + b) ) ;",
        ),
        // An expression is no literal, even if it looks like one.
        (
            "macro_rules! outer { ($e:expr) => { inner!($e); } }\n\
             macro_rules! inner { (0) => { static A: u8 = 7; }; ($e:expr) => { static A: u8 = $e; } }\n\
             outer!(0);",
            "static A : u8 = 0 ;",
        ),
    ] {
        assert_eq!(written_out(source), expected, "{source}");
    }
}

#[test]
fn a_call_stays_if_its_meaning_is_not_certain() {
    for source in [
        // Nothing static.
        "macro_rules! make { ($n:ident) => { struct $n; } }\nmake!(A);",
        "macro_rules! make { () => { static A: u8 = 1; } }\nmake!(1);",
        "macro_rules! endless { () => { endless!(); } }\nendless!();",
        "make! { static A: u8 = 1; }",
        // Variables of one name.
        "macro_rules! make { ($e:expr) => {{ static A: u8 = 1; let x = 2; $e + x }} }\n\
         fn f() -> u8 { let x = 1; make!(x) }",
        "macro_rules! make { ($e:expr) => { fn f(x: u8) -> u8 { static A: u8 = 1; $e } } }\nmake!(x);",
        "macro_rules! make { ($e:expr) => { fn f(x: u8) { static A: u8 = 1; print!(\"{}\", $e) } } }\nmake!(x);",
        "macro_rules! make { ($e:expr) => { fn f(x: u8) { static A: u8 = 1; println!($e) } } }\nmake!(\"{x}\");",
        "macro_rules! make { () => {{ static A: u8 = 1; x }} }\nconst x: u8 = 1;\n\
         fn f(x: u8) -> u8 { make!() }",
        "macro_rules! make { ($b:block) => {{ static A: u8 = 1; 'a: loop { $b } }} }\n\
         fn f() { 'a: loop { make!({ break 'a }) } }",
        // The place or the tokens of the call.
        "macro_rules! make { () => { static A: u32 = line!(); } }\nmake!();",
        "macro_rules! make { ($e:expr) => { static A: &str = stringify!($e); } }\nmake!(1 + 1);",
        "macro_rules! make { () => { static A: u8 = 1; macro_rules! m { ($a:ty) => {} } } }\nmake!();",
        // Another macro of this name, or none that could be seen.
        "macro_rules! make { () => { static A: u8 = 1; } }\n\
         mod m { macro_rules! make { () => {} } make!(); }",
        "macro_rules! make { () => { static A: u8 = 1; } }\nother::make!();",
        "macro_rules! make { () => { static A: u8 = 1; } }\ncrate::m::make!();",
        // What looks like a literal is an expression for the inner macro.
        "macro_rules! make { ($e:expr) => { static A: u8 = inner!($e); } }\n\
         macro_rules! inner { (0) => { 1 }; ($e:expr) => { 2 } }\nmake!(0);",
        // Another attribute could change what the call makes.
        "macro_rules! make { () => { static A: u8 = 1; } }\n#[dynamic] make!();",
        // A block between statements has no value.
        "macro_rules! make { () => {{ static A: u8 = 1; A }} }\nfn f() { make! {} (1) }",
    ] {
        assert_eq!(written_out(source), "", "{source}");
    }
}

#[test]
fn the_tokens_of_a_call_stay_in_their_lines() {
    let source = "macro_rules! make { ($n:ident: $t:ty = $e:expr;) => { static $n: $t = $e; } }\n\
                  make! {\n    // Why.\n    A: u8 =\n        one();\n}";
    assert_eq!(written_out(source), "static\n\nA : u8 = (\none() ) ;");
}

#[test]
fn tokens_stay_in_their_columns() {
    let source = "macro_rules! make { ($n:ident = $e:expr) => { static $n: u8 = $e; } }\n\
                  make!(A =\n    { list[0]\n  + list[1] });";
    let file = SourceFile::parse(source, Edition::Edition2024).tree();
    let crates = BTreeMap::new();
    let known = Known::of(file.syntax(), &crates);
    let call = file.syntax().descendants().find_map(ast::MacroCall::cast);
    let written = known.written_out(&call.unwrap(), source).unwrap();
    assert_eq!(
        written,
        "static A : u8 = \n    { list[0] \n  + list[1] } ; "
    );
}

#[test]
fn a_string_with_line_breaks_moves_no_line() {
    let source = "macro_rules! make { ($t:expr, $e:expr) => { static A: &str = $t; static B: u8 = $e; } }\n\
                  make!(\"a\nb\",\n    2 );";
    assert_eq!(
        written_out(source),
        "static A : & str = \"a\nb\" ; static B : u8 =\n2 ;"
    );
    let source = "macro_rules! make { ($n:ident) => { static $n: &str = \"a\nb\"; } }\nmake!(A);";
    assert_eq!(written_out(source), "");
}

#[test]
fn macros_of_dependencies_are_written_out() {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("lib.rs");
    let text = "#[macro_export(local_inner_macros)] macro_rules! lazy {\n\
        ($(#[$m:meta])* static ref $n:ident: $t:ty = $e:expr; $($rest:tt)*) => {\n\
            impl $crate::Get for $n { fn get(&self) -> $t { __create!(LAZY, $t); LAZY.get(|| $e) } }\n\
            lazy!($($rest)*);\n\
        };\n\
        () => {};\n\
    }\n\
    #[macro_export] macro_rules! __create { ($n:ident, $t:ty) => { static $n: $crate::Lazy<$t> = $crate::NEW; } }\n";
    fs::write(&source, text).unwrap();
    let rules = format!("liba.rlib: {}\n", source.display());
    fs::write(directory.path().join("a-1.d"), rules).unwrap();
    let library = directory.path().join("liba-1.rlib");
    let crates = BTreeMap::from([("a".to_owned(), library)]);
    let expected = "impl ::a :: Get for X { fn get ( & self ) -> u8 { static LAZY : ::a :: Lazy < u8 > = ::a :: NEW ; ; \
                    LAZY . get ( || 1 ) } } ";
    let with = |source: &str| with_crates(source, &crates);
    let one = "/// Doc.\nstatic ref X: u8 = 1;";
    for call in [
        format!("a::lazy! {{ {one} }}"),
        format!("use a::lazy; lazy! {{ {one} }}"),
        format!("use a::lazy as other; other! {{ {one} }}"),
        format!("use a::*; lazy! {{ {one} }}"),
        format!("#[macro_use] extern crate a; lazy! {{ {one} }}"),
    ] {
        let written = with(&call);
        let written = written.replace('\n', " ");
        assert!(written.starts_with(expected.trim()), "{call}: {written}");
    }
    let two = with(&format!("a::lazy! {{ {one} static ref Y: u8 = 2; }}"));
    assert_eq!(two.matches("static LAZY").count(), 2, "{two}");
    // In a body, crates make statics for themselves.
    assert_eq!(with("fn f() { a::__create!(N, u8); }"), "");
}
