//! What cells call as `memit_session::clear_output`.

/// Takes away what the running cell has shown: at once, or, if `wait`, when the next output comes,
/// so that an animation does not flicker.
pub fn clear_output(wait: bool) {
    println!(
        "EVCXR_BEGIN_CONTENT application/vnd.memit.clear-output\n{}\nEVCXR_END_CONTENT",
        if wait { "wait" } else { "" }
    );
}
