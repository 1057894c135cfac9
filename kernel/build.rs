//! Exports the symbols of the session process from the `memit` executable, so that cells can call them and
//! their allocations are counted.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let exports = std::env::var("DEP_MEMIT_MEASURE_EXPORTS")
        .expect("memit-measure's build script lists its exports");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        for symbol in exports.split(',') {
            println!("cargo::rustc-link-arg-bins=-Wl,--export-dynamic-symbol={symbol}");
        }
    } else {
        println!("cargo::rustc-link-arg-bins=-rdynamic");
    }
}
