//! Uses that the attribute refuses.

#[memit::profile(precision = 99)]
fn decimals() {}

#[memit::profile(backend = "psutil")]
fn backend() {}

#[memit::profile(precision = 1, stream = "file")]
fn option() {}

#[memit::profile(4)]
fn number() {}

#[memit::profile]
pub const fn constant() {}

#[memit::profile]
struct NoFunction;

macro_rules! make {
    ($value:expr) => {
        #[memit::profile]
        fn mixed() -> u8 {
            $value
        }
    };
}

make!({ 1 });

fn main() {}
