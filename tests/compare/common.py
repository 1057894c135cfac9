"""What the comparisons share: their environment, the kernels they talk to, the tables they print."""

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

# Where kernels and compilers run: this project's toolchain file does not reach there, and its
# `timeit.py` does not hide Python's.
NEUTRAL = tempfile.gettempdir()

# In seconds, for one cell: to end a comparison that would otherwise hang.
TIMEOUT = 600

MEMIT_JSON = "application/vnd.memit+json"


def enter_environment():
    """Goes on in a virtual environment with requirements.txt, which is made on the first run."""
    requirements = HERE / "requirements.txt"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    key = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    environment = cache / "memit-compare" / key
    if Path(sys.prefix).resolve() == environment.resolve():
        return
    python = environment / "bin" / "python"
    complete = environment / "complete"
    if not complete.exists():
        print(f"making {environment}", file=sys.stderr)
        venv.create(environment, with_pip=True, clear=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--requirement", requirements], check=True)
        complete.touch()
    os.execv(python, [python, *sys.argv])


def arguments(description):
    """A parser with the option that every comparison has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--memit", type=Path, metavar="PATH",
                        help="the program (default: the one on PATH, or built here)")
    return parser


def find_memit(path):
    """The program to compare, as an absolute path."""
    found = path or shutil.which("memit") or built_memit()
    if not found or not Path(found).is_file():
        sys.exit("no memit: install it, run `cargo build` here, or pass --memit PATH")
    return Path(found).resolve()


def built_memit():
    query = ["cargo", "metadata", "--no-deps", "--format-version=1"]
    metadata = subprocess.run(query, cwd=ROOT, check=True, capture_output=True, text=True)
    return Path(json.loads(metadata.stdout)["target_directory"], "debug", "memit")


def machine(memit):
    """A line about what the figures were taken on."""
    cpu = platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
        cpu = next(iter(models), cpu)
    versions = [
        subprocess.run([program, "--version"], cwd=NEUTRAL, capture_output=True, text=True).stdout
        for program in ("rustc", memit)
    ]
    load = ", ".join(f"{load:.2f}" for load in os.getloadavg())
    return (f"{cpu}, {os.cpu_count()} CPUs, {platform.system()} {platform.release()}, "
            f"{', '.join(version.strip() for version in versions)}, load {load}")


def table(header, rows):
    """Prints a Markdown table; all columns but the first are numbers."""
    rows = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(header))]

    def line(cells):
        padded = [cell.ljust(width) if at == 0 else cell.rjust(width)
                  for at, (cell, width) in enumerate(zip(cells, widths))]
        return f"| {' | '.join(padded)} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    print("\n".join([line(rows[0]), line(rule), *map(line, rows[1:])]), end="\n\n", flush=True)


def duration(ns):
    for unit, length in (("s", 1e9), ("ms", 1e6), ("μs", 1e3)):
        if ns >= length:
            return f"{ns / length:.3g} {unit}"
    return f"{ns:.3g} ns"


class Cell:
    """What a kernel answered to a cell, and the seconds from the request to the last of it."""

    def __init__(self, outputs, replied, seconds):
        self.outputs = outputs
        # When the reply came, by `time.perf_counter`.
        self.replied = replied
        self.seconds = seconds

    @property
    def stdout(self):
        return "".join(content.get("text", "") for content in self.outputs)

    @property
    def json(self):
        """The data of the only measurement displayed."""
        (data,) = [content["data"][MEMIT_JSON] for content in self.outputs
                   if MEMIT_JSON in content.get("data", {})]
        return data


class Kernel:
    """A kernel process, as a front-end starts it. Use it in a `with`."""

    def __init__(self, name, kernels=None):
        from jupyter_client.kernelspec import KernelSpecManager
        from jupyter_client.manager import KernelManager

        specs = KernelSpecManager(kernel_dirs=[str(kernels)]) if kernels else KernelSpecManager()
        self.manager = KernelManager(kernel_name=name, kernel_spec_manager=specs)
        self.started = time.perf_counter()
        self.manager.start_kernel(cwd=NEUTRAL, stderr=subprocess.DEVNULL)
        self.client = self.manager.blocking_client()
        self.client.start_channels(hb=False)
        self.reply(self.client.kernel_info())
        # Seconds from the start of the process to its first answer.
        self.ready = time.perf_counter() - self.started
        # iopub is a broadcast; this waits until it is heard.
        self.client.wait_for_ready(timeout=TIMEOUT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def reply(self, request):
        while True:
            message = self.client.get_shell_msg(timeout=TIMEOUT)
            if message["parent_header"].get("msg_id") == request:
                return message["content"]

    def run(self, code):
        """Runs a cell, which must not fail."""
        started = time.perf_counter()
        request = self.client.execute(code)
        reply = self.reply(request)
        replied, outputs, idle = time.perf_counter(), [], False
        while not idle:
            message = self.client.get_iopub_msg(timeout=TIMEOUT)
            if message["parent_header"].get("msg_id") == request:
                outputs.append(message["content"])
                idle = message["content"].get("execution_state") == "idle"
        if reply["status"] != "ok":
            sys.exit(f"{code}\n" + "\n".join(reply.get("traceback", [])))
        return Cell(outputs, replied, time.perf_counter() - started)

    def since_start(self, cell):
        """Seconds from the start of the process to the reply to a cell."""
        return cell.replied - self.started


class MemitKernels:
    """Starts kernels of the memit program, from a kernelspec of their own. Use it in a `with`."""

    def __init__(self, memit):
        self.directory = tempfile.TemporaryDirectory(prefix="memit-compare-")
        install = [memit, "install", "--prefix", self.directory.name]
        subprocess.run(install, check=True, capture_output=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.directory.cleanup()

    def start(self):
        return Kernel("memit", Path(self.directory.name, "share", "jupyter", "kernels"))


def start_ipykernel():
    """The kernel of this environment, whatever kernelspecs the user has."""
    return Kernel("python3", Path(sys.prefix, "share", "jupyter", "kernels"))
