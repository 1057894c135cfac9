//! `memit kernel`, which Jupyter starts.

use std::fs;
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::home::Home;
use crate::support::{memit, ran};

/// A connection file of a client that wants the traffic encrypted.
const CURVE: &str = r#"{"curve_publickey": "a", "curve_secretkey": "b"}"#;

#[test]
fn a_connection_file_that_cannot_be_used_is_told_in_one_line() {
    let home = Home::new();
    let file = home.path().join("connection.json");
    for (content, says) in [
        (None, "cannot read the connection file"),
        (Some("{}"), "`shell_port` is missing"),
        (Some("no JSON"), "not a JSON object"),
        (Some(CURVE), "asks for encryption with CURVE"),
    ] {
        if let Some(content) = content {
            fs::write(&file, content).expect("the directory is ours");
        }
        let ran = ran(
            memit().arg("kernel").arg("--connection-file").arg(&file),
            "",
        )
        .expect_code(1);
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
        assert!(ran.stderr.contains("connection.json"), "{}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    }
}

#[test]
fn a_port_that_is_taken_is_told_in_one_line() {
    let home = Home::new();
    let file = home.path().join("connection.json");
    let taken = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let port = taken.local_addr().expect("it is bound").port();
    for name in ["shell", "iopub", "stdin", "control", "hb"] {
        let ports = ["shell", "iopub", "stdin", "control", "hb"].map(|each| {
            let free = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
            let free = free.local_addr().expect("it is bound").port();
            (
                format!("{each}_port"),
                json!(if each == name { port } else { free }),
            )
        });
        let connection = Value::Object(ports.into_iter().collect());
        fs::write(&file, connection.to_string()).expect("the directory is ours");
        let ran = ran(
            memit().arg("kernel").arg("--connection-file").arg(&file),
            "",
        )
        .expect_code(1);
        let socket = if name == "hb" { "heartbeat" } else { name };
        let says = format!(
            "memit: cannot listen for the {socket} socket at tcp://127.0.0.1:{port}: Address \
             already in use\n"
        );
        assert_eq!(ran.stderr, says);
    }
}
