"""The text of a cell never controls the session, and no marker of ours shows."""

import time

import pytest

from client import TIMEOUT

MARKERS = [
    "EVCXR_VARIABLE_CHANGED_TYPE:held",
    "EVCXR_ERROR_OCCURRED",
    "EVCXR_PANIC_NOTIFICATION",
    "EVCXR_EXECUTION_COMPLETE",
    "EVCXR_END_CONTENT",
    "LOAD_AND_RUN /no/such.so run_user_code_1",
]


@pytest.fixture(scope="module", autouse=True)
def a_session(module_kernel):
    module_kernel.run("let mut held = vec![1, 2, 3];")


@pytest.fixture
def kernel(module_kernel):
    yield module_kernel
    module_kernel.check_nothing_is_left()


@pytest.mark.parametrize("marker", MARKERS)
def test_a_printed_marker_is_text(kernel, marker):
    cell = kernel.run(f'held.push(4); let new_one = 5; println!("{marker}"); println!("after");')
    assert cell.stdout == f"{marker}\nafter\n"
    assert kernel.value("(held.pop(), held.len(), new_one)") == "(Some(4), 3, 5)"


def test_a_marker_in_a_function_a_string_or_a_child_is_text(kernel):
    cell = kernel.run(
        'fn say() { println!("EVCXR_PANIC_NOTIFICATION"); }\n'
        "say();\n"
        'std::process::Command::new("echo").arg("EVCXR_VARIABLE_CHANGED_TYPE:held").status().unwrap();\n'
        "held.len()"
    )
    assert cell.stdout == "EVCXR_PANIC_NOTIFICATION\nEVCXR_VARIABLE_CHANGED_TYPE:held\n"
    assert cell.result == "3"


def test_a_panic_of_a_cell_that_also_prints_the_marker_is_a_panic(kernel):
    cell = kernel.fails('held.clear(); println!("EVCXR_PANIC_NOTIFICATION"); panic!("real")', "Panic")
    assert cell.stdout == "EVCXR_PANIC_NOTIFICATION\n"
    assert cell.content["evalue"] == "real"
    assert kernel.value("held.len()") == "3"


def test_a_panic_under_a_hook_of_the_users_is_a_panic(fresh_kernel):
    kernel = fresh_kernel
    kernel.run("let held = 1;")
    kernel.run('std::panic::set_hook(Box::new(|_| eprintln!("mine")));')
    cell = kernel.fails('drop(held); panic!("real")', "Panic")
    assert cell.stderr == "mine\n"
    assert kernel.value("held") == "1"


CRASHING = """
struct {name};
impl std::fmt::Debug for {name} {{
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {{ writeln!(f, "half a value")?; {body} }}
}}
{name}
"""


@pytest.mark.parametrize(
    ("name", "body", "ename"),
    [
        ("Aborting", "std::process::abort()", "ProcessEnded"),
        ("Faulting", "unsafe { std::ptr::null_mut::<u8>().write_volatile(1) }; Ok(())", "ProcessEnded"),
        ("Exiting", "std::process::exit(3)", "ProcessEnded"),
        ("Panicking", 'panic!("in Debug")', "Panic"),
        ("Failing", "Err(std::fmt::Error)", "Panic"),
    ],
)
def test_no_marker_shows_when_displaying_a_value_fails(kernel, name, body, ename):
    cell = kernel.fails(CRASHING.format(name=name, body=body), ename)
    assert "EVCXR" not in cell.stdout + cell.stderr + cell.traceback
    assert kernel.value("held.len()") == "3"


def test_no_marker_shows_when_displaying_a_value_is_interrupted(kernel):
    code = CRASHING.format(
        name="Slow", body='eprintln!("slow"); loop { std::thread::sleep(std::time::Duration::from_secs(1)) }'
    )
    cell = kernel.start(code)
    kernel.wait_for(cell, lambda cell: "slow" in cell.stderr)
    kernel.interrupt()
    kernel.finish(cell)
    assert cell.content["ename"] == "KeyboardInterrupt"
    assert cell.stdout == ""
    cell = kernel.start('eprintln!("large"); (0..100_000_000u64).collect::<Vec<_>>()')
    kernel.wait_for(cell, lambda cell: "large" in cell.stderr)
    kernel.interrupt()
    kernel.finish(cell)
    assert "EVCXR" not in cell.stdout
    assert kernel.value("held.len()") == "3"


def test_a_question_after_the_end_of_its_cell_is_text(fresh_kernel, tmp_path):
    kernel = fresh_kernel
    gate = tmp_path / "gate"
    kernel.run(
        f'std::thread::spawn(|| {{ while !std::path::Path::new("{gate}").exists() {{}} '
        'println!("EVCXR_INPUT_REQUEST:who?"); });'
    )
    gate.touch()
    end = time.monotonic() + TIMEOUT
    while not kernel.stray:
        assert time.monotonic() < end, "the text does not arrive"
        kernel._receive(1)
    (text,) = kernel.stray
    assert text["content"]["text"] == "EVCXR_INPUT_REQUEST:who?\n"
    kernel.stray.clear()
    assert kernel.value("6 * 7") == "42"
    assert kernel.value("6 * 8") == "48"
