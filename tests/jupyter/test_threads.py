"""A session with threads cannot be forked: measurements run in place and say so."""

import pytest


@pytest.fixture
def kernel(module_kernel):
    yield module_kernel
    module_kernel.check_nothing_is_left()


@pytest.fixture(scope="module", autouse=True)
def a_thread(module_kernel):
    module_kernel.run(
        "let in_place = vec![1u8; 1 << 20]; let mut changing = vec![1u8];"
        "std::thread::spawn(|| loop { std::thread::park() });"
    )


def test_memit_runs_in_place_and_says_so(kernel):
    cell = kernel.run("%memit in_place.clone()")
    assert "ran in place: the session has 2 threads, so it could not be forked, and changes of variables stay" in cell.text
    assert cell.json["isolated"] is False
    assert cell.json["threads"] == 2
    for run in cell.json["runs"]:
        assert 1 << 20 <= run["heap_peak"] < (1 << 20) + 8192
        assert run["allocations"] == 1


def test_memit_in_place_measures_what_a_fork_would(kernel):
    for run in kernel.run("%memit vec![1u8; 100 << 20]").json["runs"]:
        assert abs(run["increment"] - (100 << 20)) < 256 << 10
        assert 0 <= run["heap_peak"] - (100 << 20) < 8192


def test_timeit_runs_in_place_and_says_so(kernel):
    cell = kernel.run("%timeit -r 2 -n 10 in_place.clone()")
    assert "ran in place: the session has 2 threads" in cell.text
    assert cell.json["isolated"] is False
    assert cell.json["memory"]["allocations"] == 1


@pytest.mark.parametrize("code, lines", [
    ('%timeit -r 3 println!("noise")', 1),
    ('%timeit -n 5 -r 3 println!("noise")', 5),
    ('%memit -r 3 println!("noise")', 1),
    ('%%timeit --fresh -r 2 let x = 1;\nprintln!("noise")', 1),
])
def test_what_a_snippet_prints_in_place_is_shown_once(kernel, code, lines):
    assert kernel.run(code).stdout == "noise\n" * lines
    assert kernel.run('println!("after")').stdout == "after\n"


def test_growth_in_place_is_told(kernel):
    cell = kernel.run("%timeit -n 3000000 -r 2 changing.push(1)")
    assert "and the session keeps that" in cell.text
    assert cell.json["grown"] > 1 << 20
    kernel.run("changing.truncate(1); changing.shrink_to_fit();")


def test_only_threads_of_the_statement_are_waited_for(kernel):
    work = "let v = std::hint::black_box(vec![1u8; 20 << 20]); std::thread::sleep(std::time::Duration::from_millis(50)); v.len()"
    data = kernel.run(f"%memit -r 1 std::thread::spawn(|| {{ {work} }})").json
    assert data["runs"][0]["heap_peak"] >= 20 << 20
    assert data["outlasting"] == 0


@pytest.mark.parametrize("magic", ["%memit", "%timeit"])
def test_consuming_a_variable_in_place_is_an_error_that_says_why(kernel, magic):
    cell = kernel.fails(f"{magic} drop(in_place)", "CompileError")
    assert "the session has 2 threads, so it cannot be forked" in cell.traceback
    assert "Work on a clone" in cell.traceback
    assert kernel.value("in_place.len()") == "1048576"


def test_a_panic_in_place_is_an_error_and_variables_are_kept(kernel):
    cell = kernel.fails('%memit panic!("in place")', "Panic")
    assert cell.content["evalue"] == "in place"
    assert kernel.value("in_place.len()") == "1048576"


def test_an_interrupt_between_runs_in_place_keeps_the_session(kernel):
    for attempt in range(5):
        cell = kernel.start('%memit -r 1000000 println!("run")')
        kernel.wait_for(cell, lambda cell: "run\n" in cell.stdout)
        for _ in range(attempt):
            kernel.ask("kernel_info_request", channel="control")
        kernel.interrupt()
        kernel.finish(cell)
        assert cell.content["ename"] == "KeyboardInterrupt"
        assert kernel.value("in_place.len()") == "1048576"


