"""A cell is compiled without the bodies of functions that it does not call. Nothing shows that: cells mean
the same, errors are those of all functions, and lines are the user's."""

import pytest


@pytest.fixture
def kernel(module_kernel):
    yield module_kernel
    module_kernel.check_nothing_is_left()


# Functions that are long enough to be left out, and cells that call them, by the value of the cell.
CALLED = {
    "by name": ("fn double1(n: u64) -> u64 {\n    n * 2\n}", "double1(4)", "8"),
    "by another function": (
        "fn inner2(n: u64) -> u64 {\n    n + 1\n}\nfn outer2(n: u64) -> u64 {\n    inner2(n)\n}",
        "outer2(4)",
        "5",
    ),
    "in a module": ("mod m3 {\n    pub fn f3() -> u8 {\n        3\n    }\n}", "m3::f3()", "3"),
    "under another name": (
        "mod m4 {\n    pub fn f4() -> u8 {\n        4\n    }\n}\nuse m4::f4 as four4;",
        "four4()",
        "4",
    ),
    "by everything of a module": (
        "mod m5 {\n    pub fn f5() -> u8 {\n        5\n    }\n}\nuse m5::*;",
        "f5()",
        "5",
    ),
    "by a macro": (
        "fn f6() -> u8 {\n    6\n}\nmacro_rules! call6 {\n    () => { f6() };\n}",
        "call6!()",
        "6",
    ),
    "by an operator": (
        "#[derive(Debug)]\nstruct P7(u8);\nimpl std::ops::Add for P7 {\n    type Output = P7;\n"
        "    fn add(self, other: P7) -> P7 {\n        P7(self.0 + other.0)\n    }\n}",
        "P7(3) + P7(4)",
        "P7(7)",
    ),
    "by the end of a value": (
        "static ENDED8: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);\n"
        "fn note8() {\n    ENDED8.fetch_add(1, std::sync::atomic::Ordering::Relaxed);\n}\n"
        "struct G8;\nimpl Drop for G8 {\n    fn drop(&mut self) {\n        note8()\n    }\n}\n"
        "fn make8() -> G8 {\n    G8\n}",
        "drop(make8()); ENDED8.load(std::sync::atomic::Ordering::Relaxed)",
        "1",
    ),
    "by the loop of an iterator": (
        "struct Up9(u8);\nimpl Iterator for Up9 {\n    type Item = u8;\n"
        "    fn next(&mut self) -> Option<u8> {\n        self.0 += 1;\n"
        "        (self.0 < 4).then_some(self.0)\n    }\n}",
        "let mut sum9 = 0; for n in Up9(0) { sum9 += n } sum9",
        "6",
    ),
    "by a default of a trait": (
        "trait Named10 {\n    fn name10(&self) -> String {\n        long10()\n    }\n}\n"
        "fn long10() -> String {\n    \"ten\".to_owned()\n}\nimpl Named10 for u8 {}",
        "1u8.name10()",
        '"ten"',
    ),
    "behind dyn": (
        "trait Area11 {\n    fn area(&self) -> f64;\n}\nstruct Square11(f64);\n"
        "impl Area11 for Square11 {\n    fn area(&self) -> f64 {\n        self.0 * self.0\n    }\n}\n"
        "fn shape11() -> Box<dyn Area11> {\n    Box::new(Square11(3.0))\n}",
        "shape11().area()",
        "9.0",
    ),
    "by an inferred default": (
        "#[derive(Debug)]\nstruct D12(u8);\nimpl Default for D12 {\n    fn default() -> D12 {\n"
        "        D12(12)\n    }\n}\nfn take12(d: D12) -> u8 {\n    d.0\n}",
        "take12(Default::default())",
        "12",
    ),
    "by a table": (
        "fn f13() -> u8 {\n    13\n}\nfn g13() -> u8 {\n    14\n}\n"
        "static TABLE13: [fn() -> u8; 2] = [f13, g13];",
        "TABLE13[1]()",
        "14",
    ),
    "as a method of a generic type": (
        "struct Stack14<T>(Vec<T>);\nimpl<T: Clone> Stack14<T> {\n    fn twice(&self) -> Vec<T> {\n"
        "        [self.0.clone(), self.0.clone()].concat()\n    }\n}",
        "Stack14(vec![1, 2]).twice()",
        "[1, 2, 1, 2]",
    ),
    "by await": (
        "async fn later15() -> u8 {\n    std::future::ready(15).await\n}\n"
        "fn poll15<F: std::future::Future>(future: F) -> F::Output {\n"
        "    let mut future = std::pin::pin!(future);\n"
        "    let mut context = std::task::Context::from_waker(std::task::Waker::noop());\n"
        "    loop {\n        if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut context) {\n"
        "            return value;\n        }\n    }\n}",
        "poll15(later15())",
        "15",
    ),
    "as a value of a variable": ("fn f16() -> u8 {\n    16\n}", "{ let f = f16; f() }", "16"),
}


