"""What any front-end may ask of any kernel."""

import json
import re

import pytest


def test_the_kernel_says_what_it_is(kernel):
    for channel in ("shell", "control"):
        info = kernel.ask("kernel_info_request", channel=channel).content
        assert info["status"] == "ok"
        assert info["protocol_version"] == "5.4"
        assert info["implementation"] == "memit"
        assert re.fullmatch(r"\d+\.\d+\.\d+\S*", info["implementation_version"])
        assert "%memit" in info["banner"]
        assert all(link["url"].startswith("https://") for link in info["help_links"])
        language = info["language_info"]
        assert re.fullmatch(r"1\.\d+\.\d+\S*", language.pop("version"))
        assert language == {
            "name": "rust",
            "mimetype": "text/x-rustsrc",
            "file_extension": ".rs",
            "pygments_lexer": "rust",
            "codemirror_mode": "rust",
        }


def test_every_kind_of_output_of_one_cell_comes_in_order(kernel):
    # The first cell of a kernel may have to wait, and then says so.
    kernel.run("1")
    cell = kernel.run('println!("out"); eprintln!("err"); 6 * 7')
    assert cell.stdout == "out\n"
    assert cell.stderr == "err\n"
    (result,) = cell.of_type("execute_result")
    assert result["data"]["text/plain"] == "42"
    assert result["execution_count"] == cell.content["execution_count"]
    # `run` has checked that the reply lies between the last output and idle.
    assert [message["msg_type"] for message in cell.iopub] == [
        "status",
        "execute_input",
        "stream",
        "stream",
        "execute_result",
        "status",
    ]
    assert cell.content["user_expressions"] == {}
    assert cell.content["payload"] == []


def test_text_without_a_line_end_is_shown_before_the_cell_ends(kernel):
    cell = kernel.start(
        """
        print!("so far");
        std::io::Write::flush(&mut std::io::stdout()).unwrap();
        std::thread::sleep(std::time::Duration::from_secs(3600));
        """
    )
    kernel.wait_for(cell, lambda cell: cell.stdout == "so far")
    kernel.interrupt()
    kernel.finish(cell)


def test_a_display_bundle_of_evcxr_is_shown_as_it_is(kernel):
    cell = kernel.run(
        r'println!("EVCXR_BEGIN_CONTENT text/html\n<b>bold</b>\nEVCXR_END_CONTENT");'
    )
    assert cell.stdout == ""
    (data,) = cell.displays + [c["data"] for c in cell.of_type("execute_result")]
    assert data["text/html"].strip() == "<b>bold</b>"


def test_counts_go_up_only_for_cells_that_are_kept(kernel):
    count = kernel.run("1").content["execution_count"]
    silent = kernel.run('println!("nobody hears this"); 2', silent=True, store_history=False)
    assert silent.outputs == []
    assert silent.content["execution_count"] == count
    kept_back = kernel.run("3", store_history=False)
    assert kept_back.result == "3"
    assert kept_back.content["execution_count"] == count
    assert kernel.run("4").content["execution_count"] == count + 1
    blank = kernel.run("  \n")
    assert blank.outputs == []


def test_cells_that_wait_behind_one_that_fails_are_aborted(kernel):
    bad = kernel.start('panic!("first")')
    waiting = [kernel.start("1"), kernel.start("2")]
    question = kernel.send("kernel_info_request")
    assert kernel.finish(bad).content["status"] == "error"
    for cell in waiting:
        kernel.finish(cell)
        assert cell.content["status"] == "aborted"
        assert cell.outputs == []
    assert kernel.finish(question).content["status"] == "ok"
    assert kernel.value("3") == "3"


def test_without_stop_on_error_the_waiting_cells_are_run(kernel):
    bad = kernel.start('panic!("first")', stop_on_error=False)
    waiting = kernel.start("1 + 1")
    assert kernel.finish(bad).content["status"] == "error"
    assert kernel.finish(waiting).result == "2"


def test_a_compile_error_points_at_the_users_text(kernel):
    cell = kernel.fails("let fine = 1;\nlet wrong: u8 = not_there;", "CompileError")
    assert "not_there" in cell.content["evalue"]
    assert "--> cell:2:17" in cell.traceback
    assert "let wrong: u8 = not_there;" in cell.traceback
    assert "^^^^^^^^^" in cell.traceback


