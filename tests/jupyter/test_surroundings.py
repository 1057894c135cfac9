"""The working directory and the environment of the session, files, and scripts."""

import os
import time

import pytest

from excerpt import pointed_at


@pytest.fixture(scope="module", autouse=True)
def a_session(module_kernel, tmp_path_factory):
    place = tmp_path_factory.mktemp("place").resolve()
    module_kernel.run(f"%cd {place}")
    return place


@pytest.fixture
def kernel(module_kernel, a_session):
    module_kernel.run(f"%cd -q {a_session}")
    yield module_kernel
    module_kernel.check_nothing_is_left()


@pytest.fixture
def place(a_session):
    return a_session


def test_a_cell_is_written_to_a_file(kernel, place):
    text = "a,b\n:dep x\n!ls\n%memit 1\n#[global_allocator]\n\n  é"
    assert kernel.run("%%writefile data.csv\n" + text).stdout == "Writing data.csv\n"
    assert (place / "data.csv").read_text() == text + "\n"
    assert kernel.run("// again\n%%writefile data.csv\nc").stdout == "Overwriting data.csv\n"
    assert kernel.run("%%writefile --append data.csv\nd\n").stdout == "Appending to data.csv\n"
    assert (place / "data.csv").read_text() == "c\nd\n"
    assert kernel.run('%%writefile -a "a b.txt"\nx').stdout == "Writing a b.txt\n"
    assert kernel.value('std::fs::read_to_string("a b.txt")?') == '"x\\n"'


@pytest.mark.parametrize(
    ("code", "message", "under_carets"),
    [
        ("%%writefile none/x\n1", "cannot write to `none/x`", "none/x"),
        ("%cd none", "cannot change to `none`", "none"),
        ("%env NO_SUCH_NAME", "the environment has no variable `NO_SUCH_NAME`", "NO_SUCH_NAME"),
        ("%env =x", "the name of the environment variable is missing", "=x"),
        ("%pwd x", "`%pwd` takes no argument", "x"),
        ("%%bash -x\nls", "unknown option `-x`", "-x"),
        ("%%bash now\nls", "`%%bash` takes no argument", "now"),
        ("%%bash\nexit 3", "`bash` ended with exit code 3", "bash"),
        ("%%sh\nkill -9 $$", "`sh` was ended by signal 9", "sh"),
    ],
)
def test_an_error_says_what_is_wrong_and_where(kernel, code, message, under_carets):
    cell = kernel.fails(code, "MagicError")
    assert message in cell.content["evalue"]
    assert pointed_at(cell.traceback)[2] == under_carets


def test_cells_shell_lines_and_magics_share_a_directory(kernel, place):
    (place / "sub").mkdir()
    assert kernel.run("%cd sub").stdout == f"{place}/sub\n"
    assert kernel.value("%pwd") == f"{place}/sub"
    assert kernel.value("std::env::current_dir()?") == f'"{place}/sub"'
    assert kernel.run("!pwd").stdout == f"{place}/sub\n"
    assert kernel.run("%%sh\npwd; echo $PWD").stdout == f"{place}/sub\n" * 2
    kernel.run("%mprof -q -o here.svg vec![1u8; 1000].len()")
    assert (place / "sub" / "here.svg").exists()
    kernel.run("for _ in 0..1 {\n%mprof -q -o block.svg vec![1u8; 1000].len()\n}")
    assert (place / "sub" / "block.svg").exists()
    assert kernel.run("%cd -").stdout == f"{place}\n"
    assert kernel.run("%cd -").stdout == f"{place}/sub\n"
    assert kernel.run("%cd ..").stdout == f"{place}\n"
    assert kernel.run("%cd -q").stdout == ""
    assert kernel.value("%pwd") == os.path.expanduser("~")


def test_the_directory_survives_a_failed_cell_and_undo_takes_it_back(kernel, place):
    (place / "kept").mkdir()
    kernel.run("%cd kept")
    kernel.fails('let gone = 1; std::env::set_current_dir("/")?; panic!()', "Panic")
    assert kernel.value("%pwd") == f"{place}/kept"
    kernel.fails("%cd /\npanic!()", "Panic")
    assert kernel.value("%pwd") == "/"
    kernel.run("%undo")
    assert kernel.value("%pwd") == f"{place}/kept"
    kernel.run("%undo")
    assert kernel.value("%pwd") == f"{place}"


