//! The function that cells call as `memit_session::clear_output`.

/// Clears the output of the running cell: at once, or, with `wait`, when the next output arrives,
/// so that an animation does not flicker.
pub fn clear_output(wait: bool) {
    println!(
        "EVCXR_BEGIN_CONTENT application/vnd.memit.clear-output\n{}\nEVCXR_END_CONTENT",
        if wait { "wait" } else { "" }
    );
}
