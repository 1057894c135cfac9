"""A definition is edited while a variable depends on it: the variable is kept if nothing has changed,
and dropped with a note if something has. Old bytes are never read as a new type."""

import pytest


@pytest.fixture
def kernel(module_kernel):
    yield module_kernel
    module_kernel.check_nothing_is_left()


# The definitions, their edit, and a variable that depends on them.
EDITS = {
    "a field": ("struct R1 { value: u32 }", "struct R1 { value: String }", "R1 { value: 7 }", "R1"),
    "a field inside": (
        "struct Corner2 { x: i32 }\nstruct Shape2 { corner: Corner2 }",
        "struct Corner2 { x: f64 }",
        "vec![Shape2 { corner: Corner2 { x: 1 } }]",
        "Corner2",
    ),
    "a payload": (
        "enum Event3 { Start(u64), Stop }",
        "enum Event3 { Start(String), Stop }",
        "vec![Event3::Start(5), Event3::Stop]",
        "Event3",
    ),
    "the length of an array": (
        "const N4: usize = 2;\nstruct Block4 { data: [u64; N4] }",
        "const N4: usize = 4;",
        "Block4 { data: [1; N4] }",
        "N4",
    ),
    "an alias": (
        "type Id5 = u32;\nstruct User5 { id: Id5 }",
        "type Id5 = String;",
        "User5 { id: 29557 }",
        "Id5",
    ),
    "an associated type": (
        "trait Has6 { type Out; }\nstruct Key6;\nimpl Has6 for Key6 { type Out = u32; }\n"
        "struct Wrap6<T: Has6> { out: T::Out }",
        "impl Has6 for Key6 { type Out = String; }",
        "Wrap6::<Key6> { out: 115 }",
        "Out",
    ),
    "a trait behind Box<dyn …>": (
        "trait Shape7 { fn area(&self) -> f64; fn sides(&self) -> u8; }\nstruct Square7(f64);\n"
        "impl Shape7 for Square7 { fn area(&self) -> f64 { self.0 } fn sides(&self) -> u8 { 4 } }",
        "trait Shape7 { fn name(&self) -> String { String::new() } fn area(&self) -> f64;"
        " fn sides(&self) -> u8; }",
        "{ let shape: Box<dyn Shape7> = Box::new(Square7(2.0)); shape }",
        "Shape7",
    ),
    "a function type": (
        "type Call8 = fn(u8) -> u8;\nstruct Holder8 { call: Call8 }",
        "type Call8 = fn(f64) -> f64;",
        "Holder8 { call: |n| n }",
        "Call8",
    ),
    "a type in a generic type": (
        "struct Outer9<T>(Vec<T>);\nstruct Inner9(u8);",
        "struct Inner9(u64);",
        "Outer9(vec![Inner9(1), Inner9(2)])",
        "Inner9",
    ),
    "a type behind Any": (
        "use std::any::Any;\nstruct Hidden10(u32);",
        "struct Hidden10(String);",
        "{ let bag: Vec<Box<dyn Any>> = vec![Box::new(Hidden10(1))]; bag }",
        "Hidden10",
    ),
}


@pytest.mark.parametrize("kind", EDITS)
def test_a_variable_is_dropped_when_its_type_changes(kernel, kind):
    before, after, value, changed = EDITS[kind]
    number = list(EDITS).index(kind)
    variable = f"held_{number}"
    kernel.run(f"{before}\nlet {variable} = {value};\nlet other_{number} = {number};")
    edited = kernel.run(after)
    assert f"`{variable}` was dropped: `{changed}`, " in edited.stderr
    assert f"was redefined in cell {edited.content['execution_count']}\n" in edited.stderr
    assert f"`other_{number}`" not in edited.stderr
    assert kernel.value(f"other_{number}") == str(number)
    missing = kernel.fails(f"let _ = &{variable};", "CompileError")
    assert missing.content["evalue"] == (
        f"[E0425] `{variable}` was dropped by cell {edited.content['execution_count']}, "
        f"which changed `{changed}`, on which its type depends"
    )


def test_what_does_not_matter_keeps_a_variable(kernel):
    kernel.run("#[derive(Debug)] struct Kept1 { x: i32, y: i32 }\nlet kept_1 = vec![Kept1 { x: 1, y: 2 }];")
    for same in [
        "/// A point.\n#[derive(Debug, Clone)]\nstruct Kept1 {\n    x: i32, // east\n    y: i32,\n}",
        "impl Kept1 { fn sum(&self) -> i32 { self.x + self.y } }",
        "fn unrelated_to_kept() {} struct UnrelatedToKept;",
    ]:
        assert kernel.run(same).stderr == ""
    assert kernel.value("kept_1[0].sum()") == "3"
    assert kernel.value("&kept_1") == "[Kept1 { x: 1, y: 2 }]"