def test_a_panic_is_an_error_with_its_message_and_line(kernel):
    cell = kernel.fails('let of_panic = 3;\n\n  panic!("number {}", of_panic);', "Panic")
    assert cell.content["evalue"] == "number 3"
    assert "--> cell:3:3" in cell.traceback
    assert "stack backtrace" not in cell.traceback + cell.stderr


def test_a_panic_in_a_function_of_an_earlier_cell_names_its_line(kernel):
    kernel.run("fn third(v: &[u8]) -> u8 {\n    v[2]\n}")
    cell = kernel.fails("third(&[1, 2])", "Panic")
    assert "index out of bounds: the len is 2 but the index is 2" in cell.content["evalue"]
    assert "--> an earlier cell:2:" in cell.traceback
    assert "v[2]" in cell.traceback


def test_variables_survive_a_panic(kernel):
    kernel.run('let kept_name = String::from("kept");')
    kernel.fails('panic!("boo")', "Panic")
    assert kernel.value("kept_name.len()") == "4"


@pytest.mark.parametrize(
    "code, reply",
    [
        ("let x = 1;", {"status": "complete"}),
        ("", {"status": "complete"}),
        ("%memit vec![1u8; 10]", {"status": "complete"}),
        (":vars", {"status": "complete"}),
        ("fn f() {", {"status": "incomplete", "indent": "    "}),
        ("fn f() {\n    if true {", {"status": "incomplete", "indent": "        "}),
        ('let s = "half', {"status": "incomplete", "indent": ""}),
        ("%%memit let n = 1;\n", {"status": "incomplete", "indent": ""}),
        ("%timeit vec![1, 2", {"status": "incomplete", "indent": "    "}),
        ("%memit -r 1 f(", {"status": "incomplete", "indent": "    "}),
        ("let a = std::", {"status": "incomplete", "indent": ""}),
        ("#[derive(Debug)]", {"status": "incomplete", "indent": ""}),
        ("foo)", {"status": "invalid"}),
    ],
)
def test_a_console_knows_whether_to_run_or_to_go_on(kernel, code, reply):
    assert kernel.is_complete(code) == reply


def test_methods_of_a_variable_are_completed(kernel):
    kernel.run("let text_to_complete = String::new();")
    found = kernel.complete("text_to_complete.to_upp")
    assert any(match.startswith("to_uppercase") for match in found["matches"])
    assert (found["cursor_start"], found["cursor_end"]) == (17, 23)
    kinds = found["metadata"]["_jupyter_types_experimental"]
    assert [kind["text"] for kind in kinds] == found["matches"]


def test_offsets_of_completions_count_astral_characters_once(kernel):
    kernel.run("let crabs = vec![1u8];")
    code = 'let s = "🦀🦀"; crabs.is_em'
    found = kernel.complete(code)
    assert any(match.startswith("is_empty") for match in found["matches"])
    assert code[found["cursor_start"] : found["cursor_end"]] == "is_em"
    # The cursor may stand before the end.
    longer = kernel.complete(code + "; // 🦀", len(code))
    assert longer["cursor_start"] == found["cursor_start"]


def test_nothing_to_complete_is_an_empty_list(kernel):
    assert kernel.complete("let x = 12345")["matches"] == []


def test_a_variable_can_be_inspected(kernel):
    kernel.run("let inspected: Vec<u8> = Vec::new();")
    found = kernel.inspect("inspected.len()", 4)
    assert found["found"] is True
    assert "Vec<u8>" in found["data"]["text/plain"]
    unknown = kernel.inspect("there_is_no_such_name", 5)
    assert unknown["found"] is False
    assert unknown["data"] == {}


def test_there_are_no_comms(kernel):
    assert kernel.ask("comm_info_request").content == {"status": "ok", "comms": {}}


def test_a_comm_that_a_front_end_opens_is_closed_at_once(kernel):
    comm = kernel.send(
        "comm_open", {"comm_id": "widget", "target_name": "jupyter.widget", "data": {}}
    )
    kernel.wait_for(comm, lambda comm: comm.idle)
    assert comm.of_type("comm_close") == [{"comm_id": "widget", "data": {}}]
    kernel.forget(comm)


