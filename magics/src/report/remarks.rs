//! Remarks about a run in words.

use memit_measurement::Remark;

/// The remark as a line without a full stop.
pub(crate) fn text(remark: &Remark) -> String {
    match remark {
        Remark::Wrote { to } => format!(
            "the run has written to {}, which the session has open: what it wrote stays",
            listed(to)
        ),
        Remark::Read { from } => format!(
            "the run has read from {}, which the session has open: the session cannot read these \
             bytes again",
            listed(from)
        ),
        Remark::ShutDown { which } => format!(
            "the run has shut down {}, which the session has open: the session cannot go on using it",
            listed(which)
        ),
        Remark::InPlace { why } => {
            format!("the session could not be forked, so changes of variables stay: {why}")
        }
        Remark::Future => "the value is a future that was not awaited: its work is not in the \
             figures. Write `.await` behind the future"
            .to_owned(),
        Remark::Iterator => "the value is an iterator that has not come to its end: items that it \
             would still compute are not in the figures. Use up the iterator, for example by \
             `.for_each(drop)` or `.collect::<Vec<_>>()`"
            .to_owned(),
    }
}

/// `a, b and c`.
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [name] => name.clone(),
        [names @ .., last] => format!("{} and {last}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_a_run_has_written_to_is_named() {
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>()
        };
        let wrote = Remark::Wrote {
            to: names(&["`a.txt`", "a pipe (descriptor 12)", "`b.txt`"]),
        };
        insta::assert_snapshot!(text(&wrote), @"the run has written to `a.txt`, a pipe (descriptor 12) and `b.txt`, which the session has open: what it wrote stays");
        let from = names(&["a socket (descriptor 12)"]);
        insta::assert_snapshot!(text(&Remark::Read { from }), @"the run has read from a socket (descriptor 12), which the session has open: the session cannot read these bytes again");
    }
}
