//! The positions in open files, which a fork shares with the process that it is a copy of.

use rustix::fs::SeekFrom;

use super::descriptors::{self, Descriptor};

/// The positions in all open files and directories at one moment.
pub struct Positions(Vec<Descriptor>);

impl Positions {
    /// The positions now.
    pub fn now() -> Self {
        Self::of(&descriptors::open())
    }

    pub(super) fn of(descriptors: &[Descriptor]) -> Self {
        let with_position = |each: &&Descriptor| each.position.is_some();
        Self(descriptors.iter().filter(with_position).cloned().collect())
    }

    /// Sets the positions back. The descriptors must be open, as in this process or in a fork of the
    /// process that has read the positions.
    pub fn restore(&self) {
        for each in &self.0 {
            if let Some(position) = each.position {
                // A file that has no positions any more needs none.
                let _ = rustix::fs::seek(each.fd(), SeekFrom::Start(position));
            }
        }
    }
}
