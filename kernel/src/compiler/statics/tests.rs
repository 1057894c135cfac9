use super::*;

fn shared_in(source: &str) -> Shared {
    shared(source, BTreeMap::new())
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
#[unsafe(no_mangle)] static USERS: AtomicU32 = AtomicU32::new(0);
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
    #[unsafe(no_mangle)] static USERS: AtomicU32 = AtomicU32::new(0);
    unsafe extern "C" { static environ: *const u8; }
    fn run_user_code_1() { static LOCAL: AtomicU32 = AtomicU32::new(0); }
    "#);
}

#[test]
fn keys_of_threads_become_statics() {
    let source = "\
thread_local! {
    static SEEN: RefCell<
        Vec<u8>> = const { RefCell::new(Vec::new()) };
    pub static N: Cell<u8> = Cell::new(1)
}
std::thread_local!(static M: u8 = 1;);
thread_local! { fn other() {} }
";
    insta::assert_snapshot!(exported(source), @r#"

        #[unsafe(export_name = "memit_static_#")] static SEEN: ::memit_session::SharedKey<RefCell< Vec<u8>>> = ::memit_session::SharedKey::new({ ::std::thread_local! { static SEEN: RefCell<
            Vec<u8>> = const { RefCell::new(Vec::new()) } } SEEN });
        #[unsafe(export_name = "memit_static_#")] pub static N: ::memit_session::SharedKey<Cell<u8>> = ::memit_session::SharedKey::new({ ::std::thread_local! { static N: Cell<u8> = Cell::new(1) } N });

    #[unsafe(export_name = "memit_static_#")] static M: ::memit_session::SharedKey<u8> = ::memit_session::SharedKey::new({ ::std::thread_local! { static M: u8 = 1 } M });
    thread_local! { fn other() {} }
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
