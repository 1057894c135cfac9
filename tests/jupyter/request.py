"""A request to a kernel, and all that the kernel has answered."""

import re
from dataclasses import dataclass, field

MEMIT_JSON = "application/vnd.memit+json"

# What a display shows that is over.
NOTHING = {"text/plain": ""}


def display_id(message):
    return message["content"].get("transient", {}).get("display_id")


@dataclass
class Request:
    """A request, and all that the kernel has answered to it so far."""

    msg_id: str
    msg_type: str
    code: str = ""
    silent: bool = False
    reply: dict | None = None
    iopub: list = field(default_factory=list)

    @property
    def idle(self):
        return bool(self.iopub) and self.iopub[-1]["content"].get("execution_state") == "idle"

    @property
    def done(self):
        return self.reply is not None and self.idle

    @property
    def content(self):
        return self.reply["content"]

    @property
    def outputs(self):
        """What a notebook would show in the end, in order. A slow machine is told for a moment which
        crate is being compiled; nothing of that stays."""
        shown, clear = [], False
        for message in self.iopub:
            content = message["content"]
            match message["msg_type"]:
                case "status" | "execute_input":
                    pass
                case "clear_output":
                    clear = content["wait"]
                    if not clear:
                        shown.clear()
                case "update_display_data":
                    key = content["transient"]["display_id"]
                    at = [display_id(m) for m in shown].index(key)
                    shown[at] = {**message, "msg_type": "display_data"}
                case _:
                    if clear:
                        shown.clear()
                        clear = False
                    shown.append(message)
        return [m for m in shown if not (display_id(m) and m["content"]["data"] == NOTHING)]

    def of_type(self, msg_type):
        return [m["content"] for m in self.iopub if m["msg_type"] == msg_type]

    def stream(self, name):
        return "".join(
            m["content"]["text"]
            for m in self.outputs
            if m["msg_type"] == "stream" and m["content"]["name"] == name
        )

    @property
    def stdout(self):
        return self.stream("stdout")

    @property
    def stderr(self):
        return self.stream("stderr")

    @property
    def displays(self):
        return [m["content"]["data"] for m in self.outputs if m["msg_type"] == "display_data"]

    @property
    def display(self):
        """The only thing displayed."""
        (data,) = self.displays
        return data

    @property
    def text(self):
        """The text of the only thing displayed."""
        return self.display["text/plain"]

    @property
    def json(self):
        """The data of the only measurement displayed."""
        return self.display[MEMIT_JSON]

    @property
    def result(self):
        """The text of the cell's value, or None."""
        results = self.of_type("execute_result")
        assert len(results) <= 1, results
        return results[0]["data"]["text/plain"] if results else None

    @property
    def traceback(self):
        """The traceback without colours."""
        return without_ansi("\n".join(self.content["traceback"]))

    def check_order(self):
        """busy, execute_input, outputs, reply, idle."""
        types = [m["msg_type"] for m in self.iopub]
        states = [m["content"]["execution_state"] for m in self.iopub if m["msg_type"] == "status"]
        assert states == ["busy", "idle"], states
        assert types[0] == types[-1] == "status", types
        if self.msg_type == "execute_request" and self.content["status"] != "aborted":
            inputs = [at for at, name in enumerate(types) if name == "execute_input"]
            assert inputs == ([] if self.silent else [1]), types
        # They come on different sockets, so only the kernel's clock can tell their order.
        dates = [m["header"]["date"] for m in self.iopub]
        dates.insert(-1, self.reply["header"]["date"])
        assert dates == sorted(dates), list(zip(types, dates))


def without_ansi(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
