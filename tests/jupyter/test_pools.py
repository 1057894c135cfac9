"""A pool of rayon and a runtime of tokio: cells that fail leave both as they were, and measured runs have both."""

import pytest

DEPENDENCIES = """
:dep rayon = "1"
:dep tokio = { version = "1", features = ["rt-multi-thread", "sync", "time"] }
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

type Question = (u64, oneshot::Sender<u64>);

async fn ask(to: &mpsc::Sender<Question>, number: u64) -> u64 {
    let (sender, answer) = oneshot::channel();
    to.send((number, sender)).await.unwrap();
    answer.await.unwrap()
}

async fn three_ticks(ticks: &AtomicU64) {
    let before = ticks.load(Relaxed);
    while ticks.load(Relaxed) < before + 3 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
"""
# A task that ticks by a timer, one that adds up what it is asked, and one that waits until `ring` rings.
TASKS = """
let numbers: Vec<u64> = (0..100_000).collect();
let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
let ticks = std::sync::Arc::new(AtomicU64::new(0));
let counter = ticks.clone();
rt.spawn(async move {
    loop {
        tokio::time::sleep(Duration::from_millis(1)).await;
        counter.fetch_add(1, Relaxed);
    }
});
let (asks, mut asked) = mpsc::channel::<Question>(4);
let adder = rt.spawn(async move {
    let mut sum = 0;
    while let Some((number, answer)) = asked.recv().await {
        sum += number;
        let _ = answer.send(sum);
    }
    sum
});
let (ring, rung) = oneshot::channel::<u64>();
let waits = rt.spawn(async move { rung.await.unwrap() });
let mut changed = vec![0_u64];
"""
# The sum so far, when all else works.
EVERYTHING = """{
    assert_eq!(numbers.par_iter().sum::<u64>(), 4_999_950_000);
    assert_eq!(rayon::join(|| 1, || 2), (1, 2));
    rt.block_on(async {
        three_ticks(&ticks).await;
        assert_eq!(tokio::task::spawn_blocking(|| 5).await.unwrap(), 5);
        ask(&asks, 0).await
    })
}"""
ASK = "rt.block_on(ask(&asks, 1))"
DEEP = """fn deep(n: u64) -> u64 {
    let many = std::hint::black_box([n; 100]);
    if many[7] == 0 { 0 } else { 1 + deep(n - 1) + many[3] }
}
"""


@pytest.fixture(scope="module", autouse=True)
def pools(module_kernel):
    module_kernel.run(DEPENDENCIES)
    module_kernel.run(TASKS)


@pytest.fixture
def kernel(module_kernel):
    """The kernel of the file. Each test leaves the session as it was at the beginning."""
    yield module_kernel
    assert module_kernel.value(f"(changed.len(), {EVERYTHING})") == "(1, 0)"
    assert "protected:    yes" in module_kernel.run("%session").text
    module_kernel.check_nothing_is_left()


@pytest.mark.parametrize("statement, name", [
    ('numbers.par_iter().for_each(|n| if *n == 5000 { panic!("in the pool") });', "Panic"),
    ('rt.block_on(async { tokio::spawn(async { panic!("in a task") }).await.unwrap() });', "Panic"),
    ('rt.block_on(async { panic!("in the cell") });', "Panic"),
    ('rt.block_on(async { "no number".parse::<u8>() })?;', "Error"),
    ("numbers.par_iter().for_each(|n| if *n == 5000 { std::process::abort() });", "ProcessEnded"),
    ('rayon::spawn(|| panic!("nobody joins")); loop { std::thread::park() }', "ProcessEnded"),
    ("numbers.par_iter().for_each(|n| if *n == 5000 { unsafe { std::ptr::null_mut::<u8>().write_volatile(1) } });",
     "ProcessEnded"),
    (DEEP + "numbers.par_iter().for_each(|n| assert!(deep(n + (1 << 40)) > 0));", "ProcessEnded"),
    ("rt.block_on(async { tokio::task::spawn_blocking(|| std::process::abort()).await.unwrap() });", "ProcessEnded"),
    ("rt.spawn(async { std::process::exit(3) }); loop { std::thread::park() }", "ProcessEnded"),
    ("rayon::spawn(|| std::process::exit(0)); loop { std::thread::park() }", "ProcessEnded"),
], ids=["pool", "task", "block_on", "question_mark", "abort", "spawn", "segfault", "overflow", "blocking", "exit", "exit_0"])
def test_a_failure_in_a_pool_leaves_the_session_as_it_was(kernel, statement, name):
    cell = kernel.fails(f"changed.push({ASK}); ring.send(1).unwrap(); {statement}", name)
    assert "changed stays" not in cell.traceback


