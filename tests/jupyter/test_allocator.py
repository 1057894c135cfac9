"""An allocator that a cell or a dependency sets is refused, and the session goes on."""

ALLOCATOR = """
use std::alloc::*;
pub struct Headed;
unsafe impl GlobalAlloc for Headed {
    unsafe fn alloc(&self, l: Layout) -> *mut u8 {
        unsafe { System.alloc(Layout::from_size_align_unchecked(l.size() + 64, 64)).add(64) }
    }
    unsafe fn dealloc(&self, p: *mut u8, l: Layout) {
        unsafe { System.dealloc(p.sub(64), Layout::from_size_align_unchecked(l.size() + 64, 64)) }
    }
}
"""
SET = "#[global_allocator] static HEADED: {}Headed = {}Headed;"


def crate(directory, name, source):
    """A `:dep` line for a crate with this source."""
    (directory / name / "src").mkdir(parents=True)
    manifest = f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2024"\n'
    (directory / name / "Cargo.toml").write_text(manifest)
    (directory / name / "src" / "lib.rs").write_text(source)
    return f':dep {name} = {{ path = "{directory / name}" }}\n'


def test_an_allocator_of_a_cell_is_refused_before_anything_runs(kernel):
    kernel.run("let before_allocator = vec![1u8; 1000];")
    cell = kernel.fails(f"println!(\"ran\");{ALLOCATOR}\n{SET.format('', '')}", "CompileError")
    assert "a session has one allocator, which all of its cells share" in cell.traceback
    assert "--> cell:13:3" in cell.traceback
    assert "leave out `#[global_allocator]`" in cell.traceback
    assert cell.stdout == ""
    nested = f"mod inner {{ {ALLOCATOR} {SET.format('', '')} }}"
    for code in [nested, f"%%memit\n{nested}\n1", f"macro_rules! set {{ () => {{ {SET.format('', '')} }} }}"]:
        kernel.fails(code, "CompileError")
    # The allocator itself may be used.
    kernel.run(f"{ALLOCATOR}\nstatic HEADED: Headed = Headed;\nlet layout = Layout::new::<u64>();")
    kernel.run("unsafe { HEADED.dealloc(HEADED.alloc(layout), layout) }")
    assert kernel.value("before_allocator.clone().len()") == "1000"


def test_an_allocator_of_a_dependency_is_refused(kernel, tmp_path):
    kernel.run("let before_dependency = vec![1u8; 1000];")
    heaped = crate(tmp_path, "heaped", f"{ALLOCATOR}{SET.format('', '')} pub fn one() -> u8 {{ 1 }}")
    made = "macro_rules! set { () => { " + SET.format("$crate::", "$crate::") + " } }"
    setter = crate(tmp_path, "setter", f"{ALLOCATOR}#[macro_export] {made}")
    cell = kernel.fails(f"{heaped}heaped::one()", "CompileError")
    assert "the dependency `heaped` sets an allocator, which a session cannot use" in cell.traceback
    cell = kernel.fails(f"{setter}setter::set!();", "CompileError")
    assert "a session has one allocator" in cell.traceback
    assert "memit_allocator" not in cell.traceback
    assert kernel.value("before_dependency.clone().len()") == "1000"
    kernel.run("%memit -q before_dependency.clone()")
