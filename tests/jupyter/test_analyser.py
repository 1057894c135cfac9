"""The analyser: a process of its own, for which no cell waits."""

import os
import signal
from pathlib import Path

from test_start_and_end import (
    command_line,
    descendants,
    parent_and_state,
    wait_until_gone,
)
from test_types import crate


def analysers(kernel):
    return [pid for pid in descendants(kernel.pid) if command_line(pid).endswith(b"\0analyser\0")]


def names(completion):
    return {match.split("(")[0] for match in completion["matches"]}


def test_a_cell_goes_in_front_of_a_completion_that_waits_for_the_analyser(start_kernel):
    kernel = start_kernel().wait_until_subscribed()
    kernel.run("let first = String::new();")
    completion = kernel.send("complete_request", {"code": "first.to_upper", "cursor_pos": 14})
    inspection = kernel.send(
        "inspect_request", {"code": "String::new", "cursor_pos": 11, "detail_level": 0}
    )
    cell = kernel.start("let made = vec![first.len()].into_iter(); made.len()")
    kernel.wait_for(cell, lambda cell: cell.reply)
    assert completion.reply is None and inspection.reply is None
    assert kernel.finish(cell).result == "1"
    assert "to_uppercase" in names(kernel.finish(completion).content)
    assert "empty" in kernel.finish(inspection).content["data"]["text/plain"]


def test_the_analyser_stands_still_while_a_cell_runs(start_kernel):
    kernel = start_kernel().wait_until_subscribed()
    assert "to_uppercase" in names(kernel.complete('"a".to_upper'))
    (analyser,) = analysers(kernel)
    cell = kernel.start('println!("on my way"); loop {}')
    kernel.wait_for(cell, lambda cell: cell.stdout)
    assert parent_and_state(analyser) == (kernel.pid, "T")
    kernel.interrupt()
    kernel.finish(cell)
    assert parent_and_state(analyser)[1] != "T"
    assert "to_lowercase" in names(kernel.complete('"a".to_lower'))
    assert analysers(kernel) == [analyser]


def test_a_kernel_that_is_killed_takes_a_standing_analyser_along(start_kernel):
    kernel = start_kernel().wait_until_subscribed()
    assert kernel.complete('"a".to_upper')["matches"]
    (analyser,) = analysers(kernel)
    cell = kernel.start('println!("on my way"); loop {}')
    kernel.wait_for(cell, lambda cell: cell.stdout)
    os.kill(kernel.pid, signal.SIGKILL)
    wait_until_gone([analyser])


def test_an_analyser_that_ends_is_replaced(start_kernel):
    kernel = start_kernel().wait_until_subscribed()
    assert kernel.complete('"a".to_upper')["matches"]
    (analyser,) = analysers(kernel)
    os.kill(analyser, signal.SIGKILL)
    # The request that finds the analyser gone is answered, too.
    kernel.complete('"a".to_upper')
    assert kernel.value("1 + 1") == "2"
    assert "to_uppercase" in names(kernel.complete('"a".to_upper'))
    assert analysers(kernel) not in ([], [analyser])


def test_the_analyser_knows_dependencies_items_and_variables(start_kernel, tmp_path):
    kernel = start_kernel().wait_until_subscribed()
    source = "mod inner {{ /// A point of {0}.\npub struct Point{0} {{ pub x_of_{0}: u8 }} }}\npub use inner::*;"
    for number in (6, 7):
        name = f"points_{number}"
        kernel.run(crate(tmp_path, name, source.format(number)) + f"use {name}::Point{number};")
        kernel.run(f"let p{number} = Point{number} {{ x_of_{number}: 3 }}; let v{number} = vec![p{number}];")
        assert f"Point{number}" in names(kernel.complete(f"points_{number}::Poi"))
        assert f"x_of_{number}" in names(kernel.complete(f"v{number}[0].x_o"))
        found = kernel.inspect(f"Point{number}")
        assert f"A point of {number}." in found["data"]["text/plain"]
    kernel.run("fn of_a_cell(a: u8) -> u8 { a }")
    assert "of_a_cell" in names(kernel.complete("let x = of_a_c"))
    # In the middle of a cell, and of a name.
    code = "let inside = String::new();\ninside.to_upperc; 1"
    assert "to_uppercase" in names(kernel.complete(code, code.index("perc")))


def test_what_the_analyser_knows_is_no_memory_of_the_kernel(start_kernel):
    kernel = start_kernel().wait_until_subscribed()

    def resident(pid):
        status = Path(f"/proc/{pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) >> 10

    kernel.run("let known = vec![String::new()];")
    before = resident(kernel.pid)
    assert "to_uppercase" in names(kernel.complete("known[0].to_upper"))
    (analyser,) = analysers(kernel)
    grown, known = resident(kernel.pid) - before, resident(analyser)
    assert grown < known / 4, f"the kernel has grown by {grown} MB, the analyser has {known} MB"
