"""Whatever a cell does, the session goes on as it was before the cell."""

import os
import re
import signal
import time

import pytest


@pytest.fixture(scope="module", autouse=True)
def a_session(module_kernel):
    """Variables of every sort: Copy, owning, not cloneable, mutable, of a type of the session's."""
    module_kernel.run(
        """
        #[derive(Debug)] struct Owner { name: String, file: std::fs::File }
        fn item() -> u8 { 9 }
        """
    )
    module_kernel.run(
        """
        let small = 7u8;
        let mut list = vec![1, 2, 3];
        let owner = Owner { name: "kept".into(), file: std::fs::File::open("/dev/null").unwrap() };
        let shared = std::rc::Rc::new(std::cell::Cell::new(5));
        """
    )


@pytest.fixture
def kernel(module_kernel):
    yield module_kernel
    module_kernel.check_nothing_is_left()


def check_all_is_there(kernel):
    cell = kernel.run(
        "list.push(4); list.pop(); (small, list.len(), owner.name.as_str(), shared.get(), item())"
    )
    assert cell.result == '(7, 3, "kept", 5, 9)'


# Each first does to the variables what it can.
SPOIL = "list.push(4); drop(owner); shared.set(6); let new = 1; "


@pytest.mark.parametrize(
    ("code", "ename", "says"),
    [
        ('panic!("boo")', "Panic", "boo"),
        ("let x: Option<u8> = None; x.unwrap();", "Panic", "called `Option::unwrap()`"),
        ("unsafe { std::ptr::null_mut::<u8>().write_volatile(1) }", "ProcessEnded", "SIGSEGV"),
        ("std::process::abort()", "ProcessEnded", "SIGABRT"),
        (
            'unsafe extern "C" { fn kill(pid: i32, signal: i32) -> i32; } unsafe { kill(0, 9); }',
            "ProcessEnded",
            "SIGKILL",
        ),
        (
            'unsafe extern "C" { fn close(fd: i32) -> i32; } for fd in 3..256 { unsafe { close(fd); } }',
            "ProcessEnded",
            "",
        ),
        ("std::process::exit(3)", "ProcessEnded", "exit code 3"),
        ("std::process::exit(0)", "ProcessEnded", "exit code 0"),
        (
            "#[allow(unconditional_recursion)] fn deep(n: u64) -> u64 "
            "{ std::hint::black_box([n; 100])[0] + deep(n + 1) } println!(\"{}\", deep(0));",
            "ProcessEnded",
            "SIGABRT",
        ),
        (
            "struct Bomb; impl Drop for Bomb { fn drop(&mut self) { panic!(\"in drop\") } } "
            "let bomb = Bomb; panic!(\"first\");",
            "ProcessEnded",
            "SIGABRT",
        ),
        (
            "struct Fuse; impl Drop for Fuse { fn drop(&mut self) { panic!(\"in drop\") } } "
            "drop(Fuse);",
            "Panic",
            "in drop",
        ),
        (
            # A limit on the address space stands in for a small machine.
            "unsafe extern \"C\" { fn setrlimit(which: i32, limit: *const [u64; 2]) -> i32; } "
            "unsafe { setrlimit(9, &[4 << 30, 4 << 30]) }; let mut hog = Vec::new(); "
            "loop { hog.push(vec![1u8; 64 << 20]); }",
            "ProcessEnded",
            "SIGABRT",
        ),
        (
            # What the system does when memory runs out.
            "unsafe extern \"C\" { fn kill(pid: i32, signal: i32) -> i32; } "
            "unsafe { kill(std::process::id() as i32, 9) }; loop {}",
            "ProcessEnded",
            "SIGKILL (killed, by the system when memory runs out)",
        ),
    ],
    ids=[
        "panic", "unwrap", "segfault", "abort", "whole_group", "closed_files", "exit", "exit_0", "stack_overflow",
        "panic_in_drop_while_panicking", "panic_in_drop", "runaway_allocation", "killed",
    ],
)
def test_a_cell_that_fails_changes_nothing(kernel, code, ename, says):
    cell = kernel.fails(SPOIL + code, ename)
    assert says in cell.content["evalue"]
    if ename == "ProcessEnded":
        assert "nothing is lost" in cell.traceback
    check_all_is_there(kernel)
    kernel.fails("new", "CompileError")


@pytest.mark.parametrize(
    "code",
    [
        "loop { std::hint::spin_loop() }",
        "std::thread::sleep(std::time::Duration::from_secs(1000));",
        "std::process::Command::new(\"sleep\").arg(\"1000\").status().unwrap();",
        "let mut hog = Vec::new(); loop { hog.push(vec![1u8; 1 << 20]); "
        "std::thread::sleep(std::time::Duration::from_millis(1)); }",
        "for i in 0u64.. { println!(\"{i}\"); }",
        "unsafe extern \"C\" { fn raise(signal: i32) -> i32; } unsafe { raise(19); }",
    ],
    ids=["loop", "sleep", "child", "growing", "printing", "stopped"],
)
def test_an_interrupted_cell_changes_nothing(kernel, code, report):
    cell = kernel.start(SPOIL + 'println!("running"); ' + code)
    kernel.wait_for(cell, lambda cell: "running\n" in cell.stdout)
    began = time.monotonic()
    kernel.interrupt()
    kernel.finish(cell)
    report("time from an interrupt to idle", [f"{1000 * (time.monotonic() - began):.0f} ms: {code}"])
    assert cell.content["status"] == "error"
    assert cell.content["ename"] == "KeyboardInterrupt"
    assert "nothing is lost" in cell.traceback
    check_all_is_there(kernel)


