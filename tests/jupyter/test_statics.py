"""A `static` and a `thread_local!` of the notebook keep their values from cell to cell."""

import pytest

HITS = """
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
static HITS: AtomicU32 = AtomicU32::new(0);
fn hit() -> u32 { HITS.fetch_add(1, SeqCst) + 1 }
hit()
"""


@pytest.fixture(scope="module")
def counting(module_kernel):
    assert module_kernel.value(HITS) == "1"
    return module_kernel


def test_a_static_counts_on(counting):
    assert counting.value("hit()") == "2"
    counting.run("%memit -r 3 hit()")
    assert counting.value("hit()") == "3"
    counting.run("hit();")
    counting.run("%undo")
    assert counting.value("hit()") == "4"
    counting.fails('hit();\npanic!("no")', "Panic")
    assert counting.value("HITS.load(SeqCst)") == "4"
    counting.run("%mprun -q -f hit hit()")
    assert counting.value("hit()") == "5"


def test_an_edited_static_starts_anew(counting):
    counting.run("mod table { pub static SIZE: std::sync::Mutex<u8> = std::sync::Mutex::new(1); }")
    counting.run("*table::SIZE.lock()? += 1;")
    cell = counting.run("mod table { pub static SIZE: std::sync::Mutex<u8> = std::sync::Mutex::new(7); }")
    assert cell.stderr == "`table::SIZE` starts anew, because its definition has changed\n"
    assert counting.value("*table::SIZE.lock()?") == "7"
    # Another edit leaves the static alone.
    assert counting.value("fn hit() -> u32 { HITS.fetch_add(10, SeqCst) }\nhit() + hit()") > "0"


def test_a_static_starts_anew_with_the_types_in_it(counting):
    counting.run("struct Line { text: u64 }\n"
                 "static LINES: std::sync::Mutex<Vec<Line>> = std::sync::Mutex::new(Vec::new());")
    counting.run("LINES.lock()?.push(Line { text: 1 });")
    assert counting.value("LINES.lock()?.len()") == "1"
    cell = counting.run("struct Line { text: String }")
    assert "`LINES` starts anew" in cell.stderr
    assert counting.value("LINES.lock()?.len()") == "0"


def test_values_of_threads_stay(counting):
    counting.run("""
    thread_local! {
        static SEEN: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) };
        pub static LEVEL: std::cell::Cell<u8> = std::cell::Cell::new(3)
    }
    """)
    for length in "12":
        assert counting.value("SEEN.with(|s| { s.borrow_mut().push(1); s.borrow().len() })") == length
    counting.run("LEVEL.set(5);")
    assert counting.value("LEVEL.get()") == "5"
    assert counting.value("std::thread::spawn(|| LEVEL.get()).join().unwrap()") == "3"


def test_what_is_computed_once_is_computed_once(counting):
    counting.run("""
    static TABLE: std::sync::LazyLock<Vec<u32>> = std::sync::LazyLock::new(|| { println!("computed"); vec![1, 2] });
    static mut COUNT: u32 = 0;
    static CONFIG: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    static SAME: &std::sync::OnceLock<String> = &CONFIG;
    fn once() -> u32 { static N: AtomicU32 = AtomicU32::new(1); N.fetch_add(1, SeqCst) }
    """)
    assert counting.run("TABLE.len()").stdout == "computed\n"
    assert counting.run("TABLE.len()").stdout == ""
    counting.run('unsafe { COUNT += 2; }\nCONFIG.set("mine".to_owned())?;\nonce();')
    assert counting.value("unsafe { COUNT }") == "2"
    assert counting.value("(CONFIG.get(), SAME.get(), once())") == '(Some("mine"), Some("mine"), 2)'


