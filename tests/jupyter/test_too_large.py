"""Whatever the size of what a cell shows, and whatever happens to the supervisor, the session goes on."""

import os
import signal
import time

import pytest

from client import TIMEOUT
from test_output import SHOW


def check_the_session_goes_on(kernel):
    assert kernel.value("kept") == "5"
    assert kernel.value("1 + 1") == "2"


@pytest.fixture(scope="module", autouse=True)
def a_session(module_kernel):
    module_kernel.run("let kept = 5;")
    module_kernel.run(
        "struct Long;\n"
        "impl std::fmt::Display for Long { fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {\n"
        "    for _ in 0..300 { f.write_str(&\"x\".repeat(1 << 20))?; } Ok(()) } }\n"
    )


@pytest.fixture
def kernel(module_kernel):
    yield module_kernel
    module_kernel.check_nothing_is_left()


@pytest.mark.parametrize(
    ("code", "begins"),
    [
        ("vec![1u8; 100 << 20]", "[1, 1, 1, 1, "),
        ('"long ".repeat(60 << 20)', '"long long '),
        ("(0..12_000_000u64).map(Some).collect::<Vec<_>>()", "[Some(0), Some(1), "),
    ],
)
def test_a_value_with_hundreds_of_mib_of_text_is_cut(kernel, code, begins):
    cell = kernel.run(code)
    assert cell.result.startswith(begins)
    assert 16 << 20 <= len(cell.result.encode()) < 17 << 20
    assert "MiB more of text are not shown]" in cell.result[-100:]
    check_the_session_goes_on(kernel)


def test_a_value_of_some_mib_is_whole(kernel):
    assert len(kernel.run("vec![1u8; 4 << 20]").result) == 3 * (4 << 20)


def test_a_rich_output_that_is_too_large_is_named(kernel):
    kernel.run(SHOW)
    cell = kernel.run('show(&"<b>".repeat(100 << 20)); kept')
    assert cell.displays[0]["text/plain"] == "[text/html of 300 MiB is too large to show: the limit is 32 MiB]"
    assert cell.result == "5"
    check_the_session_goes_on(kernel)


@pytest.mark.parametrize(
    ("code", "ename", "begins"),
    [
        ('panic!("{Long}")', "Panic", "xxx"),
        ("assert_eq!(vec![1u8; 60 << 20], vec![2u8; 60 << 20]);", "Panic", "assertion `left == right` failed"),
        ("Err(Long)?", "Error", "xxx"),
        ('%memit panic!("{Long}")', "Panic", "xxx"),
    ],
)
def test_a_message_of_hundreds_of_mib_keeps_its_beginning(kernel, code, ename, begins):
    cell = kernel.fails(code)
    assert cell.content["ename"] == ename or "%memit" in code
    assert cell.content["evalue"].startswith(begins) or "%memit" in code
    assert len(cell.content["evalue"]) < 2 << 20
    check_the_session_goes_on(kernel)


def test_a_question_with_an_endless_prompt_is_text(kernel):
    cell = kernel.run('print!("EVCXR_INPUT_REQUEST:{}", "?".repeat(20 << 20)); println!();')
    assert len(cell.stdout) == len("EVCXR_INPUT_REQUEST:\n") + (20 << 20)
    check_the_session_goes_on(kernel)


GETPPID = 'unsafe extern "C" { fn getppid() -> i32; fn kill(pid: i32, signal: i32) -> i32; }\n'


def test_if_the_supervisor_dies_the_next_cell_starts_a_new_session(fresh_kernel):
    kernel = fresh_kernel
    kernel.run("fn item() -> u8 { 9 }\nlet lost = 1;")
    # The session process is its child, and so are the checkpoints.
    cell = kernel.fails(GETPPID + "unsafe { kill(getppid(), 9) }; loop {}", "ProcessEnded")
    assert "Variables are lost, items and dependencies are kept" in cell.traceback
    cell = kernel.run("item()")
    assert cell.result == "9"
    assert "a new session has started: variables are lost" in cell.stderr
    cell = kernel.run("let again = 2; item()")
    assert (cell.result, cell.stderr) == ("9", "")
    kernel.fails("lost", "CompileError")
    kernel.fails("panic!()", "Panic")
    assert kernel.value("again") == "2"


def test_if_the_supervisor_is_killed_between_cells_too(fresh_kernel):
    kernel = fresh_kernel
    kernel.run("let lost = 1;")
    supervisor = int(kernel.run(GETPPID + "unsafe { getppid() }").result)
    os.kill(supervisor, signal.SIGKILL)
    end = time.monotonic() + TIMEOUT
    while os.path.exists(f"/proc/{supervisor}/exe") and time.monotonic() < end:
        time.sleep(0.01)
    cell = kernel.run("40 + 2")
    assert cell.result == "42"
    assert "a new session has started" in cell.stderr


def test_bytes_that_are_no_report_end_the_cell_and_not_the_session(kernel):
    cell = kernel.execute(
        "unsafe extern \"C\" { fn write(fd: i32, bytes: *const u8, length: usize) -> isize; fn fcntl(fd: i32, command: i32) -> i32; }\n"
        "for fd in 3..64 {\n"
        "    // Only pipes that are open for writing.\n"
        '    let is_pipe = std::fs::read_link(format!("/proc/self/fd/{fd}")).is_ok_and(|to| to.to_string_lossy().starts_with("pipe:"));\n'
        "    if is_pipe && unsafe { fcntl(fd, 3) } & 3 == 1 { unsafe { write(fd, [0xffu8; 64].as_ptr(), 64) }; }\n"
        "}"
    )
    assert cell.content["status"] == "error"
    assert "have a problem" in cell.stderr
    check_the_session_goes_on(kernel)
