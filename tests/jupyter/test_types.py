"""The types of variables, which the user need not write and which rustc names."""

import pytest


def crate(directory, name, source, dependencies=""):
    """Writes a crate of the user's, and returns the line that makes it a dependency."""
    (directory / name / "src").mkdir(parents=True)
    (directory / name / "Cargo.toml").write_text(
        f'[package]\nname = "{name}"\nversion = "1.0.0"\nedition = "2024"\n'
        f"[dependencies]\n{dependencies}"
    )
    (directory / name / "src" / "lib.rs").write_text(source)
    return f':dep {name} = {{ path = "{directory / name}" }}\n'


@pytest.fixture
def kernel(module_kernel):
    yield module_kernel
    module_kernel.check_nothing_is_left()


# Types that the library defines in a private module, and how a list of variables shows them.
OF_THE_LIBRARY = {
    "std::sync::mpsc::channel::<u8>().0": "std::sync::mpsc::Sender<u8>",
    "std::thread::spawn(|| std::sync::mpsc::channel::<u8>().1.recv())":
        "std::thread::JoinHandle<Result<u8, std::sync::mpsc::RecvError>>",
    "std::sync::Mutex::new(vec![1u8])": "std::sync::Mutex<Vec<u8>>",
    "vec![1u8].into_iter()": "std::vec::IntoIter<u8>",
    'std::collections::HashMap::from([(1u8, "a")]).into_values()':
        "std::collections::hash_map::IntoValues<u8, &str>",
    "std::collections::BTreeMap::from([(1u8, 2u8)]).into_keys()":
        "std::collections::btree_map::IntoKeys<u8, u8>",
    'std::collections::BTreeSet::from(["a"])': "BTreeSet<&str>",
    '"a b".chars().rev().peekable()': "std::iter::Peekable<std::iter::Rev<std::str::Chars<'_>>>",
    "std::num::NonZero::new(3u8)": "Option<std::num::NonZero<u8>>",
    "std::io::stdin().lines()": "std::io::Lines<std::io::StdinLock<'_>>",
    "std::thread::spawn(|| 1u8)": "std::thread::JoinHandle<u8>",
    "(1.5..=2.5, std::cmp::Reverse(3))": "(std::ops::RangeInclusive<f64>, std::cmp::Reverse<i32>)",
}


@pytest.mark.parametrize("value, of", OF_THE_LIBRARY.items())
def test_a_type_of_a_private_module_of_the_library_is_kept(kernel, value, of):
    assert kernel.run(f"let library = {value};").stderr == ""
    assert f"library: {of}\n" in kernel.run(":vars").result + "\n"
    assert kernel.value("{ let _ = &library; 5 }") == "5"


# Patterns with a type that is not the type of the variable.
PATTERNS = {
    "a tuple": ("let (mut of_tuple, ..): (Vec<u8>, u8) = (vec![3], 4);", "of_tuple[0]"),
    "a reference": ("let &of_reference: &u8 = &3;", "of_reference"),
    "an option": ("let Some(of_option): Option<String> = Some(\"3\".to_owned()) else { panic!() };",
                  "of_option.parse::<u8>().unwrap()"),
    "a field": ("struct P1 { x: u8 }\nlet P1 { x: of_field }: P1 = P1 { x: 3 };", "of_field"),
}


@pytest.mark.parametrize("bind, value", PATTERNS.values(), ids=PATTERNS)
def test_a_pattern_with_a_type_binds_variables_of_their_own_types(kernel, bind, value):
    assert kernel.run(bind).stderr == ""
    assert kernel.value(value) == "3"


def test_a_type_of_the_users_shadows_one_of_the_library(kernel):
    kernel.run("mod own { pub struct Vec(pub u8); }\nstruct HashMap(u8);")
    kernel.run("let shadows = (own::Vec(1), HashMap(2), std::collections::HashMap::from([(3u8, 4u8)]));")
    assert kernel.value("shadows.0.0 + shadows.1.0 + shadows.2[&3]") == "7"


