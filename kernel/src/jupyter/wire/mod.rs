//! Jupyter's wire protocol: messages, and the zmq frames that carry them.
//!
//! A message on the wire is
//!
//! ```text
//! routing identity, …   any number of frames, added and removed by the routers of zmq
//! <IDS|MSG>             the delimiter
//! signature             HMAC-SHA256 over the next four frames, in hexadecimal
//! header                four JSON dictionaries
//! parent_header
//! metadata
//! content
//! buffer, …             any number of binary frames, not signed
//! ```

mod codec;
mod error;
mod header;
mod message;
mod signature;

pub use codec::Codec;
pub use error::WireError;
pub use header::Header;
pub use message::Message;
pub use signature::Signer;

/// The version of Jupyter's messaging protocol that the kernel speaks.
pub const PROTOCOL_VERSION: &str = "5.4";
