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


def test_an_import_is_replaced_by_another_of_its_name(kernel):
    kernel.run("use std::collections::{HashMap, HashSet};")
    kernel.run("use std::collections::{BTreeMap as Sorted, HashMap};")
    sizes = "HashMap::<u8, u8>::new().len() + Sorted::<u8, u8>::new().len() + HashSet::<u8>::new().len()"
    assert kernel.value(sizes) == "0"
    for path, value in [("std::fmt::Result", "Ok(())"), ("std::io::Result<u8>", "Ok(1)")]:
        name = path.split("<")[0]
        cell = f"use {name} as Outcome;\nlet outcome: Outcome{path.removeprefix(name)} = {value}; outcome"
        assert kernel.value(cell) == value
    kernel.run("mod shown { pub fn one() -> u8 { 1 } pub fn two() -> u8 { 2 } }\nuse shown::*;")
    kernel.run("use shown::*;")
    assert kernel.value("one() + two()") == "3"
    kernel.run("mod shown { pub fn one() -> u8 { 10 } }\nuse shown::{self as again, *};")
    assert kernel.value("one()") == "10"
    kernel.run("fn one() -> u8 { 100 }")
    assert kernel.value("one() + shown::one()") == "110"
    kernel.run("use shown::one;")
    assert kernel.value("one()") == "10"
    kernel.run("use std::io::Write as _;")
    kernel.run("use std::io::Write as _;")
    assert kernel.value("std::io::stdout().flush().is_ok()") == "true"


def test_main_can_be_written_again_with_another_type(kernel):
    kernel.run('fn main() { println!("one"); }\nmain()')
    assert kernel.run('fn main() { println!("two"); }\nmain()').stdout == "two\n"
    returning = (
        "fn main() -> Result<(), Box<dyn std::error::Error>> { let n: u8 = \"3\".parse()?;"
        ' println!("{n}"); Ok(()) }'
    )
    assert kernel.run(f"{returning}\nmain()?;").stdout == "3\n"
    assert kernel.run("fn main() {}\nmain();").stdout == ""


def test_a_module_in_a_module_is_replaced_with_it(kernel):
    for number in ["1", "2"]:
        kernel.run(f"mod outer {{ pub mod inner {{ pub const N: u8 = {number}; }} }}\nuse outer::inner::N as M;")
        assert kernel.value("outer::inner::N + M") == str(2 * int(number))


def test_an_implementation_is_replaced_in_whichever_way_its_trait_is_written(kernel):
    kernel.run("struct Written(u8);")
    for number, header in enumerate([
        "impl std::fmt::Debug for Written { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result",
        "use std::fmt;\nimpl fmt::Debug for Written { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result",
        "use std::fmt::Debug;\nimpl Debug for Written { fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result",
    ]):
        kernel.run(f'{header} {{ write!(f, "{number}") }} }}')
        assert kernel.value("Written(0)") == str(number)
    kernel.run("use std::io;\nimpl From<io::Error> for Written { fn from(_: io::Error) -> Self { Written(1) } }")
    kernel.run("impl From<std::io::Error> for Written { fn from(_: std::io::Error) -> Self { Written(2) } }")
    assert kernel.value('Written::from(io::Error::other("x")).0') == "2"


def test_a_blanket_implementation_and_one_that_drops_are_replaced(kernel):
    kernel.run("struct Wide(u64);\ntrait Tally { fn tally(&self) -> usize; }")
    for factor, header in [
        ("1", "impl<T: Into<u64>> From<T> for Wide { fn from(t: T) -> Wide"),
        ("2", "impl<U> From<U> for Wide where U: Into<u64> { fn from(t: U) -> Wide"),
    ]:
        kernel.run(f"{header} {{ Wide(t.into() * {factor}) }} }}")
        assert kernel.value("Wide::from(5u8).0") == str(5 * int(factor))
    for factor, header in [("1", "impl<T> Tally for [T]"), ("3", "impl<Item: Sized> Tally for [Item]")]:
        kernel.run(f"{header} {{ fn tally(&self) -> usize {{ self.len() * {factor} }} }}")
        assert kernel.value("[1, 2].tally()") == str(2 * int(factor))
    kernel.run("struct Dropped<T>(T);\nlet dropped = Dropped(1);")
    for word in ["first", "second"]:
        kernel.run(f'impl<T> Drop for Dropped<T> {{ fn drop(&mut self) {{ print!("{word}"); }} }}')
    assert kernel.run("drop(dropped);").stdout == "second"
