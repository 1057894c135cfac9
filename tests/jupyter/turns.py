"""A pytest plugin for `tests/jupyter.rs`, which starts several pytests: each runs the files whose
turn it takes.

All pytests collect the same tests and share a pipe as standard input. A byte of the pipe is the
number of a file, so the pytest that reads the byte runs the file."""

import fcntl
import os
from itertools import chain, pairwise

import pytest

# Before pytest replaces standard input. What the tests start does not inherit the pipe.
TURNS = os.dup(0)
NOTHING = os.open(os.devnull, os.O_RDONLY)
os.dup2(NOTHING, 0)
os.close(NOTHING)

# This file and its folder: each pytest has opened them for itself, so a lock shuts the others out.
ROOM = os.open(__file__, os.O_RDONLY)
DOOR = os.open(os.path.dirname(__file__), os.O_RDONLY)


def pytest_runtestloop(session):
    """pytest's own loop, but for the order of the tests. pytest tells a test which test is next,
    because fixtures that both use stay: the last test of a file therefore takes another turn."""
    if session.config.option.collectonly or session.testsfailed:
        return None
    for item, following in pairwise(chain(tests_in_turn(session.items), [None])):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
    return True


def tests_in_turn(items):
    """The tests of the files whose turn this pytest takes."""
    files = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    files = list(files.values())
    while turn := os.read(TURNS, 1):
        yield from files[turn[0]]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Tests share the room, but for those that are marked `alone`. Who waits for the room holds the
    door, so that nobody else enters."""
    fcntl.flock(DOOR, fcntl.LOCK_EX)
    fcntl.flock(ROOM, fcntl.LOCK_EX if item.get_closest_marker("alone") else fcntl.LOCK_SH)
    fcntl.flock(DOOR, fcntl.LOCK_UN)
    try:
        return (yield)
    finally:
        fcntl.flock(ROOM, fcntl.LOCK_UN)