def test_threads_that_come_and_go_are_noticed(fresh_kernel):
    kernel = fresh_kernel
    # A thread that the cell itself has started just before.
    cell = kernel.run(
        "let (stop, wait) = std::sync::mpsc::channel::<()>();"
        "let ending = std::thread::spawn(move || { let _ = wait.recv(); });\n"
        "%memit -r 1 vec![1u8; 1000]"
    )
    assert cell.json["isolated"] is False
    kernel.run("drop(stop); ending.join().unwrap();")
    assert kernel.run("%memit -r 1 vec![1u8; 1000]").json["isolated"] is True

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


def test_the_session_says_that_the_next_cell_is_not_protected(kernel):
    kernel.run("let changed_with_threads = 1;")
    text = kernel.run("%session").text
    assert "threads:      2" in text
    assert "protected:    no: a process with more than one thread cannot be copied" in text
    assert "%undo:        no: the last cell that changed the session has no checkpoint" in text


def test_a_panic_of_a_cell_keeps_what_it_has_not_used(kernel):
    cell = kernel.fails('let of_the_cell = 1; panic!("unprotected")', "Panic")
    assert cell.content["evalue"] == "unprotected"
    assert "what it has changed stays changed" in cell.traceback
    assert kernel.value("in_place.len()") == "1048576"


def test_errors_name_changes_that_stay(kernel):
    for code in [
        "changing.push(1); panic!()",
        'changing.push(1); std::fs::File::open("none")?;',
        "%memit -r 1 { changing.push(1); panic!() }",
        '%timeit { changing.push(1); std::fs::File::open("none")?; }',
        "%mprof { changing.push(1); panic!() }",
    ]:
        before = int(kernel.value("changing.len()"))
        cell = kernel.fails(code)
        assert cell.traceback.count("stays changed") == 1, cell.traceback
        assert int(kernel.value("changing.len()")) > before


def test_a_cell_that_was_not_protected_cannot_be_undone(kernel):
    kernel.run("let unprotected = 1;")
    cell = kernel.fails("%undo", "UndoError")
    assert "no checkpoint" in cell.traceback
    assert kernel.value("unprotected") == "1"


def test_only_a_second_interrupt_ends_the_session_process(fresh_kernel):
    kernel = fresh_kernel
    kernel.run(
        "let lost = 1; fn kept() -> u8 { 7 } std::thread::spawn(|| loop { std::thread::park() });"
    )
    cell = kernel.start('println!("running"); loop { std::hint::spin_loop() }')
    kernel.wait_for(cell, lambda cell: cell.stdout)
    kernel.interrupt()
    kernel.wait_for(cell, lambda cell: "Interrupt again within 5 s" in cell.stderr)
    assert not cell.done
    kernel.interrupt()
    kernel.finish(cell)
    assert cell.content["ename"] == "KeyboardInterrupt"
    assert "its variables are lost" in cell.traceback
    assert kernel.value("kept()") == "7"
    kernel.fails("lost", "CompileError")
    assert "protected:    yes" in kernel.run("%session").text


def test_a_crash_with_threads_says_what_is_lost(fresh_kernel):
    kernel = fresh_kernel
    kernel.run(
        "let lost = 1; fn kept() -> u8 { 7 } std::thread::spawn(|| loop { std::thread::park() });"
    )
    cell = kernel.fails("std::process::abort()", "ProcessEnded")
    assert "SIGABRT" in cell.content["evalue"]
    assert "its variables are lost" in cell.traceback
    assert kernel.value("kept()") == "7"


def test_a_thread_that_a_cell_starts_does_not_unprotect_that_cell(fresh_kernel):
    kernel = fresh_kernel
    kernel.run("let kept = 1;")
    kernel.fails(
        'std::thread::spawn(|| loop { std::thread::park() }); panic!("with a thread")', "Panic"
    )
    assert kernel.value("kept") == "1"
    assert "threads:      1" in kernel.run("%session").text
