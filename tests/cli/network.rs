//! Dependencies without a network.

use std::path::Path;

use crate::support::{Ran, memit, ran};

/// Nobody listens there.
const NOBODY: &str = "http://127.0.0.1:9";
/// The variables that tell cargo to go there.
const PROXIES: [&str; 3] = ["CARGO_HTTP_PROXY", "https_proxy", "HTTPS_PROXY"];

/// Runs cells with a cache of its own and these variables.
fn eval(cache: &Path, variables: &[(&str, &str)], cells: &[&str]) -> Ran {
    let mut command = memit();
    command
        .env("XDG_CACHE_HOME", cache)
        .envs(variables.iter().copied());
    ran(command.arg("eval").args(cells), "")
}

#[test]
fn a_crate_that_cargo_has_needs_no_network() {
    let cell = ":dep itoa = \"1\"\n:dep scopeguard = \"1\"\nitoa::Buffer::new().format(7).len()";
    let cache = tempfile::tempdir().unwrap();
    // cargo has the crates afterwards.
    eval(cache.path(), &[], &[cell]).expect_code(0);
    let proxies = PROXIES.map(|name| (name, NOBODY));
    let offline = [("CARGO_NET_OFFLINE", "true")];
    for variables in [&proxies[..], &offline] {
        let other = tempfile::tempdir().unwrap();
        for cache in [cache.path(), other.path()] {
            let ran = eval(cache, variables, &[cell]).expect_code(0);
            assert_eq!(ran.stdout, "1\n");
        }
    }
}

#[test]
fn a_crate_that_cargo_does_not_have_is_an_error_that_names_the_network() {
    let cache = tempfile::tempdir().unwrap();
    let cells = [
        "let kept = 1;",
        ":dep no-such-crate-at-all = \"1\"\nlet kept = 2;",
    ];
    let proxies = PROXIES.map(|name| (name, NOBODY));
    let ran = eval(cache.path(), &proxies, &cells).expect_code(1);
    assert!(
        ran.stderr.starts_with("error: the network does not answer"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr
            .contains("no matching package named `no-such-crate-at-all`")
    );
    assert!(ran.stderr.contains("cell:1:6") && ran.stderr.contains("127.0.0.1"));
    let offline = [("CARGO_NET_OFFLINE", "true")];
    let ran = eval(cache.path(), &offline, &cells).expect_code(1);
    assert!(
        ran.stderr
            .contains("no matching package named `no-such-crate-at-all`")
    );
    assert!(
        ran.stderr
            .contains("cargo looks only for crates that are on this machine"),
        "{}",
        ran.stderr
    );
}
