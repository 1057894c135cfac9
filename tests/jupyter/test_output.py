"""What a cell writes arrives as it is written, whatever it is and however much."""

import os
from pathlib import Path

import pytest


def kinds(cell):
    """The outputs in order, each as its type and text."""
    found = []
    for message in cell.outputs:
        content = message["content"]
        if message["msg_type"] == "stream":
            found.append((content["name"], content["text"]))
        else:
            found.append((message["msg_type"], content["data"].get("text/html", content["data"].get("text/plain"))))
    return found


SHOW = """
fn show(html: &str) { println!("EVCXR_BEGIN_CONTENT text/html\\n{html}\\nEVCXR_END_CONTENT"); }
struct Shown(&'static str);
impl Shown { fn evcxr_display(&self) {
    println!("EVCXR_BEGIN_CONTENT text/plain\\nplain {}\\nEVCXR_END_CONTENT", self.0);
    println!("EVCXR_BEGIN_CONTENT text/html\\n{}\\nEVCXR_END_CONTENT", self.0);
} }
"""


def test_a_part_of_a_line_arrives_while_the_cell_runs(kernel, tmp_path):
    gate = tmp_path / "gate"
    cell = kernel.start(
        'use std::io::Write as _; '
        'print!("50 %\\r"); std::io::stdout().flush().unwrap(); eprint!("warn"); '
        f'while !std::path::Path::new("{gate}").exists() {{ }} println!("done");'
    )
    kernel.wait_for(cell, lambda cell: cell.stdout == "50 %\r" and cell.stderr == "warn")
    gate.touch()
    kernel.finish(cell)
    assert cell.stdout == "50 %\rdone\n"


def test_the_way_of_a_write_takes_little_time(kernel, report):
    cell = kernel.run(
        "for _ in 0..20 { println!(\"{}\", std::time::SystemTime::now()"
        ".duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64()); "
        "std::thread::sleep(std::time::Duration::from_millis(30)); }"
    )
    delays = []
    for message in cell.outputs:
        published = message["header"]["date"].timestamp()
        delays += [published - float(line) for line in message["content"]["text"].split()]
    assert len(delays) == 20
    report("from a write to its message", [f"median {1000 * sorted(delays)[10]:.1f} ms, longest {1000 * max(delays):.1f} ms"])


def test_every_byte_is_shown_as_well_as_can_be(kernel):
    cell = kernel.run(
        'use std::io::Write as _; let mut out = std::io::stdout(); '
        'out.write_all(b"a\\xffb\\0c\\x1b[1m\\r\\n").unwrap(); out.write_all("\u00e9\\n".as_bytes()).unwrap();'
    )
    assert cell.stdout == "a\ufffdb\0c\x1b[1m\r\n\u00e9\n"


def test_rich_outputs_are_outputs_of_their_own(kernel):
    kernel.run(SHOW)
    cell = kernel.run('println!("one"); show("<b>1</b>"); show("<b>2</b>"); println!("two"); Shown("<i>v</i>")')
    assert kinds(cell) == [
        ("stdout", "one\n"),
        ("display_data", "<b>1</b>"),
        ("display_data", "<b>2</b>"),
        ("stdout", "two\n"),
        ("execute_result", "<i>v</i>"),
    ]
    assert cell.result == "plain <i>v</i>"


def test_a_rich_output_is_shown_while_the_cell_runs(kernel, tmp_path):
    kernel.run(SHOW)
    gate = tmp_path / "gate"
    cell = kernel.start(
        f'show("early"); while !std::path::Path::new("{gate}").exists() {{ }}'
    )
    kernel.wait_for(cell, lambda cell: cell.displays)
    gate.touch()
    kernel.finish(cell)
    assert kinds(cell) == [("display_data", "early")]


def test_without_a_value_the_last_rich_output_is_displayed(kernel):
    kernel.run(SHOW)
    cell = kernel.run('for n in ["1", "2", "3"] { show(n); }')
    assert kinds(cell) == [("display_data", n) for n in "123"]
    assert kinds(kernel.run('show("4");')) == [("display_data", "4")]


