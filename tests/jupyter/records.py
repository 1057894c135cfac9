"""A pytest plugin for `tests/jupyter.rs`: writes a record of each test to standard output.

A record is a line of JSON behind a record separator, which tells it from what pytest prints."""

import json

import pytest

SEPARATOR = "\x1e"


def pytest_configure(config):
    config.pluginmanager.register(Records(config))


class Records:
    def __init__(self, config):
        self.config = config
        self.reports = []

    def pytest_collection_finish(self, session):
        if self.config.option.collectonly:
            for item in session.items:
                self.write(item.nodeid, "collected")

    def pytest_runtest_logreport(self, report):
        self.reports.append(report)

    def pytest_runtest_logfinish(self, nodeid):
        reports, self.reports = self.reports, []
        failed = [report for report in reports if report.failed]
        # A subtest that is skipped does not skip its test.
        skipped = [report for report in reports if report.skipped and type(report) is pytest.TestReport]
        if failed:
            self.write(nodeid, "failed", "\n".join(map(text_of, failed)))
        elif skipped:
            _file, _line, reason = skipped[0].longrepr
            self.write(nodeid, "skipped", reason.removeprefix("Skipped: "))
        else:
            self.write(nodeid, "passed")

    def write(self, node, outcome, text=""):
        # The text may hold bytes of a program under test that are not UTF-8.
        text = text.encode(errors="replace").decode()
        record = json.dumps({"node": node, "outcome": outcome, "text": text})
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        reporter.write_line(SEPARATOR + record)
        reporter.flush()


def text_of(report):
    """What pytest prints of a failure: the phase, the traceback, and the captured output."""
    phase = "" if report.when == "call" else f"in the {report.when} of the test:\n"
    sections = [f"--- {title} ---\n{content}" for title, content in report.sections]
    return "\n".join([phase + report.longreprtext, *sections])
