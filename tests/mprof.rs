//! `memit mprof` with real programs, and beside the `mprof` of Python's `memory_profiler`.

mod support;

#[path = "mprof/attaching.rs"]
mod attaching;
#[path = "mprof/peer.rs"]
mod peer;
#[path = "mprof/place.rs"]
mod place;
#[path = "mprof/plots.rs"]
mod plots;
#[path = "mprof/program.rs"]
mod program;
#[path = "mprof/recording.rs"]
mod recording;