def test_cells_and_programs_share_an_environment(kernel):
    assert kernel.run("%env MEMIT_GREETING=hello  world ").stdout == "env: MEMIT_GREETING=hello  world\n"
    assert kernel.value("%env MEMIT_GREETING") == '"hello  world"'
    assert kernel.value('std::env::var("MEMIT_GREETING")?') == '"hello  world"'
    assert kernel.run('!echo "$MEMIT_GREETING"').stdout == "hello  world\n"
    kernel.run("%env MEMIT_GREETING bye")
    kernel.fails("panic!()", "Panic")
    assert kernel.run('%%bash\necho "$MEMIT_GREETING"').stdout == "bye\n"
    kernel.run("%env MEMIT_ACCESS_TOKEN=123")
    shown = kernel.run("%env").stdout.splitlines()
    assert "MEMIT_GREETING=bye" in shown and "MEMIT_ACCESS_TOKEN=<hidden>" in shown
    assert shown == sorted(shown)


def test_a_script_has_two_outputs_and_no_input(kernel):
    cell = kernel.run("%%bash\nfor n in 1 2; do\n  echo out $n\ndone\ncat; echo 'it'\"'\"'s \\n' >&2")
    assert cell.stdout == "out 1\nout 2\n"
    assert cell.stderr == "it's \\n\n"
    assert kernel.run("%%bash -n\necho x; exit 3").stdout == "x\n"
    # bash, and no other shell.
    assert kernel.run("%%bash\na=(1 2); echo ${#a[@]}").stdout == "2\n"


def test_a_script_is_seen_while_it_runs_and_is_interrupted(kernel, place):
    kernel.run("let before_script = vec![1, 2];")
    cell = kernel.start("%%bash\necho begun\necho $$ > pid\nsleep 1000; echo never")
    kernel.wait_for(cell, lambda cell: cell.stdout == "begun\n" and (place / "pid").exists())
    kernel.interrupt()
    kernel.finish(cell)
    assert cell.content["ename"] == "KeyboardInterrupt"
    pid = int((place / "pid").read_text())
    end = time.monotonic() + 60
    while os.path.exists(f"/proc/{pid}"):
        assert time.monotonic() < end
    assert kernel.value("before_script.len()") == "2"
    assert kernel.value("%pwd") == str(place)


def test_a_shell_line_is_seen_while_it_runs_and_is_interrupted(kernel):
    cell = kernel.start("!echo begun; sleep 1000")
    kernel.wait_for(cell, lambda cell: cell.stdout == "begun\n")
    kernel.interrupt()
    kernel.finish(cell)
    assert cell.content["ename"] == "KeyboardInterrupt"


def test_shell_lines_run_in_order_until_one_fails(kernel):
    cell = kernel.run('!echo 1\n!echo 2 >&2\nlet after_shell = 3;\nprintln!("{after_shell}");')
    assert (cell.stdout, cell.stderr) == ("1\n3\n", "2\n")
    cell = kernel.fails("!echo 1\n!exit 7\n!echo 2\nlet never = 1;", "CommandError")
    assert cell.stdout == "1\n"
    assert cell.content["evalue"] == "`exit 7` ended with exit code 7"
    kernel.fails("never", "CompileError")


def test_editors_leave_text_alone(kernel):
    assert kernel.problems("%%bash\nlet x = y;") == []
    assert kernel.complete("%%bash\nlet x = std::coll")["matches"] == []
    assert kernel.is_complete("%%bash\nfor n in 1 2; do (")["status"] == "incomplete"
    assert kernel.is_complete("%%bash\nfor n in 1 2; do (\n")["status"] == "complete"
    assert kernel.is_complete("%cd (")["status"] == "complete"
    assert kernel.complete("%%wri")["matches"] == ["%%writefile"]
    assert kernel.complete("%%bash --no")["matches"] == ["--no-raise-error"]
    assert "Usage:\n    %%writefile [-a] FILE" in kernel.inspect("%%writefile x", 5)["data"]["text/plain"]
