"""Cells that `.await`, run again and beside a runtime of the user's own."""

import re

import pytest

TOKIO = ':dep tokio = { version = "1", features = ["rt-multi-thread", "time", "macros"] }\n'

JOBS = """
let jobs: Vec<tokio::task::JoinHandle<u32>> = (0..3)
    .map(|i| tokio::spawn(async move { tokio::time::sleep(std::time::Duration::from_millis(10)).await; i }))
    .collect();
let mut sum = 0;
for job in jobs { sum += job.await.unwrap(); }
sum
"""


@pytest.fixture(scope="module")
def awaiting(module_kernel):
    module_kernel.run("async fn answer() -> Result<u32, std::fmt::Error> { Ok(42) }")
    # evcxr adds tokio by itself, with fewer features than the next cell asks for.
    assert module_kernel.run("let n = answer().await?;\nn").result == "42"
    module_kernel.run(TOKIO + "let first = answer().await?;")
    return module_kernel


def test_a_cell_that_awaits_can_be_run_again(awaiting):
    for _ in range(3):
        assert awaiting.run(JOBS).result == "3"


def test_a_cell_without_an_await_starts_tasks(awaiting):
    sleep = "tokio::time::sleep(std::time::Duration::from_millis(5)).await"
    awaiting.run(f"let later = tokio::spawn(async {{ {sleep}; 21 }});")
    awaiting.run("fn start() -> tokio::task::JoinHandle<u8> { tokio::spawn(async { 3 }) }\nlet started = start();")
    assert awaiting.value("(later.await?, started.await?)") == "(21, 3)"
    # Nothing blocks: a runtime works and ends in such a cell, too.
    own = "let own = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;"
    assert awaiting.value(f"{{ {own} let job = tokio::spawn(async {{ 4 }}); own.block_on(job)? }}") == "4"


def test_a_runtime_of_the_users_own_works_after_an_await(awaiting):
    awaiting.run("let rt = tokio::runtime::Builder::new_current_thread().enable_all().build()?;")
    sleep = "tokio::time::sleep(std::time::Duration::from_millis(5)).await"
    assert awaiting.value(f"rt.block_on(async {{ {sleep}; 7 }})") == "7"
    assert awaiting.value("tokio::runtime::Runtime::new().unwrap().block_on(async { 8 })") == "8"
    assert awaiting.run("%timeit -n 1 -r 1 rt.block_on(async { 9 })").json["loops"] == 1


def test_a_pasted_program_with_a_runtime_runs(awaiting):
    awaiting.run("fn main() { tokio::runtime::Runtime::new().unwrap().block_on(async { println!(\"run\") }) }")
    assert awaiting.run("main()").stdout == "run\n"


def test_a_question_mark_in_a_cell_without_an_await_ends_the_cell(awaiting):
    error = awaiting.fails("let kept = 1;\n\"x\".parse::<i32>()?;", "Error")
    assert "invalid digit" in error.content["evalue"]
    awaiting.fails("kept", "CompileError")


def test_a_session_that_has_awaited_is_measured_in_forks(awaiting):
    assert re.search(r", more than one since cell \d+\n", awaiting.run("%session").text)
    awaiting.run("let big = vec![1u8; 50 << 20];")
    cell = awaiting.run("%memit big.into_iter().map(u16::from).collect::<Vec<_>>()")
    assert cell.json["isolated"] is True and cell.json["threads"] > 1
    assert awaiting.value("big.len()") == str(50 << 20)


def test_tokio_with_other_features_says_what_is_dropped_and_stops_no_task(awaiting):
    awaiting.run(
        "use std::sync::atomic::Ordering::Relaxed;\n"
        "let ticks = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));\nlet counter = ticks.clone();\n"
        "tokio::spawn(async move { loop {\n"
        "    tokio::time::sleep(std::time::Duration::from_millis(1)).await; counter.fetch_add(1, Relaxed);\n"
        "} });\n"
        "let of_before = tokio::runtime::Runtime::new()?;"
    )
    more = TOKIO.replace('"macros"', '"macros", "sync"')
    dropped = "`of_before` was dropped: the crate `tokio`, on which its type depends, changed before cell"
    assert dropped in awaiting.run(more + "1").stderr
    assert "`of_before` was dropped by cell" in awaiting.fails("of_before.block_on(async { 1 })", "CompileError").traceback
    ticks = "{ let before = ticks.load(Relaxed); while ticks.load(Relaxed) < before + 3 { std::thread::yield_now() } 3 }"
    assert awaiting.value(ticks) == "3"
    assert awaiting.run(JOBS).result == "3"
    awaiting.fails("std::process::abort()", "ProcessEnded")
    assert awaiting.value(ticks) == "3"