def test_attributes_leave_a_static_as_it_is(counting):
    counting.run("""
    #[used] static USED: AtomicU32 = AtomicU32::new(0);
    #[cfg(unix)] static OF_UNIX: AtomicU32 = AtomicU32::new(0);
    #[unsafe(link_section = ".data.mine")] static MINE: AtomicU32 = AtomicU32::new(0);
    #[unsafe(no_mangle)] static NAMED: AtomicU32 = AtomicU32::new(0);
    #[unsafe(export_name = "called")] pub(crate) static CALLED: AtomicU32 = AtomicU32::new(0);
    fn attributed() -> [u32; 5] { [&USED, &OF_UNIX, &MINE, &NAMED, &CALLED].map(|of| of.fetch_add(1, SeqCst)) }
    """)
    for number in range(3):
        assert counting.value("attributed()") == str([number] * 5)
    # The name is the user's, for foreign code.
    assert counting.value('unsafe extern "C" { static called: AtomicU32; }\nunsafe { called.load(SeqCst) }') == "3"
    cell = counting.run("#[unsafe(no_mangle)] static NAMED: AtomicU32 = AtomicU32::new(7);")
    assert cell.stderr == "`NAMED` starts anew, because its definition has changed\n"
    assert counting.value("attributed()") == "[3, 3, 3, 7, 3]"


def test_a_static_anywhere_in_an_item_counts_on(counting):
    counting.run("""
    struct Counter;
    impl Counter { fn of_type(&self) -> u32 { static N: AtomicU32 = AtomicU32::new(0); N.fetch_add(1, SeqCst) } }
    trait Counts { fn of_trait(&self) -> u32 { static N: AtomicU32 = AtomicU32::new(0); N.fetch_add(1, SeqCst) } }
    impl Counts for Counter {}
    mod inner { pub fn of_module() -> u32 { static mut N: u32 = 0; unsafe { N += 1; N - 1 } } }
    const OF_CONST: fn() -> u32 = {
        static N: AtomicU32 = AtomicU32::new(0);
        fn next() -> u32 { N.fetch_add(1, SeqCst) }
        next
    };
    fn of_any<T>(_: T) -> u32 { static N: AtomicU32 = AtomicU32::new(0); N.fetch_add(1, SeqCst) }
    fn of_closure() -> u32 { let next = || { static N: AtomicU32 = AtomicU32::new(0); N.fetch_add(1, SeqCst) }; next() }
    fn of_key() -> u32 { thread_local! { static N: std::cell::Cell<u32> = const { std::cell::Cell::new(0) } } N.replace(N.get() + 1) }
    fn anywhere() -> [u32; 7] {
        [Counter.of_type(), Counter.of_trait(), inner::of_module(), OF_CONST(), of_any('a'), of_closure(), of_key()]
    }
    """)
    for number in range(3):
        assert counting.value("anywhere()") == str([number] * 7)
    # Any type counts in the same static.
    assert counting.value("of_any(1)") == "3"


def test_a_static_starts_anew_with_the_items_beside_it(counting):
    store = """
    fn stored(n: u64) -> String {
        struct Entry { what: %s }
        static ENTRY: std::sync::Mutex<Option<Entry>> = std::sync::Mutex::new(None);
        let mut entry = ENTRY.lock().unwrap();
        let text = format!("{:?}", entry.as_ref().map(|entry| entry.what.clone()));
        *entry = Some(Entry { what: %s });
        text
    }
    """
    counting.run(store % ("u64", "n"))
    assert [counting.value(f"stored({n})") for n in (5, 6)] == ['"None"', '"Some(5)"']
    cell = counting.run(store % ("String", "n.to_string()"))
    assert cell.stderr == "`stored::ENTRY` starts anew, because its definition has changed\n"
    assert [counting.value(f"stored({n})") for n in (7, 8)] == ['"None"', '"Some(\\"7\\")"']


def test_a_static_among_statements_belongs_to_its_cell(counting):
    cell = "{ static HERE: AtomicU32 = AtomicU32::new(0); HERE.fetch_add(1, SeqCst) }"
    assert [counting.value(cell), counting.value(cell)] == ["0", "0"]