def test_a_cell_can_be_checked_while_it_is_typed(kernel):
    kernel.run("let to_check: u8 = 1;")
    assert kernel.problems("to_check + 1") == []
    (problem,) = kernel.problems("%memit to_check.clone()\nlet é = 1; to_check.no_such()")
    assert "no method named `no_such` found for type `u8`" in problem.pop("message")
    assert problem == {
        "severity": "error",
        "start_line": 2,
        "start_column": 21,
        "end_line": 2,
        "end_column": 28,
    }
    # Nothing was run.
    assert kernel.problems('let only_checked = 1; println!("not printed");') == []
    kernel.fails("only_checked", "CompileError")


def test_items_that_a_cell_replaces_are_no_problem_of_the_cell(kernel):
    cell = (
        "macro_rules! checked { ($n:ident) => { struct $n(u8); } }\nchecked!(Checked);\n"
        "impl Checked { fn get(&self) -> u8 { self.0 } }\nimpl Clone for Checked { fn clone(&self) -> Self {"
        " Checked(self.get()) } }\nfn use_checked() -> Checked { Checked(1).clone() }"
    )
    kernel.run(cell)
    assert kernel.problems(cell) == []
    (problem,) = kernel.problems(f"{cell} checked!(Again); let é = missing;")
    assert (problem["start_line"], problem["start_column"]) == (5, 77)


@pytest.mark.parametrize("channel", ["shell", "control"])
def test_a_request_that_no_kernel_knows_is_let_pass(kernel, channel):
    unknown = kernel.send("make_coffee_request", channel=channel)
    kernel.wait_for(unknown, lambda unknown: unknown.idle)
    assert kernel.ask("kernel_info_request", channel=channel).content["status"] == "ok"
    assert unknown.reply is None
    kernel.forget(unknown)


def test_a_request_without_its_fields_is_answered_with_an_error(kernel):
    for msg_type in ("complete_request", "inspect_request", "is_complete_request"):
        assert kernel.ask(msg_type, {"no": "code"}).content["status"] == "error"


@pytest.mark.parametrize("channel", ["shell", "control"])
def test_messages_with_a_wrong_signature_or_shape_are_dropped(kernel, channel):
    session = kernel.client.session
    socket = getattr(kernel.client, f"{channel}_channel").socket
    message = session.msg("kernel_info_request", {})
    good = session.serialize(message)
    delimiter, signature, header, parent, metadata, content = good
    forged = content + b" "
    not_json = [b"{", parent, metadata, content]
    for frames in (
        [b"garbage"],
        [b""],
        [delimiter],
        [delimiter, signature],
        [delimiter, signature, header, parent],
        [delimiter, b"", header, parent, metadata, content],
        [delimiter, b"0" * 64, header, parent, metadata, content],
        [delimiter, signature, header, parent, metadata, forged],
        [delimiter, session.sign(not_json), *not_json],
        [delimiter, session.sign([b"[]"] * 4), *[b"[]"] * 4],
        [b"\xff" * 1000] * 100,
    ):
        socket.send_multipart(frames)
    # Were one of them answered, the answer would be found unread.
    assert kernel.ask("kernel_info_request", channel=channel).content["status"] == "ok"


def test_buffers_behind_a_message_are_not_part_of_the_signature(kernel):
    session = kernel.client.session
    message = session.msg("kernel_info_request", {})
    frames = session.serialize(message) + [b"a buffer", b"another"]
    request = kernel.expect(message)
    kernel.client.shell_channel.socket.send_multipart(frames)
    assert kernel.finish(request).content["status"] == "ok"


def test_a_cell_with_every_kind_of_character_comes_back_whole(kernel):
    text = 'é🦀\u200b"\\\t'
    cell = kernel.run(f"println!({json.dumps(text, ensure_ascii=False)});")
    assert cell.stdout == text + "\n"


def test_many_lines_arrive_complete_and_in_order(kernel):
    cell = kernel.run('for i in 0..20_000 { println!("{i}"); }')
    assert cell.stdout == "".join(f"{i}\n" for i in range(20_000))