def test_a_cell_with_a_type_and_its_variable_can_be_edited_and_run_again(kernel):
    for fields, value, shown in [
        ("x: u32", "x: 1", "Again1 { x: 1 }"),
        ("x: u32, y: u8", "x: 1, y: 2", "Again1 { x: 1, y: 2 }"),
        ("x: String, y: u8", 'x: "one".into(), y: 2', 'Again1 { x: "one", y: 2 }'),
    ]:
        cell = kernel.run(
            f"#[derive(Debug)] struct Again1 {{ {fields} }}\n"
            f"let mut again_1 = Again1 {{ {value} }};\nagain_1"
        )
        # `again_1` was shown, and so moved.
        assert (cell.result, cell.stderr) == (shown, "")
        cell = kernel.run(
            f"#[derive(Debug)] struct Again1 {{ {fields} }}\nlet mut again_1 = Again1 {{ {value} }};"
        )
        assert cell.stderr == ""
        assert kernel.value("&again_1") == shown


def test_an_enum_gets_a_variant_and_a_new_value(kernel):
    kernel.run("#[derive(Debug)] enum Again2 { A }\nlet again_2 = vec![Again2::A];")
    cell = kernel.run("#[derive(Debug)] enum Again2 { A, B(u8) }\nlet again_2 = vec![Again2::B(1)];")
    assert cell.stderr == ""
    assert kernel.value("&again_2") == "[B(1)]"


def test_a_dropped_value_is_dropped_by_the_code_that_made_it(kernel):
    kernel.run(
        "struct Loud1 { n: u64 }\n"
        'impl Drop for Loud1 { fn drop(&mut self) { println!("dropped {}", self.n); } }\n'
        "let loud_1 = Loud1 { n: 77 };"
    )
    cell = kernel.run("struct Loud1 { n: Box<u64> }")
    assert cell.stdout == "dropped 77\n"
    assert "`loud_1` was dropped: `Loud1`" in cell.stderr


def test_undo_brings_a_dropped_variable_back(kernel):
    kernel.run("struct Undone1 { x: i32 }\nlet undone_1 = vec![Undone1 { x: 5 }];")
    assert "`undone_1` was dropped" in kernel.run("struct Undone1 { x: f64 }").stderr
    kernel.run("%undo")
    assert kernel.value("undone_1[0].x + 1i32") == "6"
    assert "`undone_1` was dropped" in kernel.run("struct Undone1 { x: f64 }").stderr


def test_a_cell_that_does_not_compile_or_panics_drops_nothing(kernel):
    kernel.run("struct Stays1 { x: i32 }\nlet stays_1 = Stays1 { x: 5 };")
    kernel.fails("struct Stays1 { x: f64 }\nlet n: u8 = missing;", "CompileError")
    assert kernel.value("stays_1.x") == "5"
    kernel.fails('struct Stays1 { x: f64 }\npanic!("no")', "Panic")
    assert kernel.value("stays_1.x") == "5"
    used = kernel.fails("struct Stays1 { x: f64 }\nstays_1.x", "CompileError")
    note = "note: `stays_1` cannot be used here: it contains the old `Stays1`, which this cell redefines"
    assert note in used.content["traceback"]
    assert kernel.value("stays_1.x") == "5"


def test_the_source_of_a_dependency_changes(kernel, tmp_path):
    crate = tmp_path / "shapes_1"
    (crate / "src").mkdir(parents=True)
    (crate / "Cargo.toml").write_text(
        '[package]\nname = "shapes_1"\nversion = "0.1.0"\nedition = "2021"\n'
    )
    source = crate / "src" / "lib.rs"
    source.write_text("pub struct Dot { pub r: u8 } impl Dot { pub fn new() -> Self { Dot { r: 3 } } }")
    kernel.run(f':dep shapes_1 = {{ path = "{crate}" }}\nlet dot_1 = shapes_1::Dot::new();')
    assert kernel.value("dot_1.r") == "3"
    source.write_text(
        "pub struct Dot { pub r: String }\n"
        'impl Dot { pub fn new() -> Self { Dot { r: "xyz".into() } } }'
    )
    cell = kernel.run("shapes_1::Dot::new().r.len()")
    assert cell.result == "3"
    assert "`dot_1` was dropped: the crate `shapes_1`" in cell.stderr
    kernel.fails("dot_1.r.len()", "CompileError")


