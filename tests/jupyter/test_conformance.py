"""Jupyter's own test suite for kernels, which checks every message against the protocol."""

import pytest
import jupyter_kernel_test
from jupyter_client.manager import start_new_kernel


class TestMemit(jupyter_kernel_test.KernelTests):
    kernel_name = "memit"
    language_name = "rust"
    file_extension = ".rs"
    code_hello_world = 'println!("hello, world");'
    code_stderr = 'eprintln!("hello, stderr");'
    completion_samples = [
        {"text": "%mem", "matches": {"%memit"}},
        {"text": "hello_in_conformance.to_uppercas", "matches": {"to_uppercase()"}},
    ]
    complete_code_samples = ["1", "let x = 1;", "%timeit 1", "fn f() {\n}"]
    incomplete_code_samples = ["fn f() {", 'println!("', "let v = vec!["]
    invalid_code_samples = ["foo)", "}"]
    code_generate_error = 'panic!("an error")'
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": "%memit -q -o vec![1u8; 10]", "mime": "application/vnd.memit+json"},
    ]
    code_display_data = [
        {"code": "%memit vec![1u8; 10]", "mime": "text/html"},
        {"code": "%lsmagic", "mime": "text/plain"},
    ]
    code_clear_output = "memit_session::clear_output(false);"
    code_inspect_sample = "hello_in_conformance"
    supported_history_operations = ("tail", "range", "search")
    code_history_pattern = "6 ? 7"

    @classmethod
    def setUpClass(cls):
        cls.km, cls.kc = start_new_kernel(kernel_name=cls.kernel_name, startup_timeout=120)
        # The suite allows little time for a reply; so let the session be up.
        cls.kc.execute_interactive('let hello_in_conformance = String::from("hi");', timeout=120)


class TestWelcome(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = "memit"
    support_iopub_welcome = True


@pytest.fixture(scope="module", autouse=True)
def jupyter_finds_the_kernel(kernels_dir):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(kernels_dir.parent))
        yield
