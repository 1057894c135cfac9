//! Makes MIME bundles of evcxr's outputs and of reports.

use evcxr::EvalOutputs;
use memit_magics::report::{Preview, Report};
use serde_json::Value;

use super::output::MimeBundle;

/// The output of evcxr's commands, if any.
pub(crate) fn of_outputs(outputs: &EvalOutputs) -> Option<MimeBundle> {
    let mut bundle = of_contents(&outputs.content_by_mime_type).unwrap_or_default();
    if let Some(time) = outputs.timing {
        let line = format!("Took {} ms", time.as_millis());
        let text = match bundle.get("text/plain") {
            Some(Value::String(text)) => format!("{}\n{line}", text.trim_end()),
            _ => line,
        };
        bundle.insert("text/plain".to_owned(), text.into());
    }
    (!bundle.is_empty()).then_some(bundle)
}

/// One output with all of its representations. `None` if it is empty or Rust's `()`.
pub(crate) fn of_contents<'a>(
    contents: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> Option<MimeBundle> {
    let bundle: MimeBundle = contents
        .into_iter()
        .filter(|(_, content)| !content.is_empty())
        .map(|(mime, content)| (mime.clone(), content_of(mime, content)))
        .collect();
    let is_unit = bundle.len() == 1 && bundle.get("text/plain").is_some_and(|text| text == "()");
    (!bundle.is_empty() && !is_unit).then_some(bundle)
}

/// Parses JSON; everything else stays text.
fn content_of(mime: &str, content: &str) -> Value {
    let is_json = mime == "application/json" || mime.ends_with("+json");
    match serde_json::from_str(content) {
        Ok(value) if is_json => value,
        _ => content.into(),
    }
}

/// The MIME type of results as data.
const RESULT_MIME: &str = "application/vnd.memit+json";

/// A report with `text` as its plain text, and with HTML if `rich`.
pub(crate) fn of_report(report: &Report, text: &str, rich: bool) -> MimeBundle {
    let mut bundle = of_text(text);
    bundle.insert(RESULT_MIME.to_owned(), report.json.clone());
    if rich {
        bundle.insert("text/html".to_owned(), report.html.as_str().into());
    }
    bundle
}

/// An unfinished report. Nobody keeps it, so it has no data.
pub(crate) fn of_preview(preview: Preview) -> MimeBundle {
    let mut bundle = of_text(&preview.text);
    bundle.insert("text/html".to_owned(), preview.html.into());
    bundle
}

/// A text of this MIME type, which is plain text for consoles.
pub(crate) fn of_kind(mime: &str, text: &str) -> MimeBundle {
    let mut bundle = of_text(text.trim_end());
    bundle.insert(mime.to_owned(), text.into());
    bundle
}

/// A bundle with only plain text.
pub(crate) fn of_text(text: &str) -> MimeBundle {
    MimeBundle::from_iter([("text/plain".to_owned(), text.into())])
}
