"""Threads of a session are copied with it: cells are protected, and measured runs are forks."""

import pytest

# A thread that adds up what it is sent, and answers with the sum so far.
WORKER = """
let (numbers, received) = std::sync::mpsc::channel::<u64>();
let (sums, answers) = std::sync::mpsc::channel::<u64>();
let worker = std::thread::Builder::new().name("adder".into()).spawn(move || {
    let mut sum = 0;
    for number in received {
        sum += number;
        let boxed = std::hint::black_box(Box::new([sum; 1000]));
        sums.send(boxed[0]).unwrap();
    }
    sum
}).unwrap();
"""


@pytest.fixture
def kernel(module_kernel):
    yield module_kernel
    module_kernel.check_nothing_is_left()


@pytest.fixture(scope="module", autouse=True)
def a_worker(module_kernel):
    module_kernel.run(WORKER)
    module_kernel.run("let kept = vec![1u8; 1 << 20]; let mut changed = vec![0];")


def added(kernel, number):
    """The sum of the worker, when it has added a number."""
    return int(kernel.value(f"{{ numbers.send({number}).unwrap(); answers.recv().unwrap() }}"))


ADD = "{ numbers.send(5).unwrap(); answers.recv().unwrap() }"


@pytest.mark.parametrize("magic", ["%memit -r 3", "%timeit -n 10 -r 3", "%mprof", "%lprun -f ask", "%mprun -f ask"])
def test_a_run_is_a_fork_with_a_worker_of_its_own(kernel, magic):
    kernel.run("fn ask(to: &std::sync::mpsc::Sender<u64>) -> usize {\n    to.send(1).unwrap();\n    1\n}")
    before = added(kernel, 0)
    statement = "{ ask(&numbers); answers.recv().unwrap() }"
    cell = kernel.run(f"{magic} {statement}")
    assert (cell.json["isolated"], cell.json["threads"]) == (True, 2)
    assert "in place" not in cell.text
    # The worker of the session has not noticed.
    assert added(kernel, 0) == before


def test_the_heap_of_all_threads_is_counted(kernel):
    data = kernel.run(f"%memit -r 3 {ADD}").json
    assert {run["heap_peak"] >= 8000 for run in data["runs"]} == {True}
    assert len({run["allocations"] for run in data["runs"]}) == 1


@pytest.mark.parametrize("statement", ["drop(kept)", "{ drop(numbers); worker.join().unwrap() }"])
def test_a_run_may_use_up_variables(kernel, statement):
    assert kernel.run(f"%memit -r 2 {statement}").json["isolated"] is True
    assert kernel.value("kept.len()") == str(1 << 20)
    added(kernel, 1)


@pytest.mark.parametrize(
    "end, name",
    [
        ('panic!("no")', "Panic"),
        ('std::fs::File::open("none")?;', "Returned"),
        ("std::process::abort()", "ProcessEnded"),
        ("std::process::exit(3)", "ProcessEnded"),
    ],
)
def test_a_cell_that_fails_has_changed_no_thread(kernel, end, name):
    before = added(kernel, 0)
    cell = kernel.fails(f"numbers.send(7).unwrap(); answers.recv().unwrap(); changed.push(1); {end}")
    assert "changed" not in cell.traceback.replace("changed.push", "")
    assert added(kernel, 1) == before + 1
    assert kernel.value("changed.len()") == "1"
    assert "protected:    yes" in kernel.run("%session").text


def test_an_interrupt_takes_the_session_back_to_before_the_cell(kernel):
    before = added(kernel, 0)
    cell = kernel.start(f'{ADD}; println!("added"); loop {{ std::hint::spin_loop() }}')
    kernel.wait_for(cell, lambda cell: "added" in cell.stdout)
    kernel.interrupt()
    kernel.finish(cell)
    assert cell.content["ename"] == "KeyboardInterrupt"
    assert added(kernel, 0) == before


