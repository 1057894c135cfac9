"""Dependencies are linked once: what they keep stays from cell to cell."""

import re

import pytest

LOGGER = """
:dep log = "0.4"
:dep env_logger = { version = "0.11", default-features = false }
let target = env_logger::Target::Stdout;
env_logger::Builder::new().filter_level(log::LevelFilter::Info).target(target).init();
log::info!("one");
"""
THREADS = "std::fs::read_dir(\"/proc/self/task\")?.count()"
SUM = "(0..{}u64).into_par_iter().sum::<u64>()"


def crate(directory, name, source, build=None):
    """A `:dep` line for a crate with this source."""
    (directory / name / "src").mkdir(parents=True, exist_ok=True)
    manifest = f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2024"\n'
    (directory / name / "Cargo.toml").write_text(manifest)
    (directory / name / "src" / "lib.rs").write_text(source)
    if build:
        (directory / name / "build.rs").write_text(build)
    return f':dep {name} = {{ path = "{directory / name}" }}\n'


@pytest.fixture(scope="module")
def logging(module_kernel):
    """A kernel with a logger, which a cell has set up."""
    assert "INFO  ctx] one" in module_kernel.run(LOGGER).stdout
    return module_kernel


def test_a_logger_stays(logging):
    assert "INFO  ctx] two" in logging.run('log::info!("two");').stdout
    assert logging.fails("env_logger::init();", "Panic")


def test_a_new_dependency_takes_nothing_away(logging):
    logging.run(':dep serde_json = "1"\nlet json: serde_json::Value = serde_json::from_str("[1, 2]")?;')
    logging.run(':dep ndarray = "0.16"\nlet grid = ndarray::Array2::<f64>::ones((2, 3));')
    assert "INFO  ctx] three" in logging.run('log::info!("three");').stdout
    assert logging.value('format!("{json} {}", grid.sum())') == '"[1,2] 6"'


def test_a_change_of_one_dependency_leaves_the_others_alone(logging, tmp_path):
    counter = "static N: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new({});\n" \
        "pub fn next() -> u32 {{ N.fetch_add(1, std::sync::atomic::Ordering::Relaxed) }}"
    dep = crate(tmp_path, "counted_1", counter.format(1))
    assert logging.value(f"{dep}counted_1::next()") == "1"
    assert logging.value("counted_1::next()") == "2"
    crate(tmp_path, "counted_1", counter.format(10))
    assert logging.value("counted_1::next()") == "10"
    assert logging.value("counted_1::next()") == "11"
    assert "INFO  ctx] four" in logging.run('log::info!("four");').stdout


def test_code_in_c_is_shared(logging, tmp_path):
    build = """
    use std::process::Command;
    fn main() {
        let out = std::env::var("OUT_DIR").unwrap();
        let (source, object) = (format!("{out}/next_1.c"), format!("{out}/next_1.o"));
        std::fs::write(&source, "static int n; int next_1(void) { return ++n; }").unwrap();
        assert!(Command::new("cc").args(["-c", "-fPIC", &source, "-o", &object]).status().unwrap().success());
        let archive = format!("{out}/libnext_1.a");
        assert!(Command::new("ar").args(["crs", &archive, &object]).status().unwrap().success());
        println!("cargo::rustc-link-search=native={out}");
        println!("cargo::rustc-link-lib=static=next_1");
    }
    """
    source = "unsafe extern \"C\" { safe fn next_1() -> i32; }\n" \
        "pub fn next<T>(_: T) -> i32 { next_1() }"
    dep = crate(tmp_path, "in_c_1", source, build)
    assert logging.value(f"{dep}in_c_1::next(())") == "1"
    assert logging.value("in_c_1::next('x')") == "2"
    assert "a copy in each cell" not in logging.run("%session").text


