"""Cells that ask the user for a line."""

import os
import pty
import signal
import subprocess

import pytest

from test_start_and_end import processes_of, wait_until_gone

# What the crate evcxr_input does, without a dependency to compile.
ASK = """
fn ask_line(marker: &str, prompt: &str) -> String {
    println!("{marker}:{prompt}");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    line.trim_end_matches('\\n').to_owned()
}
fn ask(prompt: &str) -> String { ask_line("EVCXR_INPUT_REQUEST", prompt) }
fn ask_password(prompt: &str) -> String { ask_line("EVCXR_INPUT_REQUEST_PASSWORD", prompt) }
"""


@pytest.fixture
def asking(kernel):
    """A kernel whose cells can ask."""
    kernel.run(ASK)
    return kernel


def question(kernel, cell):
    """Waits for the question of a cell."""
    request = kernel.client.get_stdin_msg(timeout=60)
    assert request["msg_type"] == "input_request"
    assert request["parent_header"]["msg_id"] == cell.msg_id
    return request


def test_a_cell_gets_the_line_that_the_user_types(asking):
    cell = asking.start('println!("before"); let typed = ask("Your name: "); typed', allow_stdin=True)
    asked = question(asking, cell)
    assert asked["content"] == {"prompt": "Your name: ", "password": False}
    asking.wait_for(cell, lambda cell: cell.stdout)
    asking.client.input("Ferris 🦀")
    asking.finish(cell)
    assert cell.stdout == "before\n"
    assert cell.result == '"Ferris 🦀"'
    # Neither evcxr's marker nor the answer is output.
    assert asking.value("typed.len()") == "11"


def test_a_password_is_asked_for_as_one(asking):
    cell = asking.start('ask_password("Password").len()', allow_stdin=True)
    assert question(asking, cell)["content"] == {"prompt": "Password", "password": True}
    asking.client.input("")
    assert asking.finish(cell).result == "0"


def test_every_question_of_a_cell_is_answered_in_order(asking):
    cell = asking.start('(0..3).map(|i| ask(&i.to_string())).collect::<Vec<_>>().join(" ")', allow_stdin=True)
    for number in range(3):
        assert question(asking, cell)["content"]["prompt"] == str(number)
        # Only the first line of an answer counts: the cell asked for one.
        asking.client.input(f"answer{number}\nsecond line")
    assert asking.finish(cell).result == '"answer0 answer1 answer2"'


def test_answers_to_earlier_questions_are_passed_over(asking):
    asking.client.input("nobody asked")
    cell = asking.start('ask("now")', allow_stdin=True)
    asked = question(asking, cell)
    session = asking.client.session
    stale = session.msg("input_reply", {"value": "stale"}, parent=session.msg("input_request"))
    asking.client.stdin_channel.send(stale)
    asking.client.stdin_channel.send(session.msg("input_reply", {"value": "fresh"}, parent=asked))
    assert asking.finish(cell).result == '"fresh"'


def test_a_front_end_that_takes_no_questions_is_told_and_nothing_is_lost(asking):
    asking.run("let kept_through_refusal = 5usize;")
    cell = asking.fails('let refused = ask("x"); println!("got {refused:?}"); refused.len()')
    assert cell.content["ename"] == "StdinNotImplementedError"
    assert "allow_stdin" in cell.content["evalue"]
    assert cell.stdout == 'got ""\n'
    assert asking.value("kept_through_refusal + refused.len()") == "5"


def test_what_comes_of_a_refused_question_stands_below_it(asking):
    cell = asking.fails('ask("a number").parse::<u8>().unwrap()', "StdinNotImplementedError")
    assert "ParseIntError" in cell.traceback


def test_a_cell_that_asks_until_it_is_answered_does_not_hang(asking):
    asking.fails('while ask("again").is_empty() {}', "StdinNotImplementedError")


@pytest.mark.parametrize("way", ["message", "signal"])
def test_an_interrupt_ends_the_waiting(asking, way):
    cell = asking.start('ask("never answered")', allow_stdin=True)
    question(asking, cell)
    if way == "message":
        asking.interrupt()
    else:
        os.kill(asking.pid, signal.SIGINT)
    asking.finish(cell)
    assert cell.content["ename"] == "KeyboardInterrupt"
    # The late answer is not taken for that of the next question.
    asking.client.input("late")
    cell = asking.start('ask("next")', allow_stdin=True)
    question(asking, cell)
    asking.client.input("in time")
    assert asking.finish(cell).result == '"in time"'


def test_the_end_of_the_kernel_ends_the_waiting(start_kernel):
    kernel = start_kernel().wait_until_subscribed()
    kernel.run(ASK)
    cell = kernel.start('ask("never answered")', allow_stdin=True)
    question(kernel, cell)
    pids = processes_of(kernel)
    kernel.ask("shutdown_request", {"restart": False}, channel="control")
    wait_until_gone(pids)


def test_the_end_of_the_session_process_ends_the_waiting(asking):
    cell = asking.start(
        """
        std::thread::spawn(|| {
            std::thread::sleep(std::time::Duration::from_millis(500));
            std::process::exit(3);
        });
        ask("never answered")
        """,
        allow_stdin=True,
    )
    question(asking, cell)
    asking.finish(cell)
    assert cell.content["ename"] == "ProcessEnded"


# Without Jupyter


def test_eval_asks_at_the_terminal(memit):
    ours, theirs = pty.openpty()
    cells = [ASK, 'ask("Name: ")', 'ask_password("Secret: ").len()']
    process = subprocess.Popen(
        [memit, "eval", *cells], stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, text=True
    )
    os.close(theirs)

    def read_until(text):
        shown = ""
        while text not in shown:
            shown += os.read(ours, 1024).decode()
        return shown

    read_until("Name: ")
    os.write(ours, b"Ferris\n")
    read_until("Secret: ")
    os.write(ours, b"123\n")
    # Shown is what has been typed at the first question, not at the second.
    assert process.stdout.read() == '"Ferris"\n3\n'
    assert process.wait() == 0
    assert "123" not in os.read(ours, 1024).decode()
    os.close(ours)


def test_eval_without_a_terminal_says_so(memit):
    process = subprocess.run(
        [memit, "eval", ASK, 'ask("Name")'], input="Ferris\n", capture_output=True, text=True
    )
    assert process.returncode == 1
    assert "StdinNotImplementedError" in process.stderr
    assert "standard input is not a terminal" in process.stderr