def test_undo_takes_threads_back(kernel):
    before = added(kernel, 0)
    kernel.run(f"changed.push({ADD} as i32);")
    kernel.run("%undo")
    assert added(kernel, 0) == before
    assert kernel.value("changed.len()") == "1"


def test_a_handle_is_joined_behind_a_failure(fresh_kernel):
    kernel = fresh_kernel
    kernel.run(
        "let (stop, wait) = std::sync::mpsc::channel::<()>();"
        "let ending = std::thread::spawn(move || { let _ = wait.recv(); 42 });"
    )
    kernel.fails("panic!()")
    kernel.fails("std::process::abort()")
    assert kernel.value("{ drop(stop); ending.join().unwrap() }") == "42"
    assert "threads:      1" in kernel.run("%session").text


def test_time_passes_for_a_thread_that_sleeps(fresh_kernel):
    kernel = fresh_kernel
    kernel.run(
        "let began = std::time::Instant::now();"
        "let sleeper = std::thread::spawn(|| std::thread::sleep(std::time::Duration::from_millis(400)));"
    )
    for _ in range(3):
        kernel.run("%memit -r 1 1")
    kernel.fails("panic!()")
    kernel.run("sleeper.join().unwrap(); assert!(began.elapsed().as_millis() >= 400);")


def test_threads_that_come_and_go_are_noticed(fresh_kernel):
    kernel = fresh_kernel
    # A thread that the cell itself has started just before.
    cell = kernel.run(
        "let (stop, wait) = std::sync::mpsc::channel::<()>();"
        "let ending = std::thread::spawn(move || { let _ = wait.recv(); });\n"
        "%memit -r 1 vec![1u8; 1000]"
    )
    assert (cell.json["isolated"], cell.json["threads"]) == (True, 2)
    kernel.run("drop(stop); ending.join().unwrap();")
    assert kernel.run("%memit -r 1 vec![1u8; 1000]").json["threads"] == 1

    # What a thread prints after the end of its cell is shown, below that cell or the next.
    early = kernel.start(
        """
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let talker = std::thread::spawn(move || { wait.recv().unwrap(); println!("late"); });
        """
    )
    kernel.wait_for(early, lambda early: early.done)
    later = kernel.run("go.send(()).unwrap(); talker.join().unwrap();")
    stray = [message["content"].get("text") for message in kernel.stray]
    assert [early.stdout, later.stdout, *stray].count("late\n") == 1
    kernel.forget(early)
    kernel.stray.clear()


def test_a_thread_may_print_while_the_kernel_asks(fresh_kernel):
    kernel = fresh_kernel
    # The thread goes on printing while the cell is answered.
    first = kernel.start(
        "let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false)); {"
        "let stop = stop.clone(); std::thread::spawn(move || "
        'while !stop.load(std::sync::atomic::Ordering::Relaxed) { print!("."); '
        "std::io::Write::flush(&mut std::io::stdout()).unwrap(); "
        "std::thread::sleep(std::time::Duration::from_micros(200)); }); }"
    )
    kernel.wait_for(first, lambda cell: cell.reply and cell.idle)
    assert first.content["status"] == "ok"
    for _ in range(100):
        cell = kernel.start("%session")
        kernel.wait_for(cell, lambda cell: cell.reply)
        assert cell.content["status"] == "ok"
    last = kernel.start("stop.store(true, std::sync::atomic::Ordering::Relaxed);")
    kernel.wait_for(last, lambda cell: cell.reply and cell.idle)
    # What the thread has printed between the cells belongs to none of them.
    kernel.requests.clear()
    kernel.stray.clear()


def test_a_thread_that_a_cell_starts_ends_with_the_cell_that_fails(fresh_kernel):
    kernel = fresh_kernel
    kernel.run("let kept = 1;")
    kernel.fails(
        'std::thread::spawn(|| loop { std::thread::park() }); panic!("with a thread")', "Panic"
    )
    assert kernel.value("kept") == "1"
    assert "threads:      1" in kernel.run("%session").text