def test_a_fork_that_comes_to_the_end_of_its_cell_is_no_second_session(kernel):
    kernel.run(
        'unsafe extern "C" {\n'
        "    fn fork() -> i32;\n"
        "    fn waitpid(process: i32, status: *mut i32, options: i32) -> i32;\n"
        "}\n"
        "fn wait(process: i32) { unsafe { waitpid(process, std::ptr::null_mut(), 0); } }\n"
        "match unsafe { fork() } { 0 => list.clear(), child => wait(child) }"
    )
    for _ in range(4):
        check_all_is_there(kernel)
    cell = kernel.run(
        'match unsafe { fork() } { 0 => panic!("in the fork"), child => wait(child) }'
    )
    assert "in the fork" in cell.stderr
    check_all_is_there(kernel)


def test_an_interrupt_while_a_cell_is_compiled_changes_nothing(kernel):
    cell = kernel.start("list.clear(); let interrupted_early = 1;")
    kernel.wait_for(cell, lambda cell: cell.of_type("execute_input"))
    kernel.interrupt()
    kernel.finish(cell)
    if cell.content["status"] == "error":
        assert cell.content["ename"] == "KeyboardInterrupt"
        check_all_is_there(kernel)
    else:
        pytest.skip("the cell was quicker than the interrupt")


def test_sigint_interrupts_too(kernel):
    cell = kernel.start(SPOIL + 'println!("running"); loop {}')
    kernel.wait_for(cell, lambda cell: "running\n" in cell.stdout)
    os.kill(kernel.pid, signal.SIGINT)
    kernel.finish(cell)
    assert cell.content["ename"] == "KeyboardInterrupt"
    check_all_is_there(kernel)


def test_a_child_process_of_an_earlier_cell_outlives_an_interrupt(kernel):
    kernel.run('let mut child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();')
    pid = int(kernel.value("child.id()"))
    cell = kernel.start(
        'std::process::Command::new("sleep").arg("1001").spawn().unwrap(); '
        'println!("running"); loop {}'
    )
    kernel.wait_for(cell, lambda cell: "running\n" in cell.stdout)
    kernel.interrupt()
    kernel.finish(cell)
    assert os.path.exists(f"/proc/{pid}")
    kernel.run("child.kill().unwrap();")


def test_a_panic_that_is_caught_is_no_failure(kernel):
    cell = kernel.run(
        'let caught = std::panic::catch_unwind(|| panic!("told")).is_err(); println!("{caught}");'
    )
    assert cell.stdout == "true\n"
    assert "told" in cell.stderr


class TestUndo:
    def test_variables_items_and_moves_are_taken_back(self, kernel):
        kernel.run("let mut undone = vec![1]; fn version() -> u8 { 1 } let moved = String::from(\"m\");")
        kernel.run("undone.push(2); drop(moved); let later = 1; fn version() -> u8 { 2 } fn extra() {}")
        cell = kernel.run("%undo")
        assert "moved" in cell.text and "later" not in cell.text
        cell = kernel.run("undone.push(9); (undone.clone(), version(), moved.as_str())")
        assert cell.result == '([1, 9], 1, "m")'
        kernel.fails("extra()", "CompileError")
        kernel.fails("later", "CompileError")
        # That cell too: they failed, it did not.
        kernel.run("%undo")
        assert kernel.value("undone") == "[1]"
        check_all_is_there(kernel)

    def test_cells_are_undone_one_right_after_the_other(self, kernel):
        for _ in range(4):
            for value in range(5):
                kernel.run(f"let quick = {value};")
            # The requests wait in a queue, so that the next undo begins when one ends.
            for undo in [kernel.start("%undo") for _ in range(4)]:
                assert kernel.finish(undo).content["status"] == "ok"
            assert kernel.value("quick") == "0"
            kernel.run("%xdel quick")

    def test_there_is_an_end_to_going_back(self, fresh_kernel):
        kernel = fresh_kernel
        cell = kernel.fails("%undo", "UndoError")
        assert "no cell to undo" in cell.traceback
        for value in range(7):
            kernel.run(f"let n = {value};")
        for _ in range(5):
            kernel.run("%undo")
        cell = kernel.fails("%undo", "UndoError")
        assert "no checkpoint" in cell.traceback
        cell = kernel.run("n")
        assert cell.result == "1"


def test_session_tells_what_there_is(kernel):
    cell = kernel.run("%session")
    assert re.search(r"process: +\d+\nmemory: +[\d.]+ MiB resident\nthreads: +1\n", cell.text)
    assert "protected:    yes" in cell.text
    assert "back; checkpoints hold" in cell.text


def test_a_dependency_is_kept(fresh_kernel, tmp_path):
    kernel = fresh_kernel
    crate = tmp_path / "kept_dep"
    (crate / "src").mkdir(parents=True)
    (crate / "Cargo.toml").write_text('[package]\nname = "kept_dep"\nversion = "1.0.0"\nedition = "2024"\n')
    (crate / "src/lib.rs").write_text("pub fn answer() -> u8 { 42 }")
    kernel.run(f':dep kept_dep = {{ path = "{crate}" }}\nkept_dep::answer()')
    kernel.fails("std::process::abort()", "ProcessEnded")
    assert kernel.value("kept_dep::answer()") == "42"
    kernel.run("let after = kept_dep::answer();")
    kernel.run("%undo")
    assert kernel.value("kept_dep::answer()") == "42"
