//! `memit eval`.

use crate::home::Home;
use crate::support::{memit, ran};

#[test]
fn eval_prints_the_results_of_its_cells_in_order() {
    let ran = ran(
        memit().args([
            "eval",
            "let v: Vec<u32> = (1..=4).collect();",
            r#"println!("printed"); eprintln!("complained");"#,
            "v.iter().sum::<u32>()",
            "%memit -r 1 vec![1u8; 10 << 20]",
            "-",
        ]),
        "// from standard input\nlet w = v.len();\nw * 100",
    )
    .expect_code(0);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[..2], ["printed", "10"]);
    assert!(
        lines[2].starts_with("peak memory: ") && lines[2].contains("increment: 10.0"),
        "{}",
        ran.stdout
    );
    assert_eq!(lines.last(), Some(&"400"));
    assert_eq!(ran.stderr, "complained\n");
}

#[test]
fn eval_reads_standard_input_if_there_is_nothing_else() {
    let ran = ran(memit().arg("eval"), "6 * 7\n").expect_code(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("42\n", ""));
}

#[test]
fn eval_stops_at_the_first_error() {
    let ran = ran(
        memit().args(["eval", "1 + 1", "let n: u8 = missing;", "3 + 3"]),
        "",
    )
    .expect_code(1);
    assert_eq!(ran.stdout, "2\n");
    assert!(
        ran.stderr.contains("cannot find value `missing`") && ran.stderr.contains("cell:1:13"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains('\x1b'), "no colours into a pipe");
}

#[test]
fn eval_of_a_panic_says_where() {
    let ran = ran(
        memit().args(["eval", "let n = 1;\npanic!(\"n is {n}\")"]),
        "",
    )
    .expect_code(1);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("n is 1"), "{}", ran.stderr);
    assert!(ran.stderr.contains("--> cell:2:1"), "{}", ran.stderr);
}

#[test]
fn without_a_toolchain_eval_says_what_is_missing() {
    let home = Home::new();
    let mut command = memit();
    command
        .env_clear()
        .env("PATH", home.path())
        .env("HOME", home.path())
        .args(["eval", "1"]);
    let ran = ran(&mut command, "").expect_code(1);
    assert!(
        ran.stderr
            .contains("no working Rust toolchain (`rustc` cannot be started"),
        "{}",
        ran.stderr
    );
}

#[test]
fn settings_of_cargo_in_the_environment_do_no_harm() {
    // cargo reads either `RUSTFLAGS` or `CARGO_ENCODED_RUSTFLAGS`.
    for flags in [
        ("RUSTFLAGS", "-C panic=abort -D warnings --cfg odd"),
        ("CARGO_ENCODED_RUSTFLAGS", "-Cpanic=abort\u{1f}--cfg=odd"),
    ] {
        let settings = [
            ("CARGO_PROFILE_DEV_PANIC", "abort"),
            ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
            ("CARGO_PROFILE_DEV_LTO", "fat"),
            ("RUSTC_WRAPPER", "/bin/false"),
            ("RUSTC_WORKSPACE_WRAPPER", "/bin/false"),
            ("CARGO_BUILD_RUSTC_WRAPPER", "/not/there"),
            ("CARGO_BUILD_BUILD_DIR", "/not/there"),
            flags,
        ];
        let cells = ["let n = 1;", "%memit -q vec![n; 3]", "cfg!(odd)", "n"];
        let mut command = memit();
        command.arg("eval").args(cells).envs(settings);
        let ran = ran(&mut command, "").expect_code(0);
        assert_eq!(ran.stdout, "false\n1\n", "{flags:?}");
    }
}

/// Cells that read standard input, each with what it prints.
const READING: [(&str, &str); 4] = [
    (
        "let mut line = String::new(); println!(\"{:?}\", std::io::stdin().read_line(&mut line).unwrap());",
        "0\n",
    ),
    ("println!(\"{}\", std::io::stdin().lines().count());", "0\n"),
    (
        "println!(\"{:?}\", std::io::read_to_string(std::io::stdin()).unwrap());",
        "\"\"\n",
    ),
    (
        "let cat = std::process::Command::new(\"cat\").status().unwrap(); println!(\"{}\", cat.success());",
        "true\n",
    ),
];

#[test]
fn standard_input_is_at_its_end_without_a_terminal() {
    let measured = "%memit -r 1 std::io::stdin().lines().count()";
    let cells: Vec<&str> = READING
        .iter()
        .map(|(cell, _)| *cell)
        .chain([measured])
        .collect();
    let ran = ran(memit().arg("eval").args(&cells), "").expect_code(0);
    let printed: String = READING.iter().map(|(_, printed)| *printed).collect();
    assert!(ran.stdout.starts_with(&printed), "{}", ran.stdout);
}

#[test]
fn a_terminal_shows_a_bar_while_dependencies_are_compiled() {
    let package = |name: &str, source: &str, dependencies: &str| {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("src")).unwrap();
        std::fs::write(directory.path().join("src/lib.rs"), source).unwrap();
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\n{dependencies}"
        );
        std::fs::write(directory.path().join("Cargo.toml"), manifest).unwrap();
        directory
    };
    let below = package("below", "", "");
    let dependency = format!("below = {{ path = \"{}\" }}", below.path().display());
    // Some seconds of work for the compiler.
    let source = "#![allow(long_running_const_eval)]\n\
        const STEPS: u32 = { let mut i = 0; while i < 6_000_000 { i += 1; } i };\n\
        pub fn steps() -> u32 { STEPS }";
    let slow = package("slow", source, &dependency);
    let cell = format!(
        ":dep slow = {{ path = \"{}\" }}\nslow::steps()",
        slow.path().display()
    );
    let mut command = std::process::Command::new("script");
    command
        .args([
            "--quiet",
            "--return",
            "--command",
            "\"$MEMIT\" eval \"$CELL\"",
            "/dev/null",
        ])
        .env("MEMIT", env!("CARGO_BIN_EXE_memit"))
        .env("CELL", cell);
    let shown = ran(&mut command, "").expect_code(0).stdout;
    let bar = format!(
        "Compiling slow … {}{} 1 of 2 crates",
        "█".repeat(10),
        "░".repeat(10)
    );
    let bar = shown.find(&bar).unwrap_or_else(|| panic!("{shown}"));
    // The value takes the place of the bar.
    let value = shown.find("\r\x1b[K6000000\r\n");
    assert!(value.is_some_and(|value| bar < value), "{shown}");
    // cargo's own lines would tear the bar.
    assert!(!shown.contains("Compiling below v"), "{shown}");
}

#[test]
fn everyday_magics_need_no_notebook() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let ran = ran(
        memit().current_dir(directory.path()).args([
            "eval",
            "%%writefile helper.rs\nfn helper() -> u8 { 7 }",
            "%load helper.rs",
            "%run helper.rs",
            "%%capture text\nprint!(\"{}\", helper());",
            "%env MEMIT_TEXT=from here",
            "%%sh\necho \"$MEMIT_TEXT\"; cat helper.rs",
            "text.stdout",
            "%%markdown\n*now*",
            "%history -l 1",
        ]),
        "",
    )
    .expect_code(0);
    assert_eq!(
        ran.stdout,
        "Writing helper.rs\n\
         // %load helper.rs\nfn helper() -> u8 { 7 }\n\
         env: MEMIT_TEXT=from here\n\
         from here\nfn helper() -> u8 { 7 }\n\
         \"7\"\n\
         *now*\n\
         %%markdown\n*now*\n"
    );
    assert_eq!(ran.stderr, "");
}
