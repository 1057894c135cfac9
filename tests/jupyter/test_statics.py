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
