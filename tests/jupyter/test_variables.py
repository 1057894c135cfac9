"""Variables from cell to cell: what a cell mentions is there, whatever the type and the size; what cannot
be kept ends with its cell, which runs all the same and says so."""

import pytest

from deaf import A_DEAF_THREAD


@pytest.fixture
def kernel(module_kernel):
    yield module_kernel
    module_kernel.check_nothing_is_left()


# Types that the analyser cannot write, by what a later cell does with the variable.
KEPT = {
    "the panic of a thread": (
        "let joined = std::thread::spawn(|| 5).join();",
        "joined.unwrap()",
        "5",
    ),
    "a caught panic": ("let caught = std::panic::catch_unwind(|| 1);", "caught.unwrap()", "1"),
    "an error of any type": (
        'let parsed = "x".parse::<i32>().map_err(|e| Box::new(e) as Box<dyn std::error::Error>);',
        "parsed.is_err()",
        "true",
    ),
    "a thread that never ends": (
        "struct Never<T>(std::marker::PhantomData<T>);\n"
        "fn never_of<T>(_: fn() -> T) -> Never<T> { Never(std::marker::PhantomData) }\n"
        "fn for_ever() -> ! { loop {} }\n"
        "let never = vec![never_of(for_ever)];",
        "never.len()",
        "1",
    ),
    "a boxed closure": (
        "let boxed: Box<dyn Fn(_) -> _> = Box::new(|x: i32| x + 1);",
        "boxed(3)",
        "4",
    ),
    "an iterator with a function": (
        "let lengths = \"a bc\".split(' ').map(str::len as fn(&str) -> usize);",
        "lengths.collect::<Vec<_>>()",
        "[1, 2]",
    ),
}


@pytest.mark.parametrize("first, expression, value", KEPT.values(), ids=KEPT)
def test_a_type_that_the_analyser_cannot_write_is_kept(kernel, first, expression, value):
    assert kernel.run(first).stderr == ""
    assert kernel.value(expression) == value


# Cells whose variable `it` ends with the cell, with the value of the cell and what the note says.
ENDING = {
    "a closure": (
        "let n = 2; let it = |x: i32| x + n; it(1)",
        "3",
        "box the closure: `let it: Box<dyn Fn(_) -> _> = Box::new(move |x: i32| x + n);`",
    ),
    "a closure that owns": (
        "let text = String::from(\"four\"); let it = move || text.len();\nit()",
        "4",
        "the type of a closure has no name",
    ),
    "an iterator with an item of a function type": (
        "let it = \"a bc\".split(char::is_whitespace).map(str::len); it.clone().count()",
        "2",
        "collect the items: `let it = \"a bc\".split(char::is_whitespace).map(str::len).collect",
    ),
    "a future": ("let it = async { 1 }; 5", "5", "box the future"),
    "a closure in a tuple": ("let (it, seven) = (|x: i32| x + 1, 7); it(seven)", "8", "no name"),
    "impl Trait": (
        "fn shape() -> impl Fn() -> u8 { || 9 }\nlet it = shape(); it()",
        "9",
        "its type has no name that another cell could write",
    ),
    "a reference": (
        "let owner = vec![1, 2, 3]; let it = &owner[1..]; it.len()",
        "2",
        "it borrows from `owner`\nhelp: bind a copy: `let it = owner[1..].to_owned();`\n"
        "help: or keep `owner` for good: `let owner = &*Box::leak(Box::new(owner));`, "
        "then `let it = &owner[1..];`",
    ),
    "a guard": (
        "let mutex = std::sync::Mutex::new(1); let it = mutex.lock().unwrap(); *it",
        "1",
        "it borrows from `mutex`",
    ),
    "no value": ("let it: u8; 1", "1", "it has no value at the end of the cell"),
}