def test_a_cell_can_clear_what_it_has_shown(kernel):
    cell = kernel.run(
        'for step in 1..=3 { memit_session::clear_output(true); print!("step {step}"); }'
    )
    assert [content["wait"] for content in cell.of_type("clear_output")] == [True] * 3
    assert cell.stdout == "step 3"
    cell = kernel.run('print!("gone"); memit_session::clear_output(false);')
    assert cell.outputs == []


def test_a_cell_that_closes_its_output_closes_only_its_own(kernel):
    closing = 'unsafe extern "C" { fn close(fd: i32) -> i32; }\nfor fd in 0..3 { unsafe { close(fd); } }'
    assert kernel.run(closing + '\nprintln!("to nobody");').outputs == []
    cell = kernel.run('println!("out"); eprintln!("err"); 5')
    assert (cell.stdout, cell.stderr, cell.result) == ("out\n", "err\n", "5")


def test_a_large_output_arrives_whole(kernel):
    kernel.run(SHOW)
    cell = kernel.run('show(&"x".repeat(10_000_000));')
    assert len(cell.display["text/html"]) == 10_000_000


# A gigabyte takes minutes: MEMIT_TEST_FLOOD=1000.
@pytest.mark.parametrize("megabytes", [int(os.environ.get("MEMIT_TEST_FLOOD", "100"))])
def test_a_flood_neither_grows_the_kernel_nor_stops_an_interrupt(start_kernel, megabytes, report):
    kernel = start_kernel().wait_until_subscribed()
    kernel.run("let survivor = 1;")
    # The analyser needs memory of its own, and has it once it has answered.
    assert kernel.complete("survivor.")["matches"]

    def resident():
        status = Path(f"/proc/{kernel.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) >> 10

    before = resident()
    cell = kernel.start(
        f'let line = "x".repeat(99); for _ in 0..{megabytes} * 10_000 {{ println!("{{line}}"); }}'
    )
    highest = before
    printed = 0
    while not cell.done:
        kernel._receive(1)
        highest = max(highest, resident())
        # What has been looked at is not kept, or this client would be what grows.
        kept = []
        for message in cell.iopub:
            if message["msg_type"] == "stream":
                printed += len(message["content"]["text"])
            else:
                kept.append(message)
        cell.iopub[:] = kept
    kernel.finish(cell)
    report("a flood of output", [f"{megabytes} MB printed, {printed / 1e6:.0f} MB received, kernel grew by {highest - before} MiB"])
    assert highest - before < 200

    cell = kernel.start('println!("running"); loop { println!("{}", "x".repeat(1000)); }')
    kernel.wait_for(cell, lambda cell: cell.stdout)
    kernel.interrupt()
    kernel.finish(cell)
    assert cell.content["ename"] == "KeyboardInterrupt"
    assert kernel.value("survivor") == "1"


CHART = """
struct Chart;
impl Chart { fn evcxr_display(&self) {
    println!("EVCXR_BEGIN_CONTENT image/svg+xml\\n<svg/>\\nEVCXR_END_CONTENT");
} }
"""


CHARTS_AND_VALUES = [
    ('show("<b>chart</b>"); 5', "<b>chart</b>", "5"),
    ('show("<b>chart</b>");\n"done".len()', "<b>chart</b>", "4"),
    ('let kept = 1;\nshow("<i>chart</i>");\n(kept, "a")', "<i>chart</i>", '(1, "a")'),
]


def check_a_chart_and_then_a_value(kernel, code, chart, value):
    cell = kernel.run(code)
    assert chart in cell.display.values() and "text/plain" not in cell.display
    (result,) = cell.of_type("execute_result")
    assert result["data"] == {"text/plain": value}


def test_a_chart_and_then_a_value_are_two_outputs(fresh_kernel):
    kernel = fresh_kernel
    # No type can display itself.
    kernel.run(SHOW.split("struct")[0])
    for code, chart, value in CHARTS_AND_VALUES:
        check_a_chart_and_then_a_value(kernel, code, chart, value)


def test_a_chart_and_then_a_value_are_two_outputs_where_types_can_display_themselves(kernel):
    kernel.run(SHOW + CHART)
    for code, chart, value in [*CHARTS_AND_VALUES, ("Chart.evcxr_display(); 42", "<svg/>", "42")]:
        check_a_chart_and_then_a_value(kernel, code, chart, value)


def test_two_charts_and_a_value_are_three_outputs(kernel):
    kernel.run(SHOW)
    cell = kernel.run('show("<b>1</b>"); show("<b>2</b>"); "done".len()')
    assert kinds(cell) == [
        ("display_data", "<b>1</b>"),
        ("display_data", "<b>2</b>"),
        ("execute_result", "4"),
    ]


def test_a_value_whose_drop_takes_time_is_the_value(kernel):
    kernel.run(
        "struct Slow; impl Drop for Slow { fn drop(&mut self) { "
        'std::thread::sleep(std::time::Duration::from_millis(300)); println!("dropped"); } } '
        'impl std::fmt::Debug for Slow { fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result { write!(f, "Slow") } }'
    )
    cell = kernel.run("Slow")
    assert kinds(cell) == [("stdout", "dropped\n"), ("execute_result", "Slow")]


@pytest.mark.parametrize(
    "printing",
    [
        'print!("\\r50 %");',
        'print!("{} ", 50); print!("%");',
        'mod inner { pub fn say() { print!("50 %") } } inner::say();',
        'macro_rules! say { ($text:expr) => { print!("{}", $text) } } say!("50 %");',
    ],
    ids=["plain", "twice", "in_a_module", "in_a_macro"],
)
def test_text_without_a_line_end_arrives_while_the_cell_runs(kernel, tmp_path, printing):
    gate = tmp_path / "gate"
    cell = kernel.start(printing + f' while !std::path::Path::new("{gate}").exists() {{ }}')
    kernel.wait_for(cell, lambda cell: cell.stdout.lstrip("\r") == "50 %")
    gate.touch()
    kernel.finish(cell)
    assert cell.content["status"] == "ok"


def test_text_without_a_line_end_and_what_children_write_are_in_order(kernel):
    cell = kernel.run(
        'for i in 0..=3 { print!("\\r{}%", i * 33); }\n'
        'print!(" done ");\n'
        'std::process::Command::new("sh").arg("-c").arg("printf child; printf err >&2").status()?;\n'
        'print!(" last");'
    )
    assert cell.stdout == "\r0%\r33%\r66%\r99% done child last"
    assert cell.stderr == "err"


def test_an_error_in_print_points_at_the_users_text(kernel):
    cell = kernel.fails('let n = 1;\nprint!("{n} {}", 2, 3);', "CompileError")
    assert "argument never used" in cell.traceback and "cell:2:" in cell.traceback
    assert "memit" not in cell.traceback


def test_a_macro_of_the_users_may_be_called_print(kernel):
    cell = kernel.run('macro_rules! print { ($text:literal) => { println!("mine: {}", $text) } }\nprint!("x");')
    assert cell.stdout == "mine: x\n"
    kernel.run("%undo")


def test_a_value_without_debug_says_what_it_is(kernel):
    kernel.run("struct Silent_1; let silent_1 = vec![Silent_1];")
    assert kernel.value("silent_1") == "a value of type `Vec<Silent_1>`, which does not implement `Debug`"
    # Showing a value does not move it.
    assert kernel.value("silent_1.len()") == "1"
    assert kernel.value("|n: u8| n + 1") == "a closure"
    display = "fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result { f.write_str(\"told\") }"
    assert kernel.value(f"struct Told_1; impl std::fmt::Display for Told_1 {{ {display} }} Told_1") == "told"
    assert kernel.value("#[derive(Debug)] struct Both_1; impl std::fmt::Display for Both_1 { " + display + " } Both_1") == "Both_1"
    for value, text in (("*\"unsized\"", '"unsized"'), ("[1u8, 2][..]", "[1, 2]"), ("2.5", "2.5"), ("()", None)):
        assert kernel.value(value) == text
