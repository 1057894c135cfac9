"""What evcxr's users know: its commands, its dependencies; and what memit compiles differently."""

import re

import pytest


def test_vars_lists_variables_with_their_types(kernel):
    kernel.run("let listed_by_vars: u16 = 7;")
    cell = kernel.run(":vars")
    text = cell.stdout + str(cell.outputs)
    assert "listed_by_vars" in text
    assert "u16" in text


def test_help_lists_the_commands(kernel):
    cell = kernel.run(":help")
    assert ":dep" in cell.stdout + str(cell.outputs)


def test_type_shows_the_type_of_a_variable(kernel):
    kernel.run("let typed = vec![1u8];")
    cell = kernel.run(":type typed")
    assert "Vec<u8>" in cell.stdout + str(cell.outputs)


def test_a_shell_line_prints_what_the_command_prints(kernel):
    cell = kernel.run("!echo hi")
    assert "hi" in cell.stdout + str(cell.outputs)


def test_code_is_compiled_as_in_a_release(kernel):
    assert kernel.value("cfg!(debug_assertions)") == "false"
    assert kernel.value("let x: u8 = std::hint::black_box(255); x.wrapping_add(1)") == "0"
    # Where overflow is checked this panics.
    assert kernel.value("std::hint::black_box(255u8) + std::hint::black_box(1)") == "0"
    kernel.run("debug_assert!(std::hint::black_box(false));")


def test_cells_are_compiled_against_the_store_of_the_session(kernel):
    # evcxr's own is a module of each cell, and takes longer to compile than most cells.
    kernel.run("let stored = 1;")
    store = kernel.value("std::any::type_name::<evcxr_internal_runtime::VariableStore>()")
    assert store == '"memit_session::variable_store::VariableStore"'
    assert kernel.value("stored") == "1"


def test_the_level_of_optimisation_can_be_lowered_and_raised_again(kernel):
    kernel.run("let of_every_level = vec![1u64; 1000];")
    kernel.run(":opt 0")
    try:
        slow = kernel.run("%timeit -r 3 of_every_level.iter().map(|x| x * x).sum::<u64>()").json
    finally:
        kernel.run(":opt 3")
    fast = kernel.run("%timeit -r 3 of_every_level.iter().map(|x| x * x).sum::<u64>()").json
    # It is some thirty times, which noise cannot turn round.
    assert slow["best"] > 3 * fast["best"]


# Some seconds of work for the compiler.
SLOW = "#![allow(long_running_const_eval)]\n" \
    "const STEPS: u32 = { let mut i = 0; while i < 6_000_000 { i += 1; } i };" \
    "pub fn steps() -> u32 { STEPS }"


@pytest.fixture(scope="module")
def make_crate(tmp_path_factory):
    """Writes crates on this machine, so that no test needs a network."""

    def make(name, source, more=""):
        path = tmp_path_factory.mktemp("crates") / name
        (path / "src").mkdir(parents=True)
        (path / "Cargo.toml").write_text(
            f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2024"\n\n{more}'
        )
        (path / "src" / "lib.rs").write_text(source)
        return path

    return make


@pytest.fixture(scope="module")
def crate(make_crate):
    return make_crate(
        "local_crate",
        """
        pub fn greeting() -> &'static str {
            if cfg!(feature = "loud") { "HELLO" } else { "hello" }
        }
        pub fn is_checked() -> bool { cfg!(debug_assertions) }
        pub fn block(length: usize) -> Vec<u8> { vec![1; length] }
        """,
        "[features]\nloud = []\n",
    )


@pytest.fixture
def own_kernel(module_kernel):
    """A kernel that may get dependencies, which every later cell would have to be linked with."""
    yield module_kernel
    module_kernel.check_nothing_is_left()


def test_a_dependency_is_built_as_a_release_and_measured(own_kernel, crate):
    kernel = own_kernel
    before = kernel.run(
        "#[derive(Debug)] struct OfTheNotebook(u8);"
        "let before_the_dependency = vec![OfTheNotebook(5)];"
    )
    assert before.outputs == []
    kernel.run(f':dep local_crate = {{ path = "{crate}", features = ["loud"] }}')
    cell = kernel.run("local_crate::greeting()")
    assert cell.result == '"HELLO"'
    assert kernel.value("local_crate::is_checked()") == "false"
    assert kernel.value("before_the_dependency") == "[OfTheNotebook(5)]"
    measured = kernel.run("%memit local_crate::block(3 << 20)").json
    assert 3 << 20 <= measured["runs"][0]["heap_peak"] < (3 << 20) + 8192


def test_a_magic_may_follow_a_dependency_in_the_same_cell(own_kernel, crate):
    cell = own_kernel.run(
        f':dep local_crate = {{ path = "{crate}" }}\n%memit -r 1 local_crate::block(1 << 20)'
    )
    assert cell.json["runs"][0]["allocations"] == 1


def test_a_dependency_that_does_not_exist_is_an_error_and_no_more(own_kernel, tmp_path):
    kernel = own_kernel
    kernel.run("let still_here = 1;")
    kernel.fails(f':dep not_there = {{ path = "{tmp_path}/not_there" }}\n1')
    assert kernel.value("still_here") == "1"


