"""Items that calls of macros make: they stay, and a new call replaces what the first has made."""

import pytest

UNIT = "macro_rules! unit { ($n:ident) => { #[derive(Debug, Clone, PartialEq)] struct $n(f64); }; }"


@pytest.fixture
def kernel(module_kernel):
    yield module_kernel
    module_kernel.check_nothing_is_left()


def test_items_of_a_macro_are_there_in_later_cells(kernel):
    kernel.run(f"{UNIT}\nunit!(Metre);")
    assert kernel.value("let metre = Metre(2.0);\nmetre.clone()") == "Metre(2.0)"
    assert kernel.value("fn double(of: &Metre) -> f64 { of.0 * 2.0 }\ndouble(&metre)") == "4.0"
    # In the cell of the call, and in one line with others.
    assert kernel.value("let one = 1.0; unit!(Foot); unit!(Mile); let foot = Foot(one); Mile(foot.0)") == "Mile(1.0)"
    assert kernel.value("(&foot, Mile(3.0))") == "(Foot(1.0), Mile(3.0))"
    # Without a semicolon, at the end of a cell.
    kernel.run("unit! { Yard }")
    kernel.run("unit!(Inch)")
    assert kernel.value("(Yard(1.0), Inch(2.0))") == "(Yard(1.0), Inch(2.0))"


def test_statics_of_a_thread_are_there_in_later_cells(kernel):
    kernel.run(
        "thread_local! { static SEEN: std::cell::RefCell<Vec<u8>> = "
        "const { std::cell::RefCell::new(Vec::new()) }; }"
    )
    assert kernel.value("SEEN.with(|s| { s.borrow_mut().push(1); s.borrow().len() })") == "1"
    kernel.run("let seen = SEEN.with(|s| s.borrow().len());")
    kernel.run("thread_local! {\n    static SEEN: std::cell::Cell<u8> = const { std::cell::Cell::new(7) };\n};")
    assert kernel.value("(SEEN.get(), seen)") == "(7, 1)"


def test_a_call_that_is_run_again_replaces_what_it_made(kernel):
    call = "macro_rules! id {{ ($n:ident) => {{ #[derive(Debug)] struct $n {{ id: {} }} }} }}\nid!(UserId);"
    kernel.run(call.format("u32"))
    kernel.run(call.format("u32"))
    assert kernel.value("UserId { id: 1 }") == "UserId { id: 1 }"
    kernel.run(call.format("String"))
    assert kernel.value('UserId { id: "a".into() }') == 'UserId { id: "a" }'
    tell = (
        "trait Tell { fn tell(&self) -> String; }\n"
        "macro_rules! tell { ($($t:ty),*) => {"
        " $(impl Tell for $t { fn tell(&self) -> String { stringify!($t).into() } })* } }"
    )
    kernel.run(f"{tell}\ntell!(u8, u16);")
    kernel.run("tell!(u8, u32);")
    assert kernel.value("1u8.tell() + &1u32.tell()") == '"u8u32"'
    assert "no method named `tell`" in kernel.fails("1u16.tell()", "CompileError").traceback
    kernel.run("tell!(i8);")
    assert kernel.value("1u8.tell() + &1i8.tell()") == '"u8i8"'
    kernel.run("macro_rules! of_type { ($t:ty, $n:ident) => { struct $n($t); } }\nof_type!(u8, OfOne);")
    kernel.run("of_type!(u8, OfTwo);")
    assert kernel.value("OfOne(1).0 + OfTwo(2).0") == "3"


def test_a_call_and_an_item_of_the_same_name_replace_each_other(kernel):
    kernel.run(f"{UNIT}\nunit!(Litre);")
    kernel.run("#[derive(Debug)] struct Litre { l: u8 }")
    assert kernel.value("Litre { l: 1 }") == "Litre { l: 1 }"
    kernel.run("unit!(Litre);")
    assert kernel.value("Litre(1.0)") == "Litre(1.0)"
    kernel.run("%undo")
    kernel.run("%undo")
    assert kernel.value("Litre { l: 2 }") == "Litre { l: 2 }"