def test_a_variable_of_a_type_is_dropped_when_the_type_changes(kernel):
    kernel.run("#[derive(Clone)] struct Point2 { x: u8 }\nfn point_2() -> Point2 { Point2 { x: 3 } }")
    kernel.run("let (one_2, all_2) = (point_2(), vec![point_2(); 4]);")
    assert kernel.value("one_2.x as usize + all_2.len()") == "7"
    changed = kernel.run(
        "#[derive(Clone)] struct Point2 { x: u64, y: u64 }\n"
        "fn point_2() -> Point2 { Point2 { x: 1, y: 2 } }"
    )
    assert "`one_2`" in changed.stderr and "`all_2`" in changed.stderr


def test_types_of_a_crate_are_named_by_its_public_paths(kernel, tmp_path):
    crate(tmp_path, "back_3", "mod inner { pub struct Kind<T>(pub T); }\npub use inner::Kind;")
    dep = crate(
        tmp_path,
        "front_3",
        "mod inner { pub struct Made(pub u8); }\npub use inner::Made;\n"
        "pub mod prelude { pub use back_3::Kind; }\n"
        "pub fn made() -> Made { Made(3) }\n"
        "pub fn kind() -> prelude::Kind<Made> { back_3::Kind(Made(4)) }\n",
        'back_3 = { path = "../back_3" }\n',
    )
    bound = kernel.run(f"{dep}let made_3 = front_3::made(); let kind_3 = front_3::kind();")
    assert "is not kept" not in bound.stderr
    listed = kernel.run(":vars").result
    assert "made_3: front_3::Made" in listed
    assert "kind_3: front_3::prelude::Kind<front_3::Made>" in listed
    assert kernel.value("made_3.0 + kind_3.0.0") == "7"


def test_a_crate_that_another_crate_exports_under_another_name_is_named_so(kernel, tmp_path):
    crate(
        tmp_path,
        "back_8",
        "mod inner { pub struct Sender<T>(pub T); }\npub use inner::Sender;\n"
        "pub fn make<T>(of: T) -> Sender<T> { Sender(of) }",
    )
    dep = crate(
        tmp_path,
        "front_8",
        "pub use back_8 as channel;\npub mod another { pub struct Another; }",
        'back_8 = { path = "../back_8" }\n',
    )
    bound = kernel.run(
        f"{dep}use front_8::another::Another;\nlet (sent_8, all_8) = "
        "(front_8::channel::make(8), vec![front_8::channel::make(Another)]);"
    )
    assert "is not kept" not in bound.stderr
    assert "sent_8: front_8::channel::Sender<i32>" in kernel.run(":vars").result
    assert kernel.value("sent_8.0 + all_8.len() as i32") == "9"


def test_a_crate_that_no_cell_can_name_ends_only_its_own_variable(kernel, tmp_path):
    crate(tmp_path, "back_4", "pub struct Secret(pub u8);")
    dep = crate(
        tmp_path,
        "front_4",
        "pub fn secret() -> back_4::Secret { back_4::Secret(4) }",
        'back_4 = { path = "../back_4" }\n',
    )
    bound = kernel.run(f"{dep}let (secret_4, sum_4) = (front_4::secret(), vec![front_4::secret().0]);")
    assert "`secret_4` is not kept after this cell" in bound.stderr
    assert "`sum_4`" not in bound.stderr
    assert kernel.value("sum_4[0]") == "4"


def test_a_moved_variable_leaves_the_types_of_the_others(kernel):
    kernel.run(
        "struct Part5(String);\nlet whole_5 = vec![Part5(String::new())];\n"
        "let moved_5 = vec![Part5(String::from(\"five\"))]; let kept_5 = moved_5.into_iter();"
    )
    assert kernel.value("whole_5.len() + kept_5.as_slice()[0].0.len()") == "5"
    assert "moved_5" not in kernel.run(":vars").result
