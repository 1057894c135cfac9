"""A session with threads cannot be forked: measurements run in place and say so."""

import pytest

from client import MEMIT_JSON


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
    assert "ran in place: the session has 2 threads, so it could not be forked" in cell.text
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


@pytest.mark.parametrize("magic", ["%memit", "%timeit"])
def test_consuming_a_variable_in_place_is_an_error_that_says_why(kernel, magic):
    cell = kernel.fails(f"{magic} drop(in_place)", "CompileError")
    assert "the session has 2 threads, so it cannot be forked" in cell.traceback
    assert "Work on a clone" in cell.traceback
    assert kernel.value("in_place.len()") == "1048576"


def test_a_thread_started_by_the_cell_itself_counts(start_kernel):
    kernel = start_kernel().wait_until_subscribed()
    cell = kernel.run(
        "std::thread::spawn(|| loop { std::thread::park() });\n%memit -r 1 vec![1u8; 1000]"
    )
    assert cell.json["isolated"] is False


def test_a_panic_in_place_is_an_error_and_variables_are_kept(kernel):
    cell = kernel.fails('%memit panic!("in place")', "Panic")
    assert cell.content["evalue"] == "in place"
    assert kernel.value("in_place.len()") == "1048576"


def test_an_interrupt_between_runs_in_place_keeps_the_session(kernel):
    cell = kernel.start('%memit -r 1000000 { println!("run"); }')
    kernel.wait_for(cell, lambda cell: "run\n" in cell.stdout)
    kernel.interrupt()
    kernel.finish(cell)
    assert cell.content["ename"] == "KeyboardInterrupt"
    assert kernel.value("in_place.len()") == "1048576"


def test_text_of_a_background_thread_appears_below_its_cell(start_kernel):
    kernel = start_kernel().wait_until_subscribed()
    cell = kernel.start(
        """
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let talker = std::thread::spawn(move || { wait.recv().unwrap(); println!("late"); });
        """
    )
    kernel.wait_for(cell, lambda cell: cell.done)
    later = kernel.run("go.send(()).unwrap(); talker.join().unwrap();")
    assert "late\n" in cell.stdout + later.stdout
    kernel.forget(cell)
    kernel.stray.clear()


def test_after_the_last_thread_has_ended_runs_are_isolated_again(start_kernel):
    kernel = start_kernel().wait_until_subscribed()
    kernel.run(
        "let (stop, wait) = std::sync::mpsc::channel::<()>();"
        "let ending = std::thread::spawn(move || { let _ = wait.recv(); });"
    )
    assert kernel.run("%memit 1").json["isolated"] is False
    kernel.run("drop(stop); ending.join().unwrap();")
    cell = kernel.run("%memit 1")
    assert cell.display[MEMIT_JSON]["isolated"] is True
