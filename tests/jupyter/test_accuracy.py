"""What %memit measures, against sizes that are known beforehand; every repetition counts."""

import pytest

KIB = 1 << 10
MIB = 1 << 20
REPEAT = 5

ROWS = []


@pytest.fixture(scope="module", autouse=True)
def table(request):
    """Prints the measured beside the known after the run."""
    ROWS.clear()
    yield
    if ROWS:
        from conftest import REPORT

        head = f"{'snippet':<34}{'figure':<11}{'known':>15}{'lowest':>15}{'highest':>15}{'error':>10}"
        lines = [head, *(row(*each) for each in ROWS)]
        title = f"%memit against known sizes, in bytes, over {REPEAT} repetitions"
        request.config.stash[REPORT].append((title, lines))


def row(snippet, figure, known, values):
    low, high = min(values), max(values)
    worst = max(abs(low - known), abs(high - known))
    error = f"{worst / known:.4%}" if known else f"{worst} B"
    return f"{snippet:<34}{figure:<11}{known:>15,}{low:>15,}{high:>15,}{error:>10}"


def measure(kernel, snippet, known_heap, known_increment, label=None):
    """The repetitions of a measurement, which go into the table."""
    data = kernel.run(f"%memit -r {REPEAT} {snippet}").json
    assert data["source"] == "vmhwm", "this system has no exact peak"
    runs = data["runs"]
    assert len(runs) == REPEAT
    for figure, known in (("heap_peak", known_heap), ("increment", known_increment)):
        ROWS.append((label or snippet, figure, known, [run[figure] for run in runs]))
    return runs