@pytest.mark.parametrize("code, value, note", ENDING.values(), ids=ENDING)
def test_a_cell_runs_although_a_variable_cannot_be_kept(kernel, code, value, note):
    cell = kernel.run(code)
    assert cell.result == value
    assert cell.stderr.startswith("`it` is not kept after this cell: ")
    assert note in cell.stderr
    error = kernel.fails("it", "CompileError")
    assert "`it` ended with cell" in error.content["evalue"]
    # The variables beside it are there.
    for name in ["n", "seven", "owner", "mutex"]:
        if f"let {name} " in code or f", {name})" in code:
            kernel.run(f"let _ = &{name};")


def test_a_reference_to_a_variable_of_another_cell_ends_with_its_cell(kernel):
    kernel.run("let all = vec![1, 2, 3, 4];")
    cell = kernel.run("let some = &all[2..];\nsome.len()")
    assert cell.result == "2"
    assert "`some` is not kept after this cell: it borrows from `all`" in cell.stderr
    assert kernel.value("all") == "[1, 2, 3, 4]"


def test_a_closure_in_a_box_keeps_what_it_counts(kernel):
    kernel.run("let mut counted = 0;")
    kernel.run("let mut count: Box<dyn FnMut() -> _> = Box::new(move || { counted += 1; counted });")
    assert kernel.value("count() + count()") == "3"
    assert kernel.value("count()") == "3"


def test_both_ways_that_keep_a_reference_work(kernel):
    kernel.run("let whole = vec![1, 2, 3, 4];")
    kernel.run("let copy = whole[2..4].to_owned();")
    assert kernel.value("copy") == "[3, 4]"
    kernel.run("let whole = &*Box::leak(Box::new(whole));")
    assert kernel.run("let part = &whole[2..4];").stderr == ""
    assert kernel.value("part") == "[3, 4]"
    assert kernel.value("whole.len()") == "4"


def test_a_name_with_an_underscore_ends_silently(kernel):
    assert kernel.run("let _quiet = || 1;").stderr == ""


MOVES = {
    "a loop": ("for x in gone {}", "for x in gone {}"),
    "a call": ("let kept = 1;\ndrop(gone);", "drop(gone);"),
    "a binding": ("let other = gone;", "let other = gone;"),
    "a closure": ("let f = move || gone.len();", "let f = move || gone.len();"),
}


@pytest.mark.parametrize("code, line", MOVES.values(), ids=MOVES)
def test_a_moved_variable_names_the_cell_and_the_line(kernel, code, line):
    kernel.run("let gone = vec![String::new()];")
    number = kernel.execute(code).content["execution_count"]
    error = kernel.fails("1 + gone.len()", "CompileError")
    assert error.content["evalue"] == f"[E0425] `gone` was moved by cell {number} (`{line}`)"
    assert "1 + gone.len()\n" in error.traceback
    assert "^^^^" in error.traceback
    kernel.run("let gone = 5;")
    assert kernel.value("gone") == "5"


BLOCKS = ["{ let a_block = 1; }", "if true { let (an_if, _) = (1, 2); }", "fn f() { let a_fn = 1; }"]


@pytest.mark.parametrize("code, name", zip(BLOCKS, ["a_block", "an_if", "a_fn"]))
def test_a_name_of_a_block_says_where_it_ended(kernel, code, name):
    number = kernel.execute(code).content["execution_count"]
    error = kernel.fails(f"{name} + 1", "CompileError")
    assert error.content["evalue"] == f"[E0425] cannot find value `{name}` in this scope"
    assert f"cell {number} binds `{name}` in a block or a function" in error.traceback


def test_a_moved_variable_is_forgotten_with_undo(kernel):
    kernel.run("let back = vec![1];")
    kernel.run("drop(back);")
    kernel.run("%undo")
    assert kernel.value("back") == "[1]"


@pytest.mark.parametrize("code", ["fixed += 1;", "fixed = 3;", "std::mem::take(&mut fixed);"])
def test_an_immutable_variable_names_the_cell_of_its_let(kernel, code):
    number = kernel.execute("let fixed = 1;").content["execution_count"]
    error = kernel.fails(code, "CompileError")
    assert f"`fixed` is bound in cell {number} without `mut`" in error.traceback
    assert "evcxr" not in error.traceback