def test_a_dependency_that_cannot_be_shared_is_named(logging, tmp_path):
    source = "unsafe extern \"C\" { safe fn not_there_1(); }\n#[inline(never)] pub fn never() { not_there_1() }\n" \
        "pub fn one() -> u8 { 1 }"
    dep = crate(tmp_path, "incomplete_1", source)
    assert logging.value(f"{dep}incomplete_1::one()") == "1"
    session = logging.run("%session").text
    assert re.search(r"^incomplete_1: a copy in each cell, because .*undefined symbol: not_there_1", session, re.M)
    assert "INFO  ctx] five" in logging.run('log::info!("five {}", incomplete_1::one());').stdout
    assert "log: a copy" not in session


def test_an_error_of_the_linker_is_the_users_own(logging):
    library = '#[link(name = "not_there_2")] unsafe extern "C" {}\nlog::info!("no");'
    logging.fails(library)
    assert "log: a copy" not in logging.run("%session").text
    assert "INFO  ctx] still" in logging.run('log::info!("still");').stdout


def test_a_value_of_a_dependency_displays_itself(logging, tmp_path):
    source = "pub struct Chart;\nimpl Chart { pub fn evcxr_display(&self) {\n" \
        "    println!(\"EVCXR_BEGIN_CONTENT text/html\\n<b>1</b>\\nEVCXR_END_CONTENT\");\n} }"
    assert logging.value("1 + 1") == "2"
    logging.run(crate(tmp_path, "charted_1", source))
    for _ in range(2):
        (shown,) = logging.run("charted_1::Chart").outputs
        assert shown["content"]["data"]["text/html"] == "<b>1</b>"
        assert logging.value("1 + 1") == "2"


def test_undo_takes_the_state_of_a_dependency_back(logging, tmp_path):
    source = "static N: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);\n" \
        "pub fn next() -> u32 { N.fetch_add(1, std::sync::atomic::Ordering::Relaxed) }"
    dep = crate(tmp_path, "undone_1", source)
    assert logging.value(f"{dep}let first_1 = undone_1::next();\nfirst_1") == "1"
    logging.run("let second_1 = undone_1::next();")
    logging.run("%undo")
    assert logging.value("undone_1::next()") == "2"
    # What a measured run changes stays in the run.
    logging.run("%memit -r 3 undone_1::next()")
    assert logging.value("undone_1::next()") == "3"


def test_cells_share_a_pool_and_a_reactor(logging):
    logging.run(':dep rayon = "1"\nuse rayon::prelude::*;')
    assert logging.value(SUM.format(1000)) == "499500"
    threads = logging.value(THREADS)
    assert logging.value(SUM.format(2000)) == "1999000"
    assert logging.value(THREADS) == threads
    logging.run(':dep tokio = { version = "1", features = ["rt-multi-thread", "sync", "time"] }')
    logging.run("let (sender, mut receiver) = tokio::sync::mpsc::channel::<u8>(1);")
    logging.run("""
    let job = tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        sender.send(7).await
    });
    tokio::task::yield_now().await;
    """)
    threads = logging.value(THREADS)
    assert logging.value("receiver.recv().await") == "Some(7)"
    assert logging.value("job.await?") == "Ok(())"
    assert logging.value(THREADS) == threads


def test_locks_and_queues_of_dependencies_work(logging):
    logging.run(':dep parking_lot = "0.12"\n:dep crossbeam = "0.8"')
    logging.run("let lock = std::sync::Arc::new(parking_lot::Mutex::new(0u32));\n"
                "let (sender_2, receiver_2) = crossbeam::channel::unbounded::<u32>();")
    logging.run("let other = lock.clone();\nlet worker = std::thread::spawn(move || {\n"
                "    for n in receiver_2 { *other.lock() += n; }\n});")
    logging.run("for n in 1..=10 { sender_2.send(n)?; }\ndrop(sender_2);\nworker.join().unwrap();")
    assert logging.value("*lock.lock()") == "55"
    assert logging.value("crossbeam::scope(|s| s.spawn(|_| *lock.lock()).join().unwrap()).unwrap()") == "55"