def test_undo_brings_the_items_of_a_call_back(kernel):
    kernel.run("macro_rules! weight { ($n:ident) => { #[derive(Debug)] struct $n(f64); }; }\nweight!(Gram);")
    kernel.run("struct NotGram;")
    kernel.run("%undo")
    assert kernel.value("Gram(1.0)") == "Gram(1.0)"
    kernel.run("macro_rules! weight { ($n:ident) => { struct $n(u8); }; }\nweight!(Gram);")
    kernel.run("%undo")
    assert kernel.value("Gram(2.0)") == "Gram(2.0)"


def test_a_variable_is_dropped_when_the_items_of_a_call_change(kernel):
    macro = "macro_rules! hold {{ ($n:ident) => {{ #[derive(Debug)] struct $n({}); }}; {} }}"
    kernel.run(macro.format("u32", "") + "\nhold!(Held);\nlet held = vec![Held(1)]; let count = 3u32;")
    # Another rule of the macro, another call and another macro do not matter.
    same = [
        macro.format("u32", "(x $n:ident) => { fn $n() {} }"),
        "hold!(Other);",
        "hold!(Held);",
        "macro_rules! unrelated_to_held { () => {} }",
    ]
    for cell in same:
        assert kernel.run(cell).stderr == ""
    assert kernel.value("&held") == "[Held(1)]"
    cell = kernel.run(macro.format("String", ""))
    assert "`held` was dropped: `Held`, which it contains, was redefined in cell " in cell.stderr
    assert "`count`" not in cell.stderr
    kernel.run("%undo")
    assert kernel.value("&held") == "[Held(1)]"


def test_a_call_with_a_type_and_its_variable_can_be_edited_and_run_again(kernel):
    for of, value in [("u8", "1"), ("u8", "2"), ("&'static str", '"three"')]:
        kernel.run(
            f"macro_rules! edit {{ ($n:ident: $t:ty) => {{ #[derive(Debug)] struct $n($t); }} }}\n"
            f"edit!(Edited: {of});\nlet edited = Edited({value});"
        )
        assert kernel.value("&edited") == f"Edited({value})"


def test_an_error_in_a_call_has_the_line_and_column_of_the_user(kernel):
    kernel.run(UNIT)
    for cell, place in [
        ("let a = 1; unit!(Wrong); let b = missing;", "cell:1:34"),
        ("\n  thread_local! {\n    static WRONG: u8 = missing;\n  }", "cell:3:24"),
        ("unit!(Wrong);\nunit!(Right);\nfn f() -> u8 {\n    missing\n}", "cell:4:5"),
        ("unit!(1);", "cell:1:7"),
    ]:
        assert place in kernel.fails(cell, "CompileError").traceback


def test_macros_that_make_statements_stay_statements(kernel):
    kernel.run(
        "macro_rules! bind { ($n:ident) => { let $n = 2; } }\n"
        "macro_rules! sum { ($($n:expr),*) => { 0 $(+ $n)* } }\n"
        "macro_rules! both { () => { fn local() -> u8 { 5 } println!(\"{}\", local()); } }\n"
        "macro_rules! say { ($($t:tt)*) => { println!($($t)*) } }"
    )
    cell = kernel.run('both!();\nsay!("struct {}", 1);\nassert_eq!(sum!(1, 2), 3);\nvec![sum!(1, 2)]')
    assert (cell.stdout, cell.result) == ("5\nstruct 1\n", "[3]")
    assert kernel.value("sum!(1, 2, 3)") == "6"


