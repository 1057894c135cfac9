//! The files of `ipc` sockets.

use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::path::PathBuf;

use jupyter_protocol::ConnectionInfo;

/// Removes the socket files on drop: zmq creates them and leaves them behind.
pub(crate) struct SocketFiles {
    paths: Vec<PathBuf>,
}

impl SocketFiles {
    /// The socket files of a connection; none if it uses TCP.
    pub(crate) fn of(connection: &ConnectionInfo) -> Self {
        let endpoints = [
            connection.shell_url(),
            connection.iopub_url(),
            connection.stdin_url(),
            connection.control_url(),
            connection.hb_url(),
        ];
        let paths = endpoints
            .iter()
            .filter_map(|endpoint| endpoint.strip_prefix("ipc://"))
            .map(PathBuf::from)
            .collect();
        Self { paths }
    }
}

impl Drop for SocketFiles {
    fn drop(&mut self) {
        for path in &self.paths {
            // Another file of this name is not ours; the socket could not be bound because of it.
            let is_socket =
                fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
            if is_socket && let Err(error) = fs::remove_file(path) {
                tracing::warn!("cannot remove {}: {error}", path.display());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use jupyter_protocol::Transport;

    use super::*;

    #[test]
    fn sockets_are_removed_and_other_files_are_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = |port: u16| directory.path().join(format!("kernel-{port}"));
        let connection = ConnectionInfo {
            ip: directory.path().join("kernel").to_str().unwrap().to_owned(),
            transport: Transport::IPC,
            shell_port: 1,
            iopub_port: 2,
            stdin_port: 3,
            control_port: 4,
            hb_port: 5,
            key: String::new(),
            signature_scheme: String::new(),
            kernel_name: None,
        };
        let _shell = UnixListener::bind(path(1)).unwrap();
        fs::write(path(2), "somebody's").unwrap();
        drop(SocketFiles::of(&connection));
        assert!(!path(1).exists());
        assert!(path(2).exists());
    }
}
