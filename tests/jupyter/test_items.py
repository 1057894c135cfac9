"""What a new item replaces, and what it leaves alone."""

import pytest


@pytest.fixture
def kernel(module_kernel):
    yield module_kernel
    module_kernel.check_nothing_is_left()


def test_an_implementation_of_a_trait_is_replaced(kernel):
    kernel.run("struct Cat;\ntrait Speak { fn speak(&self) -> String; }")
    for word in ["miaow", "purr", "hiss"]:
        cell = f'impl Speak for Cat {{ fn speak(&self) -> String {{ "{word}".into() }} }}\nCat.speak()'
        assert kernel.value(cell) == f'"{word}"'
    kernel.run("%undo")
    assert kernel.value("Cat.speak()") == '"purr"'


def test_an_inherent_implementation_is_replaced_and_others_stay(kernel):
    kernel.run("#[derive(Debug)] struct Person { age: u8 }\nlet person = Person { age: 31 };")
    for more, limit, sum_ in [(1, 99, "32"), (10, 98, "41")]:
        cell = (
            f"impl Person {{ fn older(&self) -> u8 {{ self.age + {more} }}"
            f" const LIMIT: u32 = {limit}; }}\nperson.older()"
        )
        assert kernel.value(cell) == sum_
        kernel.run("impl Person { fn is_old(&self) -> bool { self.age as u32 > Self::LIMIT } }")
    assert kernel.value("(person.older(), person.is_old(), &person)") == "(41, false, Person { age: 31 })"


@pytest.mark.parametrize(
    "definitions, first, second, expression, values",
    [
        (
            "struct Loud { n: u8 }",
            'impl Drop for Loud { fn drop(&mut self) { println!("first"); } }',
            'impl Drop for Loud { fn drop(&mut self) { println!("second"); } }',
            "{ let _ = Loud { n: 1 }; }",
            ("first\n", "second\n"),
        ),
        (
            "struct Counter(u32);",
            "impl Iterator for Counter { type Item = u32; fn next(&mut self) -> Option<u32> { Some(1) } }",
            "impl Iterator for Counter { type Item = u32; fn next(&mut self) -> Option<u32> { Some(2) } }",
            'print!("{}", Counter(0).next().unwrap());',
            ("1", "2"),
        ),
        (
            "trait Tell { fn tell(&self) -> String; }",
            'impl<T: std::fmt::Debug> Tell for T { fn tell(&self) -> String { format!("a {self:?}") } }',
            'impl<U: std::fmt::Debug> Tell for U { fn tell(&self) -> String { format!("b {self:?}") } }',
            'print!("{}", 5.tell());',
            ("a 5", "b 5"),
        ),
        (
            "struct Metre(f64);",
            "impl From<u32> for Metre { fn from(n: u32) -> Self { Metre(n as f64) } }",
            "impl From<u32> for Metre { fn from(n: u32) -> Self { Metre(n as f64 * 2.0) } }",
            'print!("{}", Metre::from(2u32).0);',
            ("2", "4"),
        ),
        (
            "",
            'mod inner { pub fn name() -> &\'static str { "first" } }',
            'mod inner { pub fn name() -> &\'static str { "second" } }',
            'print!("{}", inner::name());',
            ("first", "second"),
        ),
        ("", 'fn main() { print!("first"); }', 'fn main() { print!("second"); }', "main();", ("first", "second")),
    ],
)
def test_items_of_other_kinds_are_replaced(kernel, definitions, first, second, expression, values):
    kernel.run(f"{definitions}\n{first}")
    assert kernel.run(expression).stdout == values[0]
    kernel.run(second)
    assert kernel.run(expression).stdout == values[1]
    assert kernel.run(f"{second}\n{expression}").stdout == values[1]


def test_an_implementation_does_not_belong_to_the_item_before_it(kernel):
    kernel.run(
        "struct Place { x: i32 }\nfn helper() -> i32 { 1 }\nimpl Place { fn get(&self) -> i32 { self.x } }"
    )
    kernel.run("fn helper() -> i32 { 2 }")
    assert kernel.value("Place { x: 1 }.get() + helper()") == "3"


def test_an_error_in_an_implementation_points_at_its_line_and_column(kernel):
    cell = kernel.fails("struct Wrong;\n\nimpl Wrong {\n    fn get(&self) -> u8 { missing }\n}", "CompileError")
    assert any("cell:4:27" in line for line in cell.content["traceback"]), cell.traceback
    cell = kernel.fails("impl Missing { fn get() {} }", "CompileError")
    assert any("cell:1:6" in line for line in cell.content["traceback"]), cell.traceback


def test_a_macro_is_known_wherever_it_is_used(kernel):
    kernel.run(
        "macro_rules! helper_of_f { () => { 1 }; }\nfn f(n: u8) -> u8 { helper_of_f!() + n }\n"
        "mod deep { pub fn g() -> u8 { helper_of_f!() } }"
    )
    for number in range(4):
        kernel.run("\n".join(f"fn filler_{number}_{n}() {{}}" for n in range(7)))
        assert kernel.value("f(1) + deep::g()") == "3"
    kernel.run("macro_rules! helper_of_f { () => { 10 }; }")
    assert kernel.value("f(1) + deep::g()") == "21"


def test_a_cell_with_a_type_and_its_implementations_can_be_edited_and_run_again(kernel):
    kernel.run(
        "struct Edited { x: u8 }\nimpl Edited { fn x(&self) -> u8 { self.x } }\n"
        "impl std::fmt::Debug for Edited { fn fmt(&self, f: &mut std::fmt::Formatter)"
        ' -> std::fmt::Result { f.write_str("by hand") } }'
    )
    kernel.run("impl Edited { fn of_another_cell(&self) -> u8 { 7 } }")
    # Another field, another method, and a derived `Debug`.
    kernel.run("#[derive(Debug)] struct Edited { y: u8 }\nimpl Edited { fn y(&self) -> u8 { self.y } }")
    assert kernel.value("let edited = Edited { y: 5 }; (edited.y(), edited.of_another_cell(), edited)") == (
        "(5, 7, Edited { y: 5 })"
    )
    kernel.run("%undo")
    kernel.run("%undo")
    assert kernel.value("Edited { x: 1 }") == "by hand"