@pytest.mark.parametrize("items, call, value", CALLED.values(), ids=CALLED)
def test_what_a_cell_calls_is_there(kernel, items, call, value):
    kernel.run(items)
    # The items are known now, and this cell calls none.
    assert kernel.value("1 + 1") == "2"
    assert kernel.value(call) == value


def test_a_function_that_no_name_tells_is_found(kernel, tmp_path):
    kernel.run("fn hidden20() -> u8 {\n    20\n}\nfn other20() -> u8 {\n    21\n}")
    assert kernel.value("1 + 1") == "2"
    call = tmp_path / "call.rs"
    call.write_text("hidden20()")
    for _ in range(2):
        assert kernel.value(f'include!("{call}")') == "20"
        assert kernel.value("1 + 1") == "2"
    kernel.run(f'fn included20() -> u8 {{\n    include!("{call}")\n}}')
    assert kernel.value("included20()") == "20"


def test_an_exported_function_is_a_part_of_every_cell(kernel):
    kernel.run(
        "fn helper28() -> u8 {\n    28\n}\n"
        '#[unsafe(no_mangle)]\npub extern "C" fn exported28() -> u8 {\n    helper28()\n}'
    )
    assert kernel.value("1 + 1") == "2"
    assert kernel.value("exported28()") == "28"


def test_a_changed_item_meets_all_functions(kernel):
    kernel.run("struct Point21 {\n    x: u8,\n}\nfn x21(p: &Point21) -> u8 {\n    p.x\n}")
    assert kernel.value("1 + 1") == "2"
    error = kernel.fails("struct Point21 {\n    y: u8,\n}", "CompileError")
    assert "no field `x`" in error.traceback
    assert kernel.value("x21(&Point21 { x: 21 })") == "21"


def test_a_deleted_item_meets_all_functions(kernel):
    kernel.run("const N22: u8 = 22;")
    kernel.run("fn n22() -> u8 {\n    N22\n}")
    assert kernel.value("1 + 1") == "2"
    assert "N22" in kernel.fails("%xdel N22").traceback
    assert kernel.value("n22()") == "22"


def test_an_error_in_a_new_function_is_told_about_the_function(kernel):
    kernel.run("fn old23() -> u8 {\n    23\n}")
    error = kernel.fails("fn new23() -> u16 {\n    old23()\n}", "CompileError")
    assert "expected `u16`, found `u8`" in error.traceback
    assert "old23()" in error.traceback
    assert kernel.value("old23()") == "23"


def test_a_warning_about_a_parameter_does_not_come_from_a_left_out_body(kernel):
    kernel.run("fn unused24(n: u8, m: u8) -> u8 {\n    n + m\n}")
    assert kernel.run("1 + 1").stderr == ""
    assert kernel.run("let sum24 = unused24(1, 2);").stderr == ""


def test_a_panic_behind_left_out_bodies_is_in_its_line(kernel):
    kernel.run(
        "mod m25 {\n    pub fn quiet(n: u8) -> u8 {\n        let m = n;\n        m\n    }\n"
        '    pub fn loud(n: u8) -> u8 {\n        if n > 1 { panic!("loud25") }\n        n\n    }\n}'
    )
    assert kernel.value("1 + 1") == "2"
    error = kernel.fails("m25::loud(7)", "Panic")
    assert 'if n > 1 { panic!("loud25") }' in error.traceback
    assert kernel.value("m25::loud(1)") == "1"


def test_functions_that_are_measured_have_their_bodies(kernel):
    kernel.run(
        "fn allocate26(n: usize) -> Vec<u8> {\n    let inner = grow26(n);\n    inner\n}\n"
        "fn grow26(n: usize) -> Vec<u8> {\n    vec![1; n]\n}"
    )
    assert kernel.value("1 + 1") == "2"
    assert "1.00 MiB" in kernel.run("%memit allocate26(1 << 20)").text
    assert "vec![1; n]" in kernel.run("%mprun -f grow26 allocate26(1 << 20)").text
    assert "inner" in kernel.run("%lprun -f allocate26 allocate26(1 << 20)").text


def test_undo_takes_functions_away(kernel):
    kernel.run("fn first27() -> u8 {\n    1\n}")
    kernel.run("fn first27() -> u8 {\n    2\n}")
    assert kernel.value("first27()") == "2"
    kernel.run("fn other27() -> u8 {\n    first27()\n}")
    for _ in range(3):
        kernel.run("%undo")
    assert kernel.value("first27()") == "1"
    kernel.fails("other27()", "CompileError")
