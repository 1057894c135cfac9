use super::*;

fn shared_in(source: &str) -> Shared {
    shared(source, Sharing::Made, BTreeMap::new(), &BTreeMap::new())
}

/// The source with statics that cells share, with `#` for the number of each.
fn exported(source: &str) -> String {
    let (exported, _) = shared_in(source).apply(source);
    let mut text = String::new();
    let mut rest = exported.as_str();
    while let Some(at) = rest.find(PREFIX) {
        text += &rest[..at + PREFIX.len()];
        text.push('#');
        rest = &rest[at + PREFIX.len() + 16..];
    }
    text + rest
}

/// The numbers of the statics that may change.
fn numbers(source: &str) -> Numbers {
    shared_in(source).numbers
}

#[test]
fn statics_get_an_exported_name() {
    let source = "\
/// Hits.
pub static HITS: AtomicU32 = AtomicU32::new(0);
fn f() { static mut N: u8 = 1; }
mod m { static M: Mutex<u8> = Mutex::new(0); }
static NEXT: Mutex<u8> = Mutex::new(0); // A comment.
static LAST: Mutex<u8> = Mutex::new(0);
// Above a blank line.

static TOP: Mutex<u8> = Mutex::new(0);
#[made_by_a_macro] static OTHER: AtomicU32 = AtomicU32::new(0);
unsafe extern \"C\" { static environ: *const u8; }
fn run_user_code_1() { static LOCAL: AtomicU32 = AtomicU32::new(0); }
";
    insta::assert_snapshot!(exported(source), @r#"
    #[unsafe(export_name = "memit_static_#")] /// Hits.
    pub static HITS: AtomicU32 = AtomicU32::new(0);
    fn f() { #[unsafe(export_name = "memit_static_#")] static mut N: u8 = 1; }
    mod m { #[unsafe(export_name = "memit_static_#")] static M: Mutex<u8> = Mutex::new(0); } #[unsafe(export_name = "memit_static_#")]
    static NEXT: Mutex<u8> = Mutex::new(0); #[unsafe(export_name = "memit_static_#")] // A comment.
    static LAST: Mutex<u8> = Mutex::new(0);
    // Above a blank line.

    #[unsafe(export_name = "memit_static_#")] static TOP: Mutex<u8> = Mutex::new(0);
    #[made_by_a_macro] static OTHER: AtomicU32 = AtomicU32::new(0);
    unsafe extern "C" { static environ: *const u8; }
    fn run_user_code_1() { static LOCAL: AtomicU32 = AtomicU32::new(0); }
    "#);
}

#[test]
fn attributes_can_say_where_a_static_is_stored() {
    let source = "\
#[used] static A: AtomicU32 = AtomicU32::new(0);
#[cfg(unix)] #[unsafe(link_section = \".data.b\")] static B: AtomicU32 = AtomicU32::new(0);
#[thread_local] static C: Cell<u8> = Cell::new(0);
#[cfg_attr(unix, dynamic)] static D: AtomicU32 = AtomicU32::new(0);
";
    insta::assert_snapshot!(exported(source), @r#"
    #[unsafe(export_name = "memit_static_#")] #[used] static A: AtomicU32 = AtomicU32::new(0); #[unsafe(export_name = "memit_static_#")]
    #[cfg(unix)] #[unsafe(link_section = ".data.b")] static B: AtomicU32 = AtomicU32::new(0);
    #[thread_local] static C: Cell<u8> = Cell::new(0);
    #[cfg_attr(unix, dynamic)] static D: AtomicU32 = AtomicU32::new(0);
    "#);
}

#[test]
fn a_static_keeps_the_name_that_the_user_has_chosen() {
    let named = |source: &str| shared_in(source).named;
    let source = "#[unsafe(no_mangle)] static USERS: AtomicU32 = X;\n\
                  #[unsafe(export_name = \"hits\")] static HITS: AtomicU32 = X;\n";
    let before = named(source);
    assert_eq!(before.keys().collect::<Vec<_>>(), ["USERS", "hits"]);
    let edited = named(&source.replace("AtomicU32", "AtomicU64"));
    assert!(before.iter().all(|(name, number)| edited[name] != *number));
    let (exported, _) = shared_in(source).apply(source);
    let table = exported.strip_prefix(source).unwrap();
    let table = table
        .replace(|c: char| c.is_ascii_digit(), "")
        .replace(", ", "");
    assert_eq!(
        table,
        "\n#[unsafe(export_name = \"memit_named_statics\")] static MEMIT_NAMED_STATICS: [u; ] = [];\n"
    );
}

#[test]
fn the_items_of_a_body_are_a_part_of_its_statics() {
    let number = |items: &str| {
        let of_body = "static S: Mutex<Option<T>> = X; println!(\"a\"); \
                       thread_local! { static K: Cell<Option<T>> = X; }";
        let source = format!(
            "mod a {{ pub struct T(u8); }} mod b {{ pub struct T(String); }}\n\
             macro_rules! define {{ ($t:ty) => {{ struct T($t); }} }}\n\
             fn f() {{ {items} {{ {of_body} }} }}"
        );
        let numbers = numbers(&source);
        [numbers["f::S"], numbers["f::K"]]
    };
    for (before, after) in [
        ("use a::T;", "use b::T;"),
        ("struct T(u8);", "struct T(String);"),
        ("type T = u8;", "type T = String;"),
        (
            "type T = [u8; N]; const N: usize = 1;",
            "type T = [u8; N]; const N: usize = 2;",
        ),
        ("define!(u8);", "define!(String);"),
        (
            "mod m { pub type T = u8; } use m::T;",
            "mod m { pub type T = u16; } use m::T;",
        ),
        (
            "struct L; impl Tr for L { type Out = u8; } type T = <L as Tr>::Out;",
            "struct L; impl Tr for L { type Out = u16; } type T = <L as Tr>::Out;",
        ),
    ] {
        let pairs = number(before).into_iter().zip(number(after));
        assert!(
            pairs.into_iter().all(|(before, after)| before != after),
            "{before}"
        );
        let other = format!("{before} fn g() {{}} println!(\"b\"); static U: u8 = 1;");
        assert_eq!(number(before), number(&other), "{before}");
    }
}

#[test]
fn one_path_can_stand_for_several_statics() {
    let source = "#[cfg(a)] static N: Mutex<u8> = X; #[cfg(not(a))] static N: Mutex<u16> = X;";
    let before = numbers(source);
    assert_ne!(before, numbers(&source.replace("u8", "i8")));
    assert_ne!(before, numbers(&source.replace("u16", "i16")));
}

#[test]
fn keys_of_threads_become_statics() {
    let source = "\
thread_local! {
    static SEEN: RefCell<
        Vec<u8>> = const { RefCell::new(Vec::new()) };
    pub static N: Cell<u8> = Cell::new(1)
}
#[allow(dead_code)] std::thread_local!(static M: u8 = 1;);
thread_local! { fn other() {} }
static KEY: &LocalKey<u8> = { thread_local! { static K: u8 = 1; } &K };
";
    insta::assert_snapshot!(exported(source), @r#"

        #[unsafe(export_name = "memit_static_#")] static SEEN: ::memit_session::SharedKey<RefCell< Vec<u8>>> = ::memit_session::SharedKey::new({ ::std::thread_local! { static SEEN: RefCell<
            Vec<u8>> = const { RefCell::new(Vec::new()) } } SEEN });
        #[unsafe(export_name = "memit_static_#")] pub static N: ::memit_session::SharedKey<Cell<u8>> = ::memit_session::SharedKey::new({ ::std::thread_local! { static N: Cell<u8> = Cell::new(1) } N });

    #[unsafe(export_name = "memit_static_#")] static M: ::memit_session::SharedKey<u8> = ::memit_session::SharedKey::new({ ::std::thread_local! { static M: u8 = 1 } M });
    thread_local! { fn other() {} }
    static KEY: &LocalKey<u8> = { thread_local! { static K: u8 = 1; } &K };
    "#);
}

#[test]
fn a_static_is_another_one_when_its_definition_changes() {
    let with = |number: &str, field: &str| {
        numbers(&format!(
            "struct Log {{ lines: {field} }}\n\
             static LOG: Mutex<Option<Log>> = Mutex::new(None);\n\
             static HITS: AtomicU32 = AtomicU32::new({number});\n\
             thread_local! {{ static T: Cell<Option<Log>> = Cell::new(None) }}"
        ))
    };
    let before = with("0", "u32");
    assert_eq!(before, with("0", "u32"));
    let changed = |after: &Numbers| {
        let changed = before
            .iter()
            .filter(|(path, number)| after[*path] != **number);
        changed.map(|(path, _)| path.clone()).collect::<Vec<_>>()
    };
    assert_eq!(changed(&with("1", "u32")), ["HITS"]);
    assert_eq!(changed(&with("0", "String")), ["LOG", "T"]);
}

#[test]
fn equal_statics_are_different_ones() {
    let source = "fn f() { { static N: Cell<u8> = X; } { static N: Cell<u8> = X; } } mod f { static N: Cell<u8> = X; }";
    let shared = shared_in(source);
    let mut names: Vec<_> = shared.edits.iter().map(|(_, text)| text.clone()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 3);
}

#[test]
fn a_constant_is_not_worth_a_word() {
    let source =
        "static NAMES: [&str; 2] = [\"a\", \"b\"]; static mut N: u8 = 1; static M: Mutex<u8> = X;";
    let numbers = numbers(source);
    assert_eq!(numbers.keys().collect::<Vec<_>>(), ["M", "N"]);
}
