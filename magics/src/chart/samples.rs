//! A profile for the tests of the views.

use std::path::Path;

use crate::mprof_file::Profile;

/// Two seconds with a block of 150 MiB that lives only between two samples. `work` calls `load`
/// twice.
const SAWTOOTH: &str = "\
CMDLINE ./sawtooth --block '150 MiB'
MEM 10.000000 1700000000.000000
MEM 12.500000 1700000000.250000
MEM 60.000000 1700000000.500000
MEM 110.000000 1700000000.750000
MEM 160.250000 1700000000.875000 peak
MEM 60.000000 1700000001.000000
MEM 20.000000 1700000001.250000
MEM 70.000000 1700000001.500000
MEM 120.000000 1700000001.750000
MEM 11.000000 1700000002.000000
FUNC main.work 12.0000 1700000000.2000 12.0000 1700000001.9000 0
FUNC main.load 14.0000 1700000000.3000 20.0000 1700000001.2000 1
FUNC main.load 22.0000 1700000001.3000 90.0000 1700000001.8000 1
";

const CHILDREN: &str = "\
CHLD 4711 5.000000 1700000000.500000
CHLD 4712 80.000000 1700000000.500000
CHLD 4711 40.000000 1700000001.000000
CHLD 4712 30.000000 1700000001.500000
";

pub(super) fn sawtooth() -> Profile {
    read(SAWTOOTH)
}

pub(super) fn with_children() -> Profile {
    read(&format!("{SAWTOOTH}{CHILDREN}"))
}

fn read(text: &str) -> Profile {
    Profile::parse(text.as_bytes(), Path::new("sample.dat")).unwrap()
}
