//! The output of a running cell, and the input that it asks for.

pub(crate) mod bundle;
mod input;
mod output;
mod recorder;

pub(crate) use input::{Input, NoAnswer, NoInput, Question};
pub(crate) use output::{MimeBundle, Output, Stream};
pub(crate) use recorder::{Kept, Recorded, Recorder};
