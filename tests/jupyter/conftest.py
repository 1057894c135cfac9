"""Fixtures: the kernelspec that `memit install` writes, and kernels that it starts."""

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from client import Kernel

# Lines that tests want to be seen after the run, passed or not.
REPORT = pytest.StashKey()


def pytest_configure(config):
    config.stash[REPORT] = []


def pytest_terminal_summary(terminalreporter, config):
    for title, lines in config.stash[REPORT]:
        terminalreporter.section(title)
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture
def report(request):
    """Adds a titled list of lines to what is printed after the run."""
    return lambda title, lines: request.config.stash[REPORT].append((title, lines))


@pytest.fixture(scope="session", autouse=True)
def data_directory(tmp_path_factory):
    """Jupyter's data directory for all that is started here: the user's own history stays as it
    is."""
    directory = tmp_path_factory.mktemp("jupyter-data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_DATA_DIR", str(directory))
        patch.delenv("MEMIT_HISTORY", raising=False)
        yield directory


@pytest.fixture(scope="session")
def memit():
    """The program under test."""
    path = os.environ.get("MEMIT")
    if not path:
        pytest.exit("set MEMIT to the memit program, or run `cargo test --test jupyter`", 2)
    return Path(path).resolve()


@pytest.fixture(scope="session")
def kernels_dir(memit, tmp_path_factory):
    """Where `memit install` has put the kernelspec."""
    prefix = tmp_path_factory.mktemp("prefix")
    subprocess.run([memit, "install", "--prefix", prefix], check=True, capture_output=True)
    return prefix / "share" / "jupyter" / "kernels"


@contextmanager
def living(kernels_dir):
    """A function that returns a kernel: the same until a test kills it."""
    started = []

    def get():
        if not (started and started[-1].manager.is_alive()):
            started.append(Kernel(kernels_dir).wait_until_subscribed())
        return started[-1]

    yield get
    for kernel in started:
        kernel.shut_down()


@pytest.fixture(scope="session")
def shared_kernel(kernels_dir):
    """The kernel that most tests share."""
    with living(kernels_dir) as get:
        yield get


@pytest.fixture(scope="session")
def kernel_of_files(kernels_dir):
    """The kernel whose session belongs to one file after the other."""
    with living(kernels_dir) as get:
        yield get


@pytest.fixture
def kernel(shared_kernel):
    """A kernel that has run other cells before. Give variables names of the test's own."""
    kernel = shared_kernel()
    yield kernel
    kernel.check_nothing_is_left()


@pytest.fixture
def fresh_kernel(shared_kernel):
    """A kernel with a session of the test's own. Its items, threads and dependencies end with it."""
    kernel = shared_kernel()
    kernel.run(":clear")
    yield kernel
    kernel.run(":clear")
    kernel.check_nothing_is_left()


@pytest.fixture(scope="module")
def module_kernel(kernel_of_files):
    """A kernel with a session of the file's own."""
    kernel = kernel_of_files()
    kernel.run(":clear")
    yield kernel
    kernel.check_nothing_is_left()


@pytest.fixture
def start_kernel(kernels_dir):
    """Starts kernels of the test's own, which takes seconds; they end with it."""
    started = []

    def start(**options):
        kernel = Kernel(kernels_dir, **options)
        started.append(kernel)
        return kernel

    yield start
    for kernel in started:
        try:
            kernel.check_nothing_is_left()
        finally:
            kernel.shut_down()