@pytest.mark.parametrize(
    "size", [100_000, 1 * MIB, 10 * MIB, 100 * MIB, 1024 * MIB], ids=lambda n: f"{n:_}"
)
def test_one_block_is_measured_to_the_page(kernel, size):
    for run in measure(kernel, f"vec![1u8; {size}]", size, size):
        assert abs(run["increment"] - size) <= 128 * KIB
        assert abs(run["heap_peak"] - size) <= max(8 * KIB, size // 1000)
        assert run["allocations"] == 1


def test_nothing_is_measured_as_nothing(kernel):
    for run in measure(kernel, "{}", 0, 0):
        assert run["heap_peak"] == 0
        assert run["allocations"] == 0
        assert run["increment"] < 64 * KIB


def test_a_peak_of_a_microsecond_is_seen_in_full(kernel):
    size = 50 * MIB
    # Without `black_box` the compiler removes a block that nobody looks at.
    snippet = "{ let v = vec![1u8; 50 << 20]; std::hint::black_box(&v); drop(v); }"
    for run in measure(kernel, snippet, size, size, "50 MiB, dropped at once"):
        assert abs(run["increment"] - size) <= 128 * KIB
        assert abs(run["heap_peak"] - size) <= 8 * KIB
        assert run["heap_retained"] == 0


def test_memory_that_is_not_touched_is_heap_but_not_resident(kernel):
    size = 100 * MIB
    for run in measure(kernel, "vec![0u8; 100 << 20]", size, 0):
        assert abs(run["heap_peak"] - size) <= size // 1000
        assert run["increment"] < 128 * KIB


def test_resident_memory_that_is_no_heap_is_seen(kernel):
    size = 30 * MIB
    kernel.run(
        """
        unsafe extern "C" {
            fn mmap(a: *mut u8, n: usize, p: i32, f: i32, d: i32, o: i64) -> *mut u8;
        }
        fn mapped(n: usize) -> usize {
            // PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS
            let start = unsafe { mmap(std::ptr::null_mut(), n, 3, 0x22, -1, 0) };
            for page in (0..n).step_by(4096) {
                unsafe { start.add(page).write_volatile(1) };
            }
            n
        }
        """
    )
    for run in measure(kernel, "mapped(30 << 20)", 0, size):
        assert run["heap_peak"] == 0
        assert abs(run["increment"] - size) <= 128 * KIB


def test_a_deep_stack_is_seen(kernel):
    size = 4 * MIB
    snippet = "{ let a = std::hint::black_box([1u8; 4 << 20]); a[7] }"
    for run in measure(kernel, snippet, 0, size, "4 MiB on the stack"):
        assert run["heap_peak"] == 0
        # The end of the stack that is already in use holds the first of it.
        assert abs(run["increment"] - size) <= 64 * KIB


@pytest.mark.parametrize("size", [24, 100, 1000])
def test_a_million_small_blocks_are_counted_one_by_one(module_kernel, size):
    # In a session that has run much, blocks also go into pages that are resident already.
    kernel = module_kernel
    count = 1_000_000
    blocks = f"(0..{count}).map(|_| Box::new([1u8; {size}])).collect::<Vec<_>>()"
    usable = kernel.value(
        f"""{{
            unsafe extern "C" {{ fn malloc_usable_size(block: *const u8) -> usize; }}
            let blocks = {blocks};
            let usable = |block: *const u8| unsafe {{ malloc_usable_size(block) }};
            blocks.iter().map(|block| usable(block.as_ptr())).sum::<usize>()
                + usable(blocks.as_ptr().cast())
        }}"""
    )
    usable = int(usable)
    # glibc keeps the size of a block in the 8 bytes before it.
    resident = usable + 8 * count
    for run in measure(kernel, blocks, usable, resident, f"1,000,000 x Box<[u8; {size}]>"):
        assert abs(run["heap_peak"] - usable) <= usable // 1000
        assert abs(run["increment"] - resident) <= 128 * KIB + resident // 1000
        assert run["allocations"] == count + 1


def test_a_session_that_holds_much_measures_as_exactly(kernel):
    kernel.run("let ballast = vec![1u8; 400 << 20];")
    size = 1 * MIB
    for run in measure(kernel, "vec![1u8; 1 << 20]", size, size, "1 MiB beside 400 MiB held"):
        assert abs(run["increment"] - size) <= 128 * KIB
        assert run["baseline_rss"] > 400 * MIB
    # A write to what the session holds puts a copy of a page in the place of the page.
    for run in measure(kernel, "ballast[0] = 2", 0, 0, "1 byte of 400 MiB changed"):
        assert run["increment"] <= 128 * KIB
    kernel.run("drop(ballast);")


@pytest.mark.parametrize("size", [100 * KIB, 1 * MIB, 20 * MIB])
@pytest.mark.parametrize("way", ["munmap", "discard", "shrink"])
def test_mapped_memory_is_measured_to_the_page(kernel, size, way):
    kernel.run(
        """
        mod mapped {
            use std::ffi::c_void;
            unsafe extern "C" {
                fn mmap(at: *mut c_void, size: usize, access: i32, flags: i32, file: i32, from: i64) -> *mut c_void;
                fn munmap(at: *mut c_void, size: usize) -> i32;
                fn madvise(at: *mut c_void, size: usize, advice: i32) -> i32;
                fn mremap(at: *mut c_void, size: usize, new: usize, flags: i32, ...) -> *mut c_void;
            }
            pub fn touch(size: usize, way: &str) {
                unsafe {
                    let at = mmap(std::ptr::null_mut(), size, 3, 0x22, -1, 0);
                    at.cast::<u8>().write_bytes(1, size);
                    match way {
                        "discard" => assert_eq!(madvise(at, size, 4), 0),
                        "shrink" => assert_eq!(mremap(at, size, 4096, 0), at),
                        _ => assert_eq!(munmap(at, size), 0),
                    }
                }
            }
        }
        """
    )
    runs = measure(kernel, f'mapped::touch({size}, "{way}")', 0, size)
    increments = [run["increment"] for run in runs]
    assert all(size <= increment <= size + 64 * KIB for increment in increments), increments
    # Code that is used for the first time may be mapped in one repetition only.
    assert len(set(increments[1:])) == 1, increments