def test_large_values_are_variables_like_others(fresh_kernel):
    kernel = fresh_kernel
    for at in range(3):
        kernel.run(f"let block{at} = [{at}u8; 3 << 20];")
    kernel.run("let huge = [1u8; 16 << 20];")
    kernel.run("let floats = [1.0f64; 600_000]; let twice = (floats, floats);")
    assert kernel.value("1 + 1") == "2"
    assert kernel.value("block0.len() + block1.len() + block2.len()") == str(3 * (3 << 20))
    assert kernel.value("huge.len() + twice.0.len()") == str((16 << 20) + 600_000)


def test_a_deep_recursion_still_ends_at_the_stacks_end(kernel):
    kernel.run("let survivor = 1;")
    kernel.run("fn deep(n: u64) -> u64 { if n == 0 { 0 } else { std::hint::black_box(deep(n - 1)) + 1 } }")
    # More than fits on a stack of 8 MiB.
    assert kernel.value("deep(1_000_000)") == "1000000"
    kernel.fails("deep(u64::MAX)", "ProcessEnded")
    assert kernel.value("survivor") == "1"


def test_the_stack_is_not_charged_to_a_measurement(kernel):
    measured = kernel.run("%memit 1 + 1").json
    assert measured["increment"] < 4 << 20
    assert all(run["heap_peak"] < 4096 for run in measured["runs"])


def test_a_cell_mentions_variables_in_format_strings_macros_and_magics(kernel):
    kernel.run("let first = 1; let second = vec![2]; let mut third = 3;")
    assert kernel.run('println!("{first} {second:?}");').stdout == "1 [2]\n"
    assert kernel.value('format!("{first:>3}")') == '"  1"'
    assert kernel.run("%timeit -n 1 -r 1 -q -o second.len() + first as usize").stderr == ""
    kernel.run("%memit second.clone()")
    kernel.run("third += first;")
    assert kernel.value("third") == "4"


def test_shadowing_takes_the_old_value(kernel):
    kernel.run("let chain = vec![1];")
    kernel.run("let chain = chain.len() + 1; let chain = format!(\"{chain}\");")
    assert kernel.value("chain") == '"2"'


SHADOWS = {
    "a reference": ("let shadowed = &shadowed;", "it borrows"),
    "a closure": ("let shadowed = |x: u8| x; shadowed(1);", "closure"),
    "an iterator": ("let shadowed = shadowed.iter().map(usize::clone);", "it borrows"),
}


@pytest.mark.parametrize("code, reason", SHADOWS.values(), ids=SHADOWS)
def test_what_cannot_be_kept_does_not_end_the_older_variable_of_its_name(kernel, code, reason):
    kernel.run("let shadowed = vec![1usize, 2];")
    assert reason in kernel.run(code).stderr
    assert kernel.value("shadowed") == "[1, 2]"


def test_a_panic_without_a_checkpoint_drops_no_variable(fresh_kernel):
    kernel = fresh_kernel
    kernel.run("let kept = vec![1]; let moved = vec![2];")
    kernel.run(A_DEAF_THREAD)
    kernel.fails('let new = 1; drop(moved); assert!(kept.is_empty());', "Panic")
    assert kernel.value("kept") == "[1]"
    assert "was moved by cell" in kernel.fails("moved", "CompileError").content["evalue"]


def test_variables_are_listed_with_types_that_can_be_written(kernel):
    kernel.run("let listed = std::thread::spawn(|| 5).join();")
    assert "listed: Result<i32, Box<dyn std::any::Any" in kernel.run(":vars").result
    assert kernel.run(":type listed").result.startswith("listed: Result<i32")
    assert "did you mean `listed`?" in kernel.fails(":type listd", "CommandError").content["evalue"]


def test_variables_are_completed_and_checked(kernel):
    kernel.run("let completed_name = vec![1];")
    assert "completed_name" in kernel.complete("completed_n")["matches"]
    assert "len" in [m.split("(")[0] for m in kernel.complete("completed_name.le")["matches"]]
    assert not [m for m in kernel.complete("memit_")["matches"] if "variables" in m or "unseen" in m]
