"""The life of a kernel: its first answers, its end, and what is left behind."""

import os
import select
import signal
import time
from pathlib import Path

import pytest

from client import TIMEOUT


def test_the_kernel_answers_before_the_compiler_is_ready(start_kernel, report):
    kernel = start_kernel()
    first = kernel.send("kernel_info_request")
    cell = kernel.start("let early = 20; early + 1")
    kernel.wait_for(first, lambda request: request.reply)
    answered_after = time.monotonic() - kernel.started
    # A front-end asks on control as well, while shell is busy with the cell.
    control = kernel.send("kernel_info_request", channel="control")
    kernel.wait_for(control, lambda request: request.reply)
    assert cell.reply is None, "the session had already started"
    kernel.wait_for(cell, lambda cell: cell.reply and cell.idle)
    ran_after = time.monotonic() - kernel.started
    report(
        "Start of the kernel",
        [
            f"kernel_info_reply after {answered_after:.2f} s",
            f"first cell done after {ran_after:.2f} s",
        ],
    )
    assert answered_after < 5
    assert cell.content["status"] == "ok", cell.content
    assert cell.result == "21"
    # The first messages on iopub may have been sent before our subscription arrived.
    kernel.requests.clear()
    kernel.stray.clear()


def test_questions_are_answered_while_the_session_starts(start_kernel):
    kernel = start_kernel().wait_until_subscribed()
    assert kernel.is_complete("fn f() {")["status"] == "incomplete"
    assert kernel.complete("%tim", 4)["matches"] == ["%timeit", "%time"]
    assert "Measure how long" in kernel.inspect("%timeit", 3)["data"]["text/plain"]
    # Rust waits for the session.
    assert "to_uppercase()" in kernel.complete('"a".to_upper')["matches"]


def test_a_completion_that_waits_for_the_session_makes_way_for_a_cell(start_kernel):
    kernel = start_kernel().wait_until_subscribed()
    completion = kernel.send("complete_request", {"code": '"a".to_upper', "cursor_pos": 12})
    cell = kernel.start("1 + 1")
    assert kernel.finish(cell).result == "2"
    kernel.finish(completion)


def test_a_kernel_can_be_reached_by_ipc(start_kernel, tmp_path):
    kernel = start_kernel(transport="ipc", ip=tmp_path / "kernel").wait_until_subscribed()
    assert kernel.client.shell_channel.socket.LAST_ENDPOINT.startswith(b"ipc://")
    cell = kernel.run('println!("by ipc"); 1')
    assert (cell.stdout, cell.result) == ("by ipc\n", "1")
    assert len(list(tmp_path.iterdir())) == 5
    shut_down(kernel, processes_of(kernel), "control", restart=False)
    assert list(tmp_path.iterdir()) == []


def test_the_heart_beats_while_a_cell_runs(kernel):
    kernel.client.hb_channel.start()
    kernel.client.hb_channel.unpause()
    cell = kernel.start("loop { std::thread::sleep(std::time::Duration::from_secs(1)); }")
    kernel.wait_for(cell, lambda cell: cell.of_type("execute_input"))
    assert kernel.client.hb_channel.is_beating()
    kernel.interrupt()
    kernel.finish(cell)


# Processes


def parent_and_state(pid):
    """From /proc; None if there is no such process any more."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, parent = stat[stat.rindex(")") + 2 :].split()[:2]
    return int(parent), state


def descendants(pid):
    """All processes below `pid`."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            found = parent_and_state(int(entry))
            if found and found[1] != "Z":
                parents.setdefault(found[0], []).append(int(entry))
    below, queue = [], [pid]
    while queue:
        children = parents.get(queue.pop(), [])
        below += children
        queue += children
    return below


def is_gone(pid):
    found = parent_and_state(pid)
    return found is None or found[1] in "ZX"


def wait_until_gone(pids, seconds=30):
    """There is no message to wait for when a process ends, so its end itself is waited for."""
    end = time.monotonic() + seconds
    for pid in pids:
        try:
            process = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        ended, _, _ = select.select([process], [], [], max(0, end - time.monotonic()))
        os.close(process)
        if not ended and not is_gone(pid):
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
            pytest.fail(f"process {pid} is left behind: {command.decode()}")