@pytest.fixture
def macros(tmp_path):
    """The `:dep` line of a crate of macros."""
    crate = tmp_path / "macros_1"
    (crate / "src").mkdir(parents=True)
    (crate / "Cargo.toml").write_text(
        '[package]\nname = "macros_1"\nversion = "0.1.0"\nedition = "2021"\n'
    )
    (crate / "src" / "lib.rs").write_text(
        "#[macro_export] macro_rules! new_id { ($n:ident) => { #[derive(Debug)] pub struct $n(pub u32); } }\n"
        "#[macro_export] macro_rules! record { ($(#[$m:meta])* struct $n:ident { $($f:ident: $t:ty),* }) => {"
        " $(#[$m])* struct $n { $($f: $t),* } } }\n"
        "#[macro_export] macro_rules! text { ($($t:tt)*) => { stringify!($($t)*).len() } }\n"
    )
    return f':dep macros_1 = {{ path = "{crate}" }}'


def test_macros_of_crates_make_items_or_statements(kernel, macros):
    kernel.run(f"{macros}\nuse macros_1::record;\nmacros_1::new_id!(OrderId);\n"
               "record! { #[derive(Debug)] struct Order { n: u8 } }")
    kernel.run("fn order() -> (OrderId, Order) { (OrderId(1), Order { n: 2 }) }")
    assert kernel.value("order()") == "(OrderId(1), Order { n: 2 })"
    assert kernel.value("let recorded = Order { n: 3 };\nrecorded.n") == "3"
    cell = kernel.run("record! { #[derive(Debug)] struct Order { n: u16 } }")
    assert "`recorded` was dropped: `Order`, on which its type depends, was redefined in cell " in cell.stderr
    assert kernel.value("Order { n: 300 }") == "Order { n: 300 }"
    # Only the compiler can tell that these are no items.
    assert kernel.value("macros_1::text! { struct A; }") == "9"
    cell = kernel.run('macros_1::text!(Some(1));\nmacros_1::text!(struct A;);\nprintln!("done");')
    assert cell.stdout == "done\n"
    assert "cannot find value `missing`" in kernel.fails(
        "macros_1::text!(Upper);\nmissing", "CompileError"
    ).content["evalue"]


def test_well_known_macros_of_crates_make_items(kernel):
    kernel.run(
        ':dep bitflags = "2"\n:dep lazy_static = "1"\n'
        "use lazy_static::lazy_static;\n"
        "lazy_static! { static ref NAMES: Vec<String> = vec![\"a\".into(), \"b\".into()]; }\n"
        "bitflags::bitflags! {\n"
        "    #[derive(Debug, Clone, Copy, PartialEq)]\n"
        "    struct Flags: u32 { const A = 1; const B = 2; }\n"
        "}"
    )
    assert kernel.value("(NAMES.len(), (Flags::A | Flags::B).bits())") == "(2, 3)"
    kernel.run("let names: usize = NAMES.len();")
    kernel.run("lazy_static! { static ref NAMES: Vec<u8> = vec![1]; }")
    assert kernel.value("(NAMES[0], names)") == "(1, 2)"


def test_a_variable_of_a_type_that_only_the_compiler_knows_is_kept(kernel, macros):
    kernel.run(f"{macros}\nmacros_1::new_id!(Ticket);\nlet ticket = Ticket(5);")
    assert kernel.value("&ticket") == "Ticket(5)"
    assert "`ticket` was dropped" in kernel.run("#[derive(Debug)] struct Ticket(u8);").stderr


def test_a_variable_of_flags_is_kept(kernel):
    kernel.run(
        ':dep bitflags = "2"\n'
        "bitflags::bitflags! { #[derive(Debug, Clone, Copy)] struct Modes: u8 { const A = 1; const B = 2; } }"
    )
    kernel.run("let modes = Modes::A | Modes::B;")
    assert kernel.value("modes.bits()") == "3"


def test_a_variable_of_a_type_of_an_included_file_is_kept(kernel, tmp_path):
    file = tmp_path / "tickets.rs"
    file.write_text("#[derive(Debug)] pub struct Coupon(pub u8);")
    kernel.run(f'mod coupons {{ include!("{file}"); }}\nlet coupon = coupons::Coupon(1);')
    assert kernel.value("&coupon") == "Coupon(1)"
