"""A front-end that keeps count: every message of the kernel must have been asked for and read."""

import json
import os
import time

import zmq
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from request import Request

# In seconds. Machines are slow and noisy: this bounds a test that would otherwise hang, and is no
# expectation.
TIMEOUT = float(os.environ.get("MEMIT_TEST_TIMEOUT", "120"))


class Failed(AssertionError):
    """A cell that should have run did not."""


class Kernel:
    """A kernel process and a front-end."""

    def __init__(self, kernels_dir, transport="tcp", ip=None, name="memit", env=None, arguments=()):
        specs = KernelSpecManager(kernel_dirs=[str(kernels_dir)], ensure_native_kernel=False)
        self.manager = KernelManager(
            kernel_name=name, kernel_spec_manager=specs, transport=transport
        )
        if ip is not None:
            self.manager.ip = str(ip)
        self.started = time.monotonic()
        options = {} if env is None else {"env": os.environ | env}
        self.manager.start_kernel(extra_arguments=list(arguments), **options)
        self._connect(self.manager.blocking_client())

    def another_client(self):
        """A second front-end of the same kernel, with a session and sockets of its own."""
        other = object.__new__(Kernel)
        other.manager = self.manager
        client = BlockingKernelClient(
            connection_file=self.manager.connection_file, context=self.client.context
        )
        client.load_connection_file()
        other._connect(client)
        return other.wait_until_subscribed()

    def _connect(self, client):
        self.client = client
        self.client.start_channels(hb=False)
        self.sockets = {
            getattr(self.client, f"{name}_channel").socket: name
            for name in ("shell", "control", "iopub")
        }
        self.poller = zmq.Poller()
        for socket in self.sockets:
            self.poller.register(socket, zmq.POLLIN)
        self.requests = {}
        self.stray = []
        self.welcomes = []
        self.overheard = []

    # Starting and ending

    def wait_until_subscribed(self):
        """iopub is a broadcast: what is sent before the subscription has arrived is lost. Once it
        is welcomed nothing is missed. What was heard before is forgotten."""
        end = time.monotonic() + TIMEOUT
        while not self.welcomes:
            assert time.monotonic() < end, "the kernel does not welcome the subscription"
            self._receive(0.2)
        self.welcomes.clear()
        self.stray.clear()
        return self

    @property
    def pid(self):
        return self.manager.provisioner.pid

    def shut_down(self):
        if self.manager.has_kernel:
            self.client.stop_channels()
            self.manager.shutdown_kernel(now=not self.manager.is_alive())
        self.manager.cleanup_resources()

    # Messages

    def send(self, msg_type, content=None, channel="shell"):
        """Sends a request without waiting for its answer."""
        message = self.client.session.msg(msg_type, content or {})
        request = self.expect(message)
        getattr(self.client, f"{channel}_channel").send(message)
        return request

    def expect(self, message):
        """A request for `message`, which the caller sends."""
        header, content = message["header"], message["content"]
        request = Request(
            header["msg_id"],
            header["msg_type"],
            content.get("code", ""),
            bool(content.get("silent")),
        )
        self.requests[request.msg_id] = request
        return request

    def forget(self, request):
        """Takes no more messages for a request that is not going to be finished."""
        del self.requests[request.msg_id]

    def finish(self, request, timeout=TIMEOUT):
        """Waits for the answer to a request, and for the end of what it publishes."""
        end = time.monotonic() + timeout
        while not request.done:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"no end of {request}")
            if not self._receive(min(left, 1)):
                assert self.manager.is_alive(), f"the kernel died at {request}"
        request.check_order()
        # From here on a message for this request is one too many.
        self.forget(request)
        return request

    def wait_for(self, request, condition, timeout=TIMEOUT):
        """Waits until `condition(request)`, before the request is finished."""
        end = time.monotonic() + timeout
        while not condition(request):
            assert time.monotonic() < end, f"not in time: {request}"
            self._receive(1)

    def wait_until_overheard(self, text, timeout=TIMEOUT):
        """Waits until a cell of another client has printed `text`."""
        end = time.monotonic() + timeout
        while not any(message["content"].get("text") == text for message in self.overheard):
            assert time.monotonic() < end, f"not heard: {text!r}"
            self._receive(1)

    def ask(self, msg_type, content=None, channel="shell", timeout=TIMEOUT):
        return self.finish(self.send(msg_type, content, channel), timeout)

    def _receive(self, timeout):
        """Takes a message from every socket that has one; waits if none has. A kernel may send faster
        than this client reads, so taking all could take for ever."""
        ready = self.poller.poll(timeout * 1000)
        for socket, _ in ready:
            _, message = self.client.session.recv(socket, mode=zmq.NOBLOCK)
            self._take(self.sockets[socket], message)
        return bool(ready)

    def _take(self, channel, message):
        if message["msg_type"] == "iopub_welcome":
            # Other clients of the kernel hear it too, under a topic that they have subscribed to.
            assert message["content"] == {"subscription": ""}
            assert message["parent_header"] == {}
            self.welcomes.append(message)
            return
        parent = message["parent_header"].get("msg_id")
        request = self.requests.get(parent)
        session = message["parent_header"].get("session")
        if channel == "iopub" and session not in (None, self.client.session.session):
            # iopub tells every client what the others do.
            self.overheard.append(message)
            return
        is_starting = message["content"].get("execution_state") == "starting"
        if request is None or (channel == "iopub" and request.idle):
            if not is_starting:
                self.stray.append(message)
            return
        assert message["parent_header"]["msg_type"] == request.msg_type
        assert message["parent_header"]["session"] == self.client.session.session
        assert message["header"]["version"] == "5.4"
        if channel == "iopub":
            request.iopub.append(message)
        else:
            expected = request.msg_type.replace("_request", "_reply")
            assert message["msg_type"] == expected, message
            assert request.reply is None, "answered twice"
            request.reply = message

    def check_nothing_is_left(self):
        """Fails if a message was left unread."""
        if not self.manager.is_alive():
            return
        # What was sent before the answers to these has arrived with them.
        self.ask("kernel_info_request")
        self.ask("kernel_info_request", channel="control")
        left = [r for r in self.requests.values() if r.reply or r.iopub]
        stray, self.stray = self.stray, []
        self.requests.clear()
        assert not stray, f"messages that nobody asked for: {json.dumps(stray, default=str, indent=1)}"
        assert not left, f"answers that were not read: {left}"

    # Cells

    def start(self, code, **options):
        """Sends a cell without waiting for it."""
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        }
        return self.send("execute_request", content | options)

    def execute(self, code, timeout=TIMEOUT, **options):
        """Runs a cell, however it ends."""
        return self.finish(self.start(code, **options), timeout)

    def run(self, code, timeout=TIMEOUT, **options):
        """Runs a cell that must not fail."""
        cell = self.execute(code, timeout, **options)
        if cell.content["status"] != "ok":
            raise Failed(f"{code}\n{cell.traceback if 'traceback' in cell.content else cell.content}")
        return cell

    def fails(self, code, ename=None, timeout=TIMEOUT):
        """Runs a cell that must fail; checks that error and reply agree."""
        cell = self.execute(code, timeout)
        assert cell.content["status"] == "error", f"ran without an error: {code}\n{cell.outputs}"
        (error,) = cell.of_type("error")
        for key in ("ename", "evalue", "traceback"):
            assert error[key] == cell.content[key]
        if ename is not None:
            assert cell.content["ename"] == ename, cell.traceback
        return cell

    def value(self, expression):
        """The text of an expression's value."""
        return self.run(expression).result

    # Questions

    def complete(self, code, cursor=None):
        cursor = len(code) if cursor is None else cursor
        return self.ask("complete_request", {"code": code, "cursor_pos": cursor}).content

    def inspect(self, code, cursor=None):
        cursor = len(code) if cursor is None else cursor
        content = {"code": code, "cursor_pos": cursor, "detail_level": 0}
        return self.ask("inspect_request", content).content

    def is_complete(self, code):
        return self.ask("is_complete_request", {"code": code}).content

    def problems(self, code):
        """The problems that an editor would show in a cell."""
        content = {"comm_id": "lint", "target_name": "evcxr-cargo-check", "data": {"code": code}}
        comm = self.send("comm_open", content)
        self.wait_for(comm, lambda comm: comm.idle)
        assert comm.of_type("comm_close") == [{"comm_id": "lint", "data": {}}]
        (message,) = comm.of_type("comm_msg")
        assert message["comm_id"] == "lint"
        self.forget(comm)
        return message["data"]["problems"]

    def history(self, hist_access_type, **options):
        content = {"hist_access_type": hist_access_type, "raw": True, "output": False} | options
        return self.ask("history_request", content).content["history"]

    def interrupt(self):
        return self.ask("interrupt_request", channel="control").content
