"""The excerpts of a cell in tracebacks."""

import re
from unicodedata import east_asian_width


def pointed_at(traceback):
    """Where the first excerpt of a traceback points: line and column of the cell, and the text that
    the carets are under."""
    place = re.search(r"--> cell:(\d+):(\d+)", traceback)
    assert place, traceback
    lines = traceback.splitlines()
    for above, below in zip(lines, lines[1:]):
        carets = re.match(r"^\s*\|.*?(\^+)", below)
        if carets:
            start, end = carets.span(1)
            return int(place[1]), int(place[2]), "".join(columns(above)[start:end])
    raise AssertionError(f"no carets in\n{traceback}")


def columns(line):
    """What is in each column of a terminal: wide characters such as 🦀 take two."""
    return [
        part
        for character in line
        for part in ([character, ""] if east_asian_width(character) in "WF" else [character])
    ]
