//! Reads events of the supervisor, and delivers output.

use std::io;
use std::os::unix::net::UnixStream;

use memit_measure::protocol::Frame as _;
use memit_measurement::TimelineMeasurement;
use memit_measurement::{Displayed, Event};
use memit_process::process;

use super::state::Shared;
use super::utf8::Decoder;
use crate::session::io::{Stream, bundle};

/// Reads and handles events until the supervisor ends.
pub(super) fn read(shared: &Shared, mut connection: UnixStream) {
    let mut stdout = Decoder::default();
    let mut stderr = Decoder::default();
    loop {
        let event = match Event::read(&mut connection) {
            Ok(Some(event)) => event,
            Ok(None) => break,
            // The supervisor was killed before it had read all requests.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => break,
            Err(error) => {
                tracing::warn!("cannot read the output of the session: {error}");
                break;
            }
        };
        match event {
            Event::Stdout(bytes) => deliver(shared, Stream::Stdout, &stdout.decode(&bytes)),
            Event::Stderr(bytes) => deliver(shared, Stream::Stderr, &stderr.decode(&bytes)),
            Event::Displayed(displayed) => {
                deliver(shared, Stream::Stdout, &stdout.finish());
                display(shared, displayed);
            }
            Event::ClearOutput(wait) => {
                deliver(shared, Stream::Stdout, &stdout.finish());
                deliver(shared, Stream::Stderr, &stderr.finish());
                if let Some(output) = shared.output() {
                    output.clear(wait);
                }
            }
            Event::Synced(number) => {
                deliver(shared, Stream::Stdout, &stdout.finish());
                deliver(shared, Stream::Stderr, &stderr.finish());
                shared.lock().synced = number;
            }
            Event::Progress(progress) => {
                deliver(shared, Stream::Stdout, &stdout.finish());
                preview(shared, progress);
            }
            Event::Placed(placed) => {
                deliver(shared, Stream::Stdout, &stdout.finish());
                deliver(shared, Stream::Stderr, &stderr.finish());
                let state = shared.lock();
                let (show, directory) = (state.show_placed.clone(), state.working_directory());
                drop(state);
                if let (Some(show), Some(output)) = (show, shared.output()) {
                    show(placed, output.as_ref(), &directory);
                }
            }
            other => shared.lock().take(other),
        }
        shared.changed.notify_all();
    }
    let mut state = shared.lock();
    state.supervisor = None;
    // A supervisor that was killed has not ended the session process.
    if let Some(pid) = state.pid.take() {
        process::end(pid);
    }
    shared.changed.notify_all();
}

/// Shows a display, unless it is the last one of its cell, which may be the value of the cell.
fn display(shared: &Shared, displayed: Displayed) {
    let mut state = shared.lock();
    if displayed.last {
        state.outcome.displayed = Some(displayed);
        return;
    }
    let output = state.output.clone();
    drop(state);
    if let (Some(output), Some(data)) = (output, bundle::of_contents(displayed.pairs())) {
        output.display(data);
    }
}

/// Keeps an unfinished timeline, and draws it.
fn preview(shared: &Shared, progress: TimelineMeasurement) {
    let mut state = shared.lock();
    state.outcome.progress = Some(progress.clone());
    let (output, draw) = (state.output.clone(), state.draw.clone());
    drop(state);
    if let (Some(output), Some(draw)) = (output, draw) {
        output.preview(bundle::of_preview(draw(progress)));
    }
}

fn deliver(shared: &Shared, stream: Stream, text: &str) {
    if text.is_empty() {
        return;
    }
    if let Some(output) = shared.output() {
        output.stream(stream, text);
    } else {
        tracing::debug!("output before the first cell: {text:?}");
    }
}
