"""A cell that ends at a `?` is an error, and the session is as it was before the cell."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def a_session(module_kernel):
    module_kernel.run(
        "let mut numbers = vec![1, 2, 3];\n"
        "#[derive(Debug)] struct Silent;\n"
        "#[derive(Debug)] struct Broken { part: u8 }\n"
        'impl std::fmt::Display for Broken { fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result { write!(f, "part {} broke", self.part) } }\n'
        "impl std::error::Error for Broken {}\n"
        "struct OnlyShown;\n"
        'impl std::fmt::Display for OnlyShown { fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result { write!(f, "only shown") } }\n'
        "fn main() -> Result<(), Box<dyn std::error::Error>> { Err(Box::new(Broken { part: 7 })) }"
    )


@pytest.fixture
def kernel(module_kernel):
    yield module_kernel
    module_kernel.check_nothing_is_left()


@pytest.mark.parametrize(
    ("code", "shown", "debug"),
    [
        ('std::fs::read_to_string("/no/such/file")?;', "No such file or directory (os error 2)", "Os { code: 2,"),
        ('Err("text")?;', "text", '"text"'),
        ('"x1".parse::<i32>()?;', "invalid digit found in string", "ParseIntError { kind: InvalidDigit }"),
        ("main()?;", "part 7 broke", "Broken { part: 7 }"),
        ("Err(Broken { part: 8 })?", "part 8 broke", "Broken { part: 8 }"),
        ("let tenth = numbers.get(10).copied()?;", "the value is `None`", "None"),
        ('let end = "a b".find(\'z\')? + 1;\nprintln!("{end}");', "the value is `None`", "None"),
        ("Err(Silent)?;", "Silent", ""),
        ("Err(OnlyShown)?;", "only shown", ""),
        ("for text in [\"1\", \"two\"] {\n    numbers.push(text.parse()?);\n}", "invalid digit found in string", "InvalidDigit"),
        ("std::thread::spawn(|| -> u8 { 5 }).join().map_err(|_| \"never\")?;\nErr(\"late\")?;", "late", '"late"'),
    ],
    ids=["io", "text", "parse", "main", "value", "option", "option_inside", "no_display", "no_debug", "loop", "second"],
)
def test_a_cell_that_ends_at_a_question_mark_changes_nothing(kernel, code, shown, debug):
    before = kernel.value("numbers.len()")
    cell = kernel.fails(f"let other = 7;\nnumbers.push(4);\nlet taken = numbers.clone();\n{code}", "Error")
    assert cell.content["evalue"] == shown
    assert shown in cell.traceback and debug in cell.traceback
    assert "cell:4:" in cell.traceback or "cell:5:" in cell.traceback, cell.traceback
    assert "ended the cell" in cell.traceback
    assert "EVCXR" not in cell.stdout + cell.stderr and "Evcxr" not in cell.traceback
    assert cell.stderr == ""
    assert kernel.value("numbers.len()") == before
    for name in ["other", "taken"]:
        kernel.fails(name, "CompileError")


@pytest.mark.parametrize(
    ("code", "place"),
    [
        ('"x".parse::<u8>()?', "cell:1:18"),
        ('let n: u8 = "1"\n    .trim()\n    .parse::<u8>()\n    .and_then(|_| "x".parse())?;', "cell:4:31"),
        ('1 + "x".parse::<u8>()? + 2', "cell:1:22"),
        ('// two\n("x".parse::<u8>())?', "cell:2:20"),
    ],
)
def test_the_question_mark_that_ended_the_cell_is_marked(kernel, code, place):
    traceback = kernel.fails(code, "Error").traceback
    assert place in traceback
    assert "this `?` ended the cell" in traceback


def test_a_variable_that_the_cell_moved_is_back(kernel):
    kernel.fails('let moved = numbers;\nstd::fs::File::open("/no/such/file")?;', "Error")
    assert kernel.value("numbers") == "[1, 2, 3]"


def test_a_question_mark_that_meets_no_error_is_no_end(kernel):
    cell = kernel.run('let five = "5".parse::<u8>()?;\nlet first = *[9u8, 8].first()?;\nfive + first')
    assert cell.result == "14"
    assert kernel.value("(five, first)") == "(5, 9)"


def test_the_output_before_the_end_is_shown_once(kernel):
    cell = kernel.fails('println!("before");\nErr(Broken { part: 1 })?;\nprintln!("after");', "Error")
    assert cell.stdout == "before\n"


def test_a_question_mark_ends_a_measured_statement_as_before(kernel):
    cell = kernel.fails('%memit std::fs::read("/no/such/file")?')
    assert "No such file" in cell.traceback or "NotFound" in cell.traceback
    assert kernel.value("numbers.len()") == "3"
