//! Jupyter's wire protocol: messages, and the zmq frames that carry them.
//!
//! Requests are read into types by their handlers, because clients may send anything. Replies are
//! written with `json!`: the kernel decides their shape, and tests with real clients check it.
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
pub use header::{Header, PROTOCOL_VERSION};
pub use message::Message;
pub use signature::Signer;