def test_a_dependency_gets_other_features(kernel, tmp_path):
    crate = tmp_path / "featured_1"
    (crate / "src").mkdir(parents=True)
    (crate / "Cargo.toml").write_text(
        '[package]\nname = "featured_1"\nversion = "0.1.0"\nedition = "2021"\n[features]\nwide = []\n'
    )
    (crate / "src" / "lib.rs").write_text("pub const IS_WIDE: bool = cfg!(feature = \"wide\");")
    kernel.run(f':dep featured_1 = {{ path = "{crate}" }}\nfeatured_1::IS_WIDE')
    local = "#[derive(Debug)] struct Local1(u8);\n"
    kernel.run(f"{local}let (local_1, again_1) = (Local1(1), Local1(2)); let number_1 = 5;")
    cell = kernel.run(
        f':dep featured_1 = {{ path = "{crate}", features = ["wide"] }}\n'
        "let again_1 = Local1(3); featured_1::IS_WIDE"
    )
    assert cell.result == "true"
    assert "`local_1` was dropped: " in cell.stderr
    assert "again_1" not in cell.stderr
    assert kernel.value("(number_1, again_1)") == "(5, Local1(3))"


INCLUDED = "pub struct {name} {{ pub r: {of} }} impl {name} {{ pub fn new() -> Self {{ {name} {{ r: {value} }} }} }}"


def test_an_included_file_of_items_changes(kernel, tmp_path):
    file = tmp_path / "circles.rs"
    file.write_text(INCLUDED.format(name="Circle1", of="u8", value="3"))
    kernel.run(f'include!("{file}");\nlet circle_1 = Circle1::new();')
    file.write_text("// A comment.\n" + INCLUDED.format(name="Circle1", of="u8", value="4"))
    assert kernel.value("(circle_1.r, Circle1::new().r)") == "(3, 4)"
    file.write_text(INCLUDED.format(name="Circle1", of="String", value='"xyz".into()'))
    cell = kernel.run("Circle1::new().r.len()")
    assert cell.result == "3"
    assert "`circle_1` was dropped: `Circle1`, which it contains, was redefined" in cell.stderr
    kernel.fails("circle_1.r.len()", "CompileError")


def test_an_included_file_in_a_module_changes(kernel, tmp_path):
    file = tmp_path / "squares.rs"
    file.write_text(INCLUDED.format(name="Square1", of="u64", value="3"))
    kernel.run(f'mod squares_1 {{ include!("{file}"); }}\nlet square_1: squares_1::Square1 = squares_1::Square1::new();')
    file.write_text(INCLUDED.format(name="Square1", of="&'static str", value='"xyz"'))
    cell = kernel.run("squares_1::Square1::new().r")
    assert cell.result == '"xyz"'
    assert "`square_1` was dropped: `Square1`" in cell.stderr


@pytest.mark.parametrize("macro", ["include_str", "include_bytes"])
def test_an_included_text_that_a_type_depends_on_changes(kernel, tmp_path, macro):
    file = tmp_path / "text.txt"
    file.write_text("one")
    kernel.run(
        f'const TEXT_{macro}: usize = {macro}!("{file}").len();\n'
        f"struct Text_{macro}([u8; TEXT_{macro}]);\nlet text_{macro} = Text_{macro}([1; TEXT_{macro}]);"
    )
    assert kernel.value(f"text_{macro}.0.len()") == "3"
    file.write_text("three")
    cell = kernel.run(f"TEXT_{macro}")
    assert cell.result == "5"
    assert f"`text_{macro}` was dropped: `TEXT_{macro}`" in cell.stderr


def test_a_destructor_that_panics_when_its_variable_is_dropped_is_no_error_of_the_cell(kernel):
    kernel.run(
        "struct Panics1 { n: u64 }\n"
        'impl Drop for Panics1 { fn drop(&mut self) { panic!("no {}", self.n); } }\n'
        "let panics_1 = Panics1 { n: 77 }; let beside_1 = 5;"
    )
    cell = kernel.run("struct Panics1 { n: Box<u64> }")
    note = "`panics_1` was leaked: its destructor panicked; `Panics1`, which it contains, was redefined in cell "
    assert note in cell.stderr
    assert "no 77" in cell.stderr
    assert kernel.value("beside_1") == "5"
    # Also in a cell with statements, and where a new variable takes the place of the old one.
    for number in range(2):
        cell = kernel.run(
            f"struct Panics2([u8; {number + 1}]);\n"
            'impl Drop for Panics2 { fn drop(&mut self) { panic!("again"); } }\n'
            f"let panics_2 = vec![Panics2([1; {number + 1}])]; beside_1 + {number}"
        )
        assert cell.result == str(5 + number)
        assert ("`panics_2` was leaked: its destructor panicked" in cell.stderr) == (number == 1)
    kernel.run("std::mem::forget(panics_2);")