def processes_of(kernel):
    pids = [kernel.pid, *descendants(kernel.pid)]
    # The kernel, the supervisor, the session, at least.
    assert len(pids) >= 3, pids
    return pids


def shut_down(kernel, pids, channel, restart):
    """Asks the kernel to end, which leaves none of the processes behind."""
    reply = kernel.ask("shutdown_request", {"restart": restart}, channel=channel)
    assert reply.content == {"status": "ok", "restart": restart}
    wait_until_gone(pids)


def test_shutdown_is_confirmed_and_leaves_no_process_behind(start_kernel):
    kernel = start_kernel().wait_until_subscribed()
    kernel.run("let anything = 1;")
    shut_down(kernel, processes_of(kernel), "shell", restart=True)


@pytest.mark.parametrize("restart", [False, True])
def test_a_kernel_can_be_shut_down_while_its_session_starts(start_kernel, restart):
    kernel = start_kernel().wait_until_subscribed()
    shut_down(kernel, [kernel.pid], "control", restart)


def test_shutdown_during_an_endless_loop_leaves_no_process_behind(start_kernel):
    kernel = start_kernel().wait_until_subscribed()
    kernel.run("let anything = 1;")
    cell = kernel.start('println!("on my way"); loop {}')
    kernel.wait_for(cell, lambda cell: cell.stdout)
    shut_down(kernel, processes_of(kernel), "control", restart=True)


def test_a_kernel_that_is_killed_takes_its_session_along(start_kernel, tmp_path_factory):
    temporary = tmp_path_factory.mktemp("tmp")
    kernel = start_kernel(env={"TMPDIR": str(temporary)}).wait_until_subscribed()
    cell = kernel.start('println!("on my way"); loop {}')
    kernel.wait_for(cell, lambda cell: cell.stdout)
    pids = processes_of(kernel)
    assert list(temporary.iterdir())
    os.kill(kernel.pid, signal.SIGKILL)
    wait_until_gone(pids)
    assert list(temporary.iterdir()) == []


def test_a_kernel_that_is_killed_takes_a_measured_run_along(start_kernel):
    kernel = start_kernel().wait_until_subscribed()
    cell = kernel.start('%memit { println!("on my way"); loop {} }')
    kernel.wait_for(cell, lambda cell: cell.stdout)
    pids = processes_of(kernel)
    os.kill(kernel.pid, signal.SIGKILL)
    wait_until_gone(pids)


def test_a_restart_by_the_front_end_starts_an_empty_session(start_kernel):
    kernel = start_kernel().wait_until_subscribed()
    kernel.run("let of_the_first_life = 1;")
    pids = processes_of(kernel)
    kernel.manager.restart_kernel()
    wait_until_gone(pids)
    kernel.wait_until_subscribed()
    kernel.fails("of_the_first_life", "CompileError")
    assert kernel.value("1 + 1") == "2"


def wait_until_running(kernel, command):
    """Waits until a process of the kernel has this command line; returns all its processes."""
    deadline = time.monotonic() + 10
    while True:
        pids = processes_of(kernel)
        if command in map(command_line, pids):
            return pids
        assert time.monotonic() < deadline, f"no process is {command}"
        time.sleep(0.01)


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""


def test_what_a_cell_has_left_running_ends_with_the_kernel(start_kernel):
    kernel = start_kernel().wait_until_subscribed()
    # One in a session of its own, whose parent is gone: nothing but the supervisor knows of it.
    kernel.run(
        'std::process::Command::new("sh").arg("-c")'
        '.arg("setsid sleep 1000 > /dev/null 2>&1 &").status().unwrap();'
    )
    # The shell does not wait for `setsid` to become `sleep`.
    pids = wait_until_running(kernel, b"sleep\x001000\x00")
    shut_down(kernel, pids, "control", restart=False)


def test_the_supervisor_reaps_what_has_ended(fresh_kernel):
    kernel = fresh_kernel
    for _ in range(3):
        kernel.run(
            'std::process::Command::new("sh").arg("-c").arg("sleep 0.01 &").status().unwrap();'
        )
        kernel.fails("std::process::exit(1)", "ProcessEnded")
    kernel.run("1;")
    # A process is a zombie for the moment until it is reaped.
    end = time.monotonic() + TIMEOUT
    while unreaped_below(kernel.pid):
        assert time.monotonic() < end, "zombies stay"


