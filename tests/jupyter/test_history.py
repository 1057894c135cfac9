"""What was run before, in this session and in others."""

import sqlite3
import stat
import time

import pytest

def sources(history):
    return [source for _, _, source in history]


def test_cells_that_are_kept_are_found_again(kernel):
    first = kernel.run("let of_history = vec![1u8, 2];").content["execution_count"]
    kernel.run("of_history.len()")
    kernel.run('println!("not kept")', store_history=False)
    kernel.run('println!("silent")', silent=True)
    kernel.run("  \n")
    kernel.fails("of_history.len(")
    expected = ["let of_history = vec![1u8, 2];", "of_history.len()", "of_history.len("]
    assert sources(kernel.history("tail", n=3)) == expected
    assert sources(kernel.history("range", session=0, start=first)) == expected
    session, line, _ = kernel.history("tail", n=1)[0]
    assert line == first + 2
    assert kernel.history("range", session=session, start=first + 1, stop=first + 2) == [
        [session, first + 1, "of_history.len()"]
    ]
    assert sources(kernel.history("search", pattern="*of_histor?.len*")) == expected[1:]
    # A bracket is no wildcard.
    assert sources(kernel.history("search", pattern="*of_history = vec![1u8*")) == expected[:1]
    assert kernel.history("tail", n=1, output=True) == [[session, line, [expected[-1], None]]]


def test_of_cells_with_the_same_text_a_unique_search_finds_the_last(kernel):
    for _ in range(2):
        kernel.run("/* twice */ 1")
    twice = kernel.history("search", pattern="?? twice*")
    assert len(twice) == 2
    assert kernel.history("search", pattern="?? twice*", unique=True) == twice[1:]
    assert kernel.history("search", pattern="?? twice*", n=1) == twice[1:]


def test_a_question_that_makes_no_sense_is_answered_with_an_error(kernel):
    reply = kernel.ask("history_request", {"hist_access_type": "head"}).content
    assert reply["status"] == "error"
    assert "`tail`, `range`, `search`" in reply["evalue"]


def test_a_kernel_knows_the_cells_of_others_of_the_same_user(kernel, start_kernel, data_directory):
    kernel.run("/* of another kernel */ 1")
    known = kernel.history("tail", n=2)
    # Its own session need not have started for that.
    other = start_kernel().wait_until_subscribed()
    assert other.history("tail", n=2) == known
    assert other.history("range", session=known[0][0], start=known[0][1]) == known
    assert other.history("range", session=0) == []
    file = data_directory / "memit" / "history.sqlite"
    assert file.is_file()
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "options", [{"env": {"MEMIT_HISTORY": "off"}}, {"arguments": ["--no-history"]}]
)
def test_a_kernel_without_a_history_does_not_look_into_the_users(kernel, start_kernel, options):
    kernel.run("1")
    other = start_kernel(**options).wait_until_subscribed()
    assert other.history("tail", n=10) == []


@pytest.mark.parametrize("trouble", ["garbage", "a directory", "no directory", "locked"])
def test_a_history_that_cannot_be_used_does_not_disturb(start_kernel, tmp_path, trouble):
    file = tmp_path / "memit" / "history.sqlite"
    file.parent.mkdir()
    locked = None
    if trouble == "garbage":
        file.write_bytes(b"garbage" * 1000)
    elif trouble == "a directory":
        file.mkdir()
    elif trouble == "no directory":
        file.parent.rmdir()
        file.parent.write_text("a file where the directory should be")
    else:
        locked = sqlite3.connect(file, isolation_level=None)
        locked.execute("BEGIN EXCLUSIVE")
    kernel = start_kernel(env={"JUPYTER_DATA_DIR": str(tmp_path)})
    kernel.wait_until_subscribed()
    kernel.ask("kernel_info_request", channel="control")
    assert time.monotonic() - kernel.started < 5
    assert kernel.history("tail", n=10) == []
    if locked:
        locked.close()
