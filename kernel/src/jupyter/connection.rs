//! The connection file: names the endpoints to listen at, and the key that signs messages.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use jupyter_protocol::{ConnectionInfo, Transport};
use serde_json::{Map, Value};

/// The only scheme that Jupyter's clients use.
const SIGNATURE_SCHEME: &str = "hmac-sha256";

/// Reads and checks the connection file at `path`. Errors name the file and the field.
pub(crate) fn read(path: &Path) -> anyhow::Result<ConnectionInfo> {
    let json = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the connection file {}", path.display()))?;
    parse(&json).with_context(|| format!("connection file {}", path.display()))
}

fn parse(json: &str) -> anyhow::Result<ConnectionInfo> {
    let fields: Map<String, Value> = serde_json::from_str(json).context("not a JSON object")?;
    refuse_curve(&fields)?;

    let transport = match text(&fields, "transport", "tcp")? {
        "tcp" => Transport::TCP,
        "ipc" => Transport::IPC,
        other => bail!("`transport` is `{other}`; memit supports `tcp` and `ipc`"),
    };
    let ip = text(&fields, "ip", "127.0.0.1")?;
    ensure!(!ip.is_empty(), "`ip` is empty");
    // ZeroMQ takes endpoints as C strings.
    ensure!(!ip.contains('\0'), "`ip` holds a NUL character");

    let key = text(&fields, "key", "")?;
    let signature_scheme = text(&fields, "signature_scheme", SIGNATURE_SCHEME)?;
    ensure!(
        signature_scheme == SIGNATURE_SCHEME || key.is_empty(),
        "`signature_scheme` is `{signature_scheme}`; memit supports `{SIGNATURE_SCHEME}`"
    );

    Ok(ConnectionInfo {
        ip: ip.to_owned(),
        transport,
        shell_port: port(&fields, "shell_port")?,
        iopub_port: port(&fields, "iopub_port")?,
        stdin_port: port(&fields, "stdin_port")?,
        control_port: port(&fields, "control_port")?,
        hb_port: port(&fields, "hb_port")?,
        key: key.to_owned(),
        signature_scheme: signature_scheme.to_owned(),
        kernel_name: fields
            .get("kernel_name")
            .and_then(Value::as_str)
            .map(str::to_owned),
    })
}

/// Refuses CURVE: a client that asks for encryption must not be served unencrypted.
fn refuse_curve(fields: &Map<String, Value>) -> anyhow::Result<()> {
    for name in ["curve_publickey", "curve_secretkey"] {
        let wanted = fields.get(name).is_some_and(|value| !value.is_null());
        ensure!(
            !wanted,
            "`{name}` asks for encryption with CURVE, which this build of memit does not support; turn \
             CURVE off in the client"
        );
    }
    Ok(())
}

/// Reads a text field; `default` if the file omits it.
fn text<'a>(
    fields: &'a Map<String, Value>,
    name: &str,
    default: &'a str,
) -> anyhow::Result<&'a str> {
    match fields.get(name) {
        None => Ok(default),
        Some(Value::String(text)) => Ok(text),
        Some(other) => bail!("`{name}` is {other}; it should be a string"),
    }
}

fn port(fields: &Map<String, Value>, name: &str) -> anyhow::Result<u16> {
    let Some(value) = fields.get(name) else {
        bail!("`{name}` is missing");
    };
    value
        .as_u64()
        .and_then(|port| u16::try_from(port).ok())
        .filter(|&port| port != 0)
        .with_context(|| format!("`{name}` is {value}; it should be a port from 1 to 65535"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file() -> Map<String, Value> {
        let Value::Object(fields) = json!({
            "shell_port": 1, "iopub_port": 2, "stdin_port": 3, "control_port": 4, "hb_port": 5,
            "ip": "127.0.0.1", "transport": "tcp", "key": "secret",
            "signature_scheme": "hmac-sha256", "kernel_name": "memit",
            "jupyter_session": "/home/me/a.ipynb",
        }) else {
            unreachable!()
        };
        fields
    }

    fn parse_with(name: &str, value: Value) -> anyhow::Result<ConnectionInfo> {
        let mut fields = file();
        fields.insert(name.to_owned(), value);
        parse(&Value::Object(fields).to_string())
    }

    fn error_with(name: &str, value: Value) -> String {
        format!("{:#}", parse_with(name, value).unwrap_err())
    }

    #[test]
    fn reads_the_file_that_jupyter_writes() {
        let info = parse(&Value::Object(file()).to_string()).unwrap();
        assert_eq!(info.shell_url(), "tcp://127.0.0.1:1");
        assert_eq!(info.hb_url(), "tcp://127.0.0.1:5");
        assert_eq!(info.key, "secret");
    }

    #[test]
    fn ipc_endpoints_are_paths_with_the_port_as_suffix() {
        let info = parse_with("transport", "ipc".into()).unwrap();
        assert_eq!(info.shell_url(), "ipc://127.0.0.1-1");
    }

    #[test]
    fn an_empty_key_needs_no_scheme() {
        let mut fields = file();
        fields.insert("key".to_owned(), "".into());
        fields.insert("signature_scheme".to_owned(), "".into());
        assert_eq!(parse(&Value::Object(fields).to_string()).unwrap().key, "");
    }

    #[test]
    fn errors_name_the_field() {
        assert_eq!(
            error_with("hb_port", json!("5")),
            "`hb_port` is \"5\"; it should be a port from 1 to 65535"
        );
        assert_eq!(
            error_with("iopub_port", json!(70_000)),
            "`iopub_port` is 70000; it should be a port from 1 to 65535"
        );
        assert_eq!(
            error_with("key", json!(1)),
            "`key` is 1; it should be a string"
        );
        assert_eq!(
            error_with("transport", json!("udp")),
            "`transport` is `udp`; memit supports `tcp` and `ipc`"
        );
        assert_eq!(
            error_with("signature_scheme", json!("hmac-md5")),
            "`signature_scheme` is `hmac-md5`; memit supports `hmac-sha256`"
        );
        assert_eq!(
            error_with("ip", json!("a\0b")),
            "`ip` holds a NUL character"
        );
    }

    #[test]
    fn a_missing_port_is_named() {
        let mut fields = file();
        fields.shift_remove("control_port");
        let error = parse(&Value::Object(fields).to_string()).unwrap_err();
        assert_eq!(error.to_string(), "`control_port` is missing");
    }

    #[test]
    fn curve_is_refused_rather_than_ignored() {
        let error = error_with(
            "curve_publickey",
            json!("rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"),
        );
        assert!(
            error.starts_with("`curve_publickey` asks for encryption"),
            "{error}"
        );
        assert!(parse_with("curve_secretkey", Value::Null).is_ok());
    }

    #[test]
    fn the_file_is_named_too() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kernel.json");
        let error = format!("{:#}", read(&path).unwrap_err());
        assert!(error.contains("kernel.json"), "{error}");

        std::fs::write(&path, "{}").unwrap();
        let error = format!("{:#}", read(&path).unwrap_err());
        assert!(
            error.ends_with("kernel.json: `shell_port` is missing"),
            "{error}"
        );
    }
}