@pytest.mark.parametrize("endless", [
    "numbers.par_iter().for_each(|_| loop { std::hint::spin_loop() });",
    "rayon::scope(|s| s.spawn(|_| loop { numbers.par_iter().map(|n| n ^ 1).sum::<u64>(); }));",
    "rt.block_on(async { loop { tokio::task::yield_now().await } });",
    "rt.block_on(std::future::pending::<()>());",
], ids=["spin", "jobs", "yield", "pending"])
def test_an_interrupt_leaves_the_session_as_it_was(kernel, endless):
    for _ in range(2):
        cell = kernel.start(f'changed.push({ASK}); println!("begun"); {endless}')
        kernel.wait_for(cell, lambda cell: cell.stdout or cell.done)
        kernel.interrupt()
        kernel.finish(cell)
        assert cell.content["ename"] == "KeyboardInterrupt"
        assert "nothing is lost" in cell.traceback


def test_undo_takes_tasks_channels_and_handles_back(kernel):
    for _ in range(2):
        kernel.run(f"changed.push({ASK}); ring.send(8).unwrap();")
        assert kernel.value("rt.block_on(waits)?") == "8"
        kernel.run("drop(rt);")
        for _ in range(3):
            kernel.run("%undo")


MAGICS = ["%memit -r 3", "%timeit -n 3 -r 2", "%mprof", "%mprun -f work", "%lprun -f work"]
STATEMENTS = [
    "work(|| numbers.par_iter().sum::<u64>())",
    "work(|| rt.block_on(ask(&asks, 1)))",
]


@pytest.mark.parametrize("magic", MAGICS)
@pytest.mark.parametrize("statement", STATEMENTS, ids=["rayon", "tokio"])
def test_a_run_is_a_fork_with_pools_of_its_own(kernel, magic, statement):
    kernel.run("fn work(ask: impl Fn() -> u64) -> u64 {\n    let answer = ask();\n    answer + 1\n}")
    cell = kernel.run(f"{magic} {statement}")
    assert cell.json["isolated"] is True and cell.json["threads"] > 3
    assert "in place" not in cell.text


@pytest.mark.parametrize("magic", ["%memit -r 2", "%mprof"])
def test_a_run_may_use_up_pools_and_variables(kernel, magic):
    for statement in ["drop(numbers)", "drop(rt)", "{ drop(asks); rt.block_on(adder)? }", "ring.send(1).unwrap()"]:
        assert kernel.run(f"{magic} {statement}").json["isolated"] is True


def test_the_heap_of_all_threads_repeats_exactly(kernel):
    for statement, bytes, allocations in [
        ("numbers.par_iter().map(|n| n + 1).collect::<Vec<_>>()", 800_000, 1),
        ("numbers.par_chunks(10_000).map(<[u64]>::to_vec).collect::<Vec<_>>()", 800_000, 11),
        ("numbers.par_iter().sum::<u64>()", 0, 0),
    ]:
        runs = kernel.run(f"%memit -r 5 {statement}").json["runs"]
        assert {run["allocations"] for run in runs} == {allocations}, statement
        assert len({run["heap_peak"] for run in runs}) == 1
        assert bytes <= runs[0]["heap_peak"] <= bytes + 10_000
    boxes = "rt.block_on(async { for n in 0..20u8 { rt.spawn(async move { vec![n; 1000] }).await.unwrap(); } })"
    runs = kernel.run(f"%memit -r 5 {boxes}").json["runs"]
    assert len({run["allocations"] for run in runs}) == 1 and runs[0]["allocations"] >= 40


def test_a_failure_in_a_run_leaves_the_session_as_it_was(kernel):
    for statement, name in [
        ('numbers.par_iter().for_each(|n| if *n == 5000 { panic!("in the pool") })', "Panic"),
        ("numbers.par_iter().for_each(|n| if *n == 5000 { std::process::abort() })", "ProcessEnded"),
        ("rt.spawn(async { std::process::exit(3) }); loop { std::thread::park() }", "ProcessEnded"),
    ]:
        kernel.fails(f"%memit {{ {ASK}; {statement} }}")


def test_a_new_dependency_leaves_pools_alone(kernel):
    assert kernel.value(":dep fastrand = \"2\"\nfastrand::Rng::with_seed(1).u8(3..4)") == "3"