def unreaped_below(pid):
    """The parents of zombies among the process and its descendants."""
    below, parents = [pid, *descendants(pid)], []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (found := parent_and_state(int(entry))) and found[1] == "Z":
            parents.append(found[0])
    return set(parents) & set(below)


def test_evcxrs_clear_ends_the_session_process(fresh_kernel):
    kernel = fresh_kernel
    kernel.run("let lost = 1;")
    (before,) = [line for line in kernel.run("%session").text.splitlines() if "process:" in line]
    kernel.run(":clear")
    kernel.fails("lost", "CompileError")
    cell = kernel.fails('panic!("told")', "Panic")
    assert cell.content["evalue"] == "told"
    assert before not in kernel.run("%session").text


# Interrupts


@pytest.mark.parametrize(
    "code",
    [
        '%memit { println!("on my way"); loop {} }',
        '%timeit { println!("on my way"); loop {} }',
        '%%timeit --fresh let x = 1;\nprintln!("on my way"); loop { std::hint::black_box(x); }',
    ],
)
def test_an_endless_measurement_is_interrupted_and_variables_are_kept(kernel, code):
    kernel.run("let through_interrupts = vec![1u8; 3];")
    cell = kernel.start(code)
    kernel.wait_for(cell, lambda cell: cell.stdout)
    asked = time.monotonic()
    kernel.interrupt()
    kernel.finish(cell)
    assert cell.content["ename"] == "KeyboardInterrupt", cell.content
    assert time.monotonic() - asked < 5
    assert kernel.value("through_interrupts.len()") == "3"
    assert kernel.run("%memit through_interrupts.clone()").json["isolated"] is True


def test_an_endless_cell_is_interrupted_and_the_kernel_goes_on(kernel):
    kernel.run("fn known_before_the_interrupt() -> u8 { 9 }")
    cell = kernel.start('println!("on my way"); loop {}')
    kernel.wait_for(cell, lambda cell: cell.stdout)
    kernel.interrupt()
    kernel.finish(cell)
    assert cell.content["ename"] == "KeyboardInterrupt", cell.content
    assert kernel.value("known_before_the_interrupt()") == "9"


def test_an_interrupt_between_the_runs_of_a_measurement_keeps_the_session(kernel):
    kernel.run("let between_runs = vec![1u8; 3];")
    for attempt in range(10):
        cell = kernel.start('%memit -r 1000000 println!("on my way")')
        kernel.wait_for(cell, lambda cell: cell.stdout)
        # Each at another moment of a repetition, which takes less than a millisecond.
        for _ in range(attempt):
            kernel.ask("kernel_info_request", channel="control")
        kernel.interrupt()
        kernel.finish(cell)
        assert cell.content["ename"] == "KeyboardInterrupt", cell.content
        assert kernel.value("between_runs.len()") == "3"


def test_a_cell_that_waits_for_the_session_can_be_interrupted(start_kernel):
    kernel = start_kernel().wait_until_subscribed()
    os.kill(kernel.pid, signal.SIGINT)
    cell = kernel.start("1")
    waiting = kernel.start("2")
    kernel.wait_for(cell, lambda cell: cell.of_type("execute_input"))
    os.kill(kernel.pid, signal.SIGINT)
    kernel.finish(cell)
    assert cell.content["ename"] == "KeyboardInterrupt", cell.content
    assert kernel.finish(waiting).content["status"] == "aborted"
    # The session is started all the same.
    assert kernel.value("1 + 1") == "2"


def test_an_interrupt_while_nothing_runs_changes_nothing(kernel):
    assert kernel.interrupt()["status"] == "ok"
    assert kernel.value("1 + 1") == "2"


def test_the_signal_of_a_terminal_interrupts_too(kernel):
    cell = kernel.start('%memit { println!("on my way"); loop {} }')
    kernel.wait_for(cell, lambda cell: cell.stdout)
    os.kill(kernel.pid, signal.SIGINT)
    kernel.finish(cell)
    assert cell.content["ename"] == "KeyboardInterrupt", cell.content
