"""A session with a thread that cannot be copied: measurements run in place and say so."""

import pytest

from deaf import A_DEAF_THREAD


@pytest.fixture
def kernel(module_kernel):
    yield module_kernel
    module_kernel.check_nothing_is_left()


@pytest.fixture(scope="module", autouse=True)
def a_thread(module_kernel):
    module_kernel.run("let in_place = vec![1u8; 1 << 20]; let mut changing = vec![1u8];" + A_DEAF_THREAD)


def test_memit_runs_in_place_and_says_so(kernel):
    cell = kernel.run("%memit in_place.clone()")
    assert "ran in place, not in a fork of the session" in cell.text
    assert "the session could not be forked, so changes of variables stay: the thread `deaf` (" in cell.text
    assert ") cannot be stopped: the thread blocks signal " in cell.text
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
    assert "ran in place" in cell.text and "the thread `deaf`" in cell.text
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


@pytest.mark.parametrize("magic", ["%memit", "%mprof"])
def test_consuming_a_variable_in_place_is_an_error_that_says_why(kernel, magic):
    cell = kernel.fails(f"{magic} drop(in_place)", "CompileError")
    assert "the session cannot be forked (the thread `deaf`" in cell.traceback
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


def test_the_session_says_that_the_next_cell_is_not_protected(kernel):
    kernel.run("let changed_with_threads = 1;")
    text = kernel.run("%session").text
    assert "threads:      2" in text
    assert "protected:    no: the thread `deaf` (" in text
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
        "let lost = 1; fn kept() -> u8 { 7 }" + A_DEAF_THREAD
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


# A thread whose waits the system ends whenever the thread is asked to stop, and counts how often.
INTERRUPTED = """
unsafe extern "C" { fn pause() -> i32; }
static STOPS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
std::thread::spawn(|| loop { unsafe { pause() }; STOPS.fetch_add(1, std::sync::atomic::Ordering::SeqCst); });
"""


def test_a_thread_that_blocks_signals_is_waited_for_once(fresh_kernel):
    kernel = fresh_kernel
    kernel.run(INTERRUPTED + A_DEAF_THREAD)
    stops = "STOPS.load(std::sync::atomic::Ordering::SeqCst)"
    kernel.run("%memit -r 1 1")
    before = int(kernel.value(stops))
    assert before > 0
    for _ in range(3):
        assert kernel.run("%memit -r 3 1").json["isolated"] is False
    assert int(kernel.value(stops)) == before
    assert "protected:    no: the thread `deaf` (" in kernel.run("%session").text
    # The thread blocks signals no longer.
    kernel.run("listen();")
    assert kernel.run("%memit -r 1 1").json["isolated"] is True
    assert int(kernel.value(stops)) > before
    kernel.fails("std::process::abort()")
    assert "protected:    yes" in kernel.run("%session").text


def test_a_crash_with_threads_says_what_is_lost(fresh_kernel):
    kernel = fresh_kernel
    kernel.run(
        "let lost = 1; fn kept() -> u8 { 7 }" + A_DEAF_THREAD
    )
    cell = kernel.fails("std::process::abort()", "ProcessEnded")
    assert "SIGABRT" in cell.content["evalue"]
    assert "its variables are lost" in cell.traceback
    assert kernel.value("kept()") == "7"
