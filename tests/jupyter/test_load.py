"""Much of everything, and clients that do not behave."""

import socket
import time

import zmq


def raw_socket(kernel, name, kind, **options):
    """A socket of its own, on which anything can be sent."""
    client = kernel.client
    endpoint = client._make_url(name)
    raw = client.context.socket(kind)
    raw.linger = 0
    for option, value in options.items():
        setattr(raw, option, value)
    raw.connect(endpoint)
    return raw


def test_two_clients_at_once_get_what_is_theirs(kernel):
    other = kernel.another_client()
    cells = []
    for number in range(10):
        cells.append((kernel, kernel.start(f'println!("one {number}")'), f"one {number}\n"))
        cells.append((other, other.start(f'println!("two {number}")'), f"two {number}\n"))
    for client, cell, printed in cells:
        assert client.finish(cell).stdout == printed
    # iopub tells each of the other's cells as well.
    kernel.wait_until_overheard("two 9\n")
    other.wait_until_overheard("one 9\n")
    # A failure aborts what is queued, whoever queued it; the other client is told.
    failing = kernel.start('std::thread::sleep(std::time::Duration::from_secs(1)); panic!("mine")')
    kernel.wait_for(failing, lambda cell: cell.of_type("execute_input"))
    queued = other.start("1")
    kernel.finish(failing)
    assert other.finish(queued).content["status"] == "aborted"
    other.check_nothing_is_left()
    other.client.stop_channels()


def test_ten_thousand_requests_at_once_are_all_answered(kernel):
    shell = raw_socket(kernel, "shell", zmq.DEALER, rcvhwm=0, sndhwm=0)
    session = kernel.client.session.clone()
    session.session = "a burst"
    count = 10_000
    frames = session.serialize(session.msg("kernel_info_request"))
    started = time.monotonic()
    for _ in range(count):
        shell.send_multipart(frames)
    for _ in range(count):
        assert shell.poll(60_000), "not all were answered"
        shell.recv_multipart()
    assert not shell.poll(0)
    assert time.monotonic() - started < 60
    shell.close()
    kernel.ask("kernel_info_request")
    kernel.overheard.clear()


def test_a_long_queue_of_cells_is_aborted_by_one_interrupt(kernel):
    running = kernel.start('println!("on my way"); loop {}')
    queued = [kernel.start("1") for _ in range(1_000)]
    kernel.wait_for(running, lambda cell: cell.stdout)
    kernel.interrupt()
    assert kernel.finish(running).content["ename"] == "KeyboardInterrupt"
    for cell in queued:
        assert kernel.finish(cell).content["status"] == "aborted"
        assert cell.outputs == []
    assert kernel.value("1 + 1") == "2"


def test_garbage_on_every_socket_is_survived(kernel):
    session = kernel.client.session
    good = session.serialize(session.msg("execute_request", {"code": "forged"}))
    delimiter, signature, *parts = good
    forged = [delimiter, signature[::-1], *parts]
    for name in ("shell", "control", "stdin"):
        raw = raw_socket(kernel, name, zmq.DEALER)
        for number in range(100):
            raw.send_multipart([b"garbage", bytes([number]) * number])
            raw.send_multipart(forged)
        assert not raw.poll(200), raw.recv_multipart()
        raw.close()
    iopub = raw_socket(kernel, "iopub", zmq.XSUB)
    for number in range(100):
        iopub.send(bytes([number]) * number)
        iopub.send_multipart(forged)
    heartbeat = raw_socket(kernel, "hb", zmq.DEALER)
    for number in range(100):
        heartbeat.send_multipart([bytes([number]) * number, b"\xff"])
        assert heartbeat.poll(10_000)
        assert heartbeat.recv_multipart() == [bytes([number]) * number, b"\xff"]
    for name in ("shell", "control", "stdin", "iopub", "hb"):
        port = getattr(kernel.client, f"{name}_port")
        # What knocks here speaks no zmq.
        for _ in range(10):
            with socket.create_connection((kernel.client.ip, port)) as stranger:
                stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
    for channel in ("shell", "control"):
        assert kernel.ask("kernel_info_request", channel=channel).content["status"] == "ok"
    assert kernel.value("1 + 1") == "2"
    iopub.close()
    heartbeat.close()


def test_a_client_that_vanishes_leaves_its_cell_and_the_kernel_running(kernel, tmp_path):
    other = kernel.another_client()
    gate = tmp_path / "gate"
    left = other.start(
        f'while !std::path::Path::new("{gate}").exists() {{ }} println!("nobody")'
    )
    other.wait_for(left, lambda cell: cell.of_type("execute_input"))
    other.client.stop_channels()
    gate.touch()
    kernel.wait_until_overheard("nobody\n")
    assert kernel.value("1 + 1") == "2"


def test_a_client_that_vanishes_while_it_is_asked_can_be_interrupted_by_another(kernel):
    other = kernel.another_client()
    left = other.start(
        """
        println!("EVCXR_INPUT_REQUEST:anybody?");
        std::io::stdin().read_line(&mut String::new()).unwrap();
        """,
        allow_stdin=True,
    )
    assert other.client.get_stdin_msg(timeout=60)["content"]["prompt"] == "anybody?"
    other.wait_for(left, lambda cell: cell.of_type("execute_input"))
    other.client.stop_channels()
    kernel.interrupt()
    # Answered when the cell has ended; a cell of ours would be aborted with it.
    kernel.ask("kernel_info_request")
    assert kernel.value("1 + 1") == "2"


def test_a_subscriber_that_does_not_read_holds_nobody_up(kernel):
    slow = raw_socket(kernel, "iopub", zmq.SUB, rcvhwm=1)
    slow.subscribe(b"")
    # The welcome: from here on everything is for it too.
    assert slow.poll(10_000)
    slow.recv_multipart()
    code = 'let line = "x".repeat(99); for _ in 0..100_000 { println!("{line}"); }'
    assert len(kernel.run(code).stdout) == 10_000_000
    assert kernel.value("1 + 1") == "2"
    # And nothing of it is lost.
    received = 0
    while received < 10_000_000:
        assert slow.poll(10_000)
        frames = slow.recv_multipart()
        if frames[0] == b"stream.stdout":
            received += frames[-1].count(b"x") + frames[-1].count(b"\\n")
    slow.close()