def test_a_static_that_a_macro_makes_counts_on(counting):
    counting.run("""
    macro_rules! next { () => {{ static N: AtomicU32 = AtomicU32::new(0); N.fetch_add(1, SeqCst) }} }
    macro_rules! counters { ($($name:ident: $start:expr),*) => { $(static $name: AtomicU32 = AtomicU32::new($start * 10);)* } }
    macro_rules! key { ($name:ident) => { thread_local! { static $name: std::cell::Cell<u32> = std::cell::Cell::new(0); } } }
    counters!(FIRST: 0, SECOND: 1 + 1);
    #[allow(dead_code)] key!(KEY);
    fn both() -> (u32, u32) { (next!(), next!() + 100) }
    """)
    made = "(both(), FIRST.fetch_add(1, SeqCst), SECOND.fetch_add(1, SeqCst), KEY.replace(KEY.get() + 1))"
    assert counting.value(made) == "((0, 100), 0, 20, 0)"
    assert counting.value(made) == "((1, 101), 1, 21, 1)"
    counting.run(f"%memit -r 2 {made}")
    assert counting.value(made) == "((2, 102), 2, 22, 2)"
    counting.run("%undo")
    assert counting.value(made) == "((2, 102), 2, 22, 2)"
    cell = counting.run("counters!(FIRST: 0, SECOND: 2);")
    assert cell.stderr == "`SECOND` starts anew, because its definition has changed\n"
    assert counting.value(made) == "((3, 103), 3, 20, 3)"


def test_an_error_in_a_call_that_makes_statics_is_at_its_place(counting):
    counting.run("macro_rules! lazy { ($name:ident: $of:ty = $value:expr) => {"
                 " static $name: std::sync::LazyLock<$of> = std::sync::LazyLock::new(|| $value); } }")
    error = counting.fails('lazy!(WRONG: u32 = {\n    let n: u32 = "a";\n    n\n});', "CompileError")
    assert " --> cell:2:18" in error.traceback
    counting.run("lazy!(LATE: u32 = {\n    let none: Vec<u32> = vec![];\n    none[0]\n});")
    error = counting.fails("*LATE", "Panic")
    assert ":3:9" in error.traceback


def test_a_lazy_static_is_computed_once(counting):
    lazy = """
    lazy_static::lazy_static! {
        /// What each user has seen.
        static ref SEEN_BY: std::sync::Mutex<Vec<u8>> = {
            println!("computed");
            std::sync::Mutex::new(vec![%d])
        };
        static ref OTHER: std::sync::Mutex<Vec<u8>> = std::sync::Mutex::new(vec![]);
    }
    """
    counting.run(':dep lazy_static = "1"\n' + lazy % 1)
    lengths = """
    OTHER.lock()?.push(1);
    SEEN_BY.lock()?.push(2);
    println!("{} {}", OTHER.lock()?.len(), SEEN_BY.lock()?.len());
    """
    assert counting.run(lengths).stdout == "computed\n1 2\n"
    assert counting.run(lengths).stdout == "2 3\n"
    cell = counting.run(lazy % 3 + lengths)
    assert cell.stdout == "computed\n3 2\n"
    assert cell.stderr == "`SEEN_BY` starts anew, because its definition has changed\n"


def test_a_static_that_cells_cannot_share_is_told_once(counting):
    counting.run("macro_rules! count_and { ($e:expr) => {{"
                 " static N: AtomicU32 = AtomicU32::new(0); let n = N.fetch_add(1, SeqCst); (n, $e) }} }\n"
                 # The variables `n` of the macro and of the function are different ones.
                 "fn told(n: u32) -> (u32, u32) { count_and!(n) }")
    cells = [counting.run("println!(\"{:?}\", told(7));") for _ in range(3)]
    assert [cell.stdout for cell in cells] == ["(0, 7)\n"] * 3
    assert [cell.stderr for cell in cells] == [
        "",
        "`told::N` starts anew in each cell: cells cannot share this static, because a macro or an attribute makes it\n",
        "",
    ]
