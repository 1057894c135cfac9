"""A program of known memory, and what the JSON of %mprof says of it."""

MIB = 1 << 20
# What large blocks are rounded up to, and the allocator's header.
PAGE = 4096

# A block of a known size, that is in memory as a whole.
BLOCK = """
    #[inline(never)]
    fn block(mib: usize) -> Vec<u8> {
        std::hint::black_box(vec![1u8; mib << 20])
    }
    fn pause(milliseconds: u64) {
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
    }
"""


def points(series):
    return list(zip(series["time_ns"], series["bytes"]))


def spans(data):
    """The spans by their labels, which are different."""
    return {span["label"]: span for span in data["spans"]}


def about(mib, rest=2 * PAGE):
    """What a heap grows by when it is given a block."""
    return range(mib * MIB, mib * MIB + rest)