def test_the_crate_being_compiled_is_shown_and_nothing_of_that_stays(own_kernel, make_crate):
    crate = make_crate("slow_to_compile", SLOW)
    cell = own_kernel.run(f':dep slow_to_compile = {{ path = "{crate}" }}\nslow_to_compile::steps()')
    shown = [content["data"]["text/plain"] for content in cell.of_type("display_data")]
    assert all(text.startswith("Compiling slow_to_compile …") for text in shown) and shown
    assert [m["msg_type"] for m in cell.outputs] == ["execute_result"]


def test_a_bar_shows_how_many_crates_are_compiled(own_kernel, make_crate):
    quick = make_crate("quick_below", "pub fn one() -> u32 { 1 }")
    slow = make_crate("slow_between", SLOW, f'[dependencies]\nquick_below = {{ path = "{quick}" }}\n')
    above = make_crate("quick_above", "pub use slow_between::steps;",
                       f'[dependencies]\nslow_between = {{ path = "{slow}" }}\n')
    cell = own_kernel.run(f':dep quick_above = {{ path = "{above}" }}\nquick_above::steps()')
    updates = cell.of_type("display_data") + cell.of_type("update_display_data")
    shown = [content["data"]["text/plain"] for content in updates]
    bars = [re.fullmatch(r"Compiling slow_between … █+░+ (\d+) of (\d+) crates", text) for text in shown]
    (built, every) = next(found for found in bars if found).groups()
    assert int(every) - int(built) == 2 and int(built) >= 1
    assert [m["msg_type"] for m in cell.outputs] == ["execute_result"]


def test_a_build_script_that_runs_is_shown_and_earlier_output_stays(own_kernel, make_crate):
    crate = make_crate("slow_to_build", "pub fn answer() -> u32 { 42 }")
    (crate / "build.rs").write_text(
        "fn main() { std::thread::sleep(std::time::Duration::from_secs(2)); }"
    )
    cell = own_kernel.run(
        f'println!("before");\n%memit -q -r 1 0\n'
        f':dep slow_to_build = {{ path = "{crate}" }}\nslow_to_build::answer()'
    )
    updates = cell.of_type("display_data") + cell.of_type("update_display_data")
    shown = [content["data"]["text/plain"] for content in updates]
    assert any(text.startswith("Compiling slow_to_build (build script) …") for text in shown)
    assert [m["msg_type"] for m in cell.outputs] == ["stream", "execute_result"]


def test_items_types_and_traits_are_kept_and_can_be_redefined(kernel):
    kernel.run("#[derive(Debug, Clone)] struct Redefined { a: u8 }\nlet r_one = Redefined { a: 1 };")
    assert kernel.value("r_one.a") == "1"
    kernel.run("fn redefined() -> u8 { 1 }")
    assert kernel.value("redefined()") == "1"
    kernel.run("fn redefined() -> u8 { 2 }")
    assert kernel.value("redefined()") == "2"


def test_a_question_mark_at_the_top_of_a_cell_shows_the_error(kernel):
    cell = kernel.execute('let n: i32 = "x".parse()?;')
    shown = cell.stdout + cell.stderr + str(cell.content)
    assert "ParseIntError" in shown or "invalid digit" in shown
    assert kernel.value("1 + 1") == "2"


@pytest.mark.parametrize(
    "command", [":sccache 1", "// faster\n:sccache", ":time_passes", ":preserve_vars_on_panic 0"]
)
def test_a_command_without_an_effect_says_so_and_takes_no_line_along(own_kernel, crate, command):
    name = command.split("\n")[-1]
    cell = own_kernel.run(f':timing\n{command}\n:dep local_crate = {{ path = "{crate}" }}\n:timing')
    shown = "".join(content["data"]["text/plain"] for content in cell.of_type("display_data"))
    assert f"`{name}` has no effect here" in shown
    assert own_kernel.run("local_crate::greeting().len()").result == "5"


@pytest.mark.parametrize("key", ["default_features = false", "default_features=true"])
def test_a_dependency_may_spell_default_features_with_an_underscore(own_kernel, crate, key):
    own_kernel.run(f':dep local_crate = {{ path = "{crate}", {key}, features = ["loud"] }}')
    assert own_kernel.run("local_crate::greeting()").result == '"HELLO"'
    own_kernel.run("let after_default_features = 1;")
    own_kernel.run("%undo")
    assert own_kernel.run("local_crate::greeting()").result == '"HELLO"'


@pytest.mark.parametrize(
    ("command", "help"),
    [(":deps", "`:dep`"), (":tming", "`:timing`"), (":no_such_command", "`:help`")],
)
def test_an_unknown_command_names_the_nearest(kernel, command, help):
    traceback = kernel.fails(f"// one\n{command} x\n1", "CommandError").traceback
    assert f"there is no command `{command}`" in traceback
    assert help in traceback
    assert "cell:2:1" in traceback


@pytest.mark.parametrize("command", [":quit", ":exit", ":restart", "// new\n:restart", ":q"])
def test_a_command_that_would_end_the_session_says_what_to_do(kernel, command):
    kernel.run("let here = 5;")
    cell = kernel.run(f"{command}\nhere")
    assert "has no effect here" in cell.text
    assert cell.result == "5"
    assert kernel.run("here + 1").result == "6"


def test_help_and_version_name_memit(kernel):
    assert "%lsmagic" in kernel.run(":help").text
    assert kernel.run(":version").text.startswith("memit ")
