"""Cells that define names which the kernel and the measurements use beside them."""

import pytest

# The function that each magic measures. It has lines that allocate, a loop and a closure.
MEASURED = """const MEMIT_FUNCTION: usize = 98;
fn work(_memit_guard: usize) -> usize {
    let _memit_span = [1u8; 2].to_vec();
    let _memit_end = (0.._memit_guard).map(|n| n * 2);
    MEMIT_FUNCTION + _memit_span.len() + _memit_end.count()
}"""

CELL = """let memit_guard = 1;
let [memit_own_value, memit_loops, memit_left, memit_timed] = [1, 1, 1, 1];
let memit_value: usize = memit_guard + memit_own_value + memit_loops + memit_left + memit_timed;
print!("at ");
std::eprintln!("last");
memit_value"""

MAGICS = [
    "%memit -q -r 1 work(memit_value)",
    "%timeit -q -n 1 -r 1 work(memit_value)",
    "%mprof -q work(memit_value)",
    "%mprun -q -f work work(memit_value)",
    "%lprun -q -f work work(memit_value)",
    "%%mprof -q\nlet memit_own_guard = work(memit_value);\nmemit_own_guard + memit_value",
]

ITEMS = [
    "mod memit { pub fn phase(n: u32) -> u32 { n * 2 } }",
    "mod memit_session {}\nmod evcxr_input {}",
    "mod std {}\nmod core {}\nmod alloc {}",
    "fn profile(n: u32) -> u32 { n + 1 }\nfn phase() {}\nfn timestamp() {}",
    "fn memit_begin() {}\nfn memit_leave() {}\nfn memit_line() {}\nfn memit_panic_was_not_caught() {}",
    "type Result<T> = ::std::result::Result<T, String>;",
    "enum Option { Some, None }\nenum Result { Ok, Err }",
    "struct Ok;\nstruct Err;\nstruct Some;\nstruct None;",
    "fn drop(n: u32) -> u32 { n }",
    "struct Box;\nstruct Vec;\nstruct String;",
    "trait Drop {}\ntrait From {}\ntrait Fn {}\ntrait FnOnce {}\ntrait FnMut {}\ntrait Debug {}",
    "macro_rules! println { () => { 1 }; }\nmacro_rules! vec { () => { 1 }; }",
    "macro_rules! format { () => { 1 }; }\nmacro_rules! panic { () => { 1 }; }\n"
    "macro_rules! format_args { () => { 1 }; }\nmacro_rules! file { () => { 1 }; }",
    "static memit_function: u8 = 1;\nstruct Line;\nstruct Plan;\nstruct Guard;\nfn flush() {}",
]


@pytest.fixture
def empty_kernel(module_kernel):
    module_kernel.run(":clear")
    return module_kernel


@pytest.mark.parametrize("items", ITEMS)
def test_names_of_the_user_clash_with_nothing(empty_kernel, items):
    kernel = empty_kernel
    kernel.run(items)
    kernel.run(MEASURED)
    if "mod std" in items:
        cell = kernel.run(CELL.replace("std::", "::std::"))
    else:
        cell = kernel.run(CELL)
    assert (cell.stdout, cell.stderr, cell.result) == ("at ", "last\n", "5")
    for magic in MAGICS:
        kernel.run(magic)
    assert kernel.run("work(memit_value)").result == "105"
    assert kernel.run('"12".parse::<u8>()?').result == "12"
    failed = kernel.fails('"x".parse::<u8>()?', "Error")
    assert failed.content["evalue"] == "invalid digit found in string"
    panicked = kernel.fails("[1, 2][memit_value]", "Panic")
    assert "cell:1:1" in panicked.traceback
