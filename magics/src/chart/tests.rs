use insta::assert_snapshot;

use super::samples::{sawtooth, with_children};
use super::*;

fn chart(profile: &Profile, options: &Options) -> Chart {
    Chart::new(&[("started at 10:00".to_owned(), profile)], options).unwrap()
}

fn flame() -> Options {
    Options {
        functions: Functions::Flame,
        ..Options::default()
    }
}

fn in_terminal(chart: &Chart) -> String {
    let escapes = |text: &str| {
        let mut parts = text.split('\x1b');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| text + part.split_once('m').unwrap().1)
    };
    escapes(&terminal(chart, 72, 12))
}

#[test]
fn in_a_terminal() {
    assert_snapshot!(in_terminal(&chart(&sawtooth(), &Options::default())));
}

#[test]
fn children_in_a_terminal() {
    let options = Options {
        functions: Functions::Hidden,
        slope: true,
        ..Options::default()
    };
    assert_snapshot!(in_terminal(&chart(&with_children(), &options)));
}

#[test]
fn as_svg_in_a_page() {
    let chart = chart(&sawtooth(), &Options::default());
    assert_snapshot!(lines(&svg(&chart, Theme::Page).into_string()));
}

#[test]
fn as_svg_in_a_file_with_a_flame_graph() {
    assert_snapshot!(lines(
        &svg(&chart(&sawtooth(), &flame()), Theme::File).into_string()
    ));
}

#[test]
fn as_a_page() {
    let page = html(&chart(&with_children(), &Options::default())).into_string();
    let (_, tables) = page.split_once("</svg>").unwrap();
    assert_snapshot!(lines(tables));
}

#[test]
fn what_comes_from_outside_is_escaped() {
    let mut profile = sawtooth();
    profile.command = Some("sort <a >b & c".to_owned());
    profile.spans[0].name = "Vec<u8>::push".to_owned();
    let svg = svg(&chart(&profile, &flame()), Theme::File).into_string();
    assert!(svg.contains("sort &lt;a &gt;b &amp; c") && svg.contains("Vec&lt;u8&gt;::push"));
    assert!(!svg.contains("<u8>"));
}

#[test]
fn control_characters_reach_neither_an_svg_nor_a_terminal() {
    let mut profile = with_children();
    profile.spans = sawtooth().spans;
    profile.spans[0].name = "bell\u{7}".to_owned();
    profile.children[0].name = "7\u{9b}2J".to_owned();
    let options = Options {
        title: Some("a\x01b\x1b[2J\u{fffe}".to_owned()),
        functions: Functions::Both,
        ..Options::default()
    };
    let chart = Chart::new(&[("x\x02.dat\n".to_owned(), &profile)], &options).unwrap();
    let views = [
        svg(&chart, Theme::File).into_string(),
        svg(&chart, Theme::Image).into_string(),
        html(&chart).into_string(),
        in_terminal(&chart),
        chart.description(),
    ];
    for view in &views {
        let is_raw = |character: char| {
            character != '\n' && character.is_control() || character == '\u{fffe}'
        };
        assert!(!view.contains(is_raw), "{view}");
        assert!(view.contains("bell␇"), "{view}");
    }
    assert!(views[0].contains("a␁b␛[2J\u{fffd}") && views[3].contains("a␁b␛[2J"));
}

#[test]
fn a_window_shows_its_own_peak_and_functions() {
    let options = Options {
        window: Some((1.25, 2.0)),
        ..Options::default()
    };
    let chart = chart(&sawtooth(), &options);
    assert_eq!(chart.memory.size(chart.curves[0].peak.memory), "120.00 MiB");
    assert_eq!(chart.phases.len(), 2);
    let outside = Options {
        window: Some((5.0, 6.0)),
        ..Options::default()
    };
    let error = Chart::new(&[(String::new(), &sawtooth())], &outside).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there are no samples from 5 to 6 s: the profile is 2.000 s long"
    );
}

#[test]
fn several_profiles_start_together_and_show_no_functions() {
    let mut later = sawtooth();
    for sample in &mut later.samples {
        sample.time += 1e6;
    }
    later.spans.clear();
    let profiles = [("one".to_owned(), &sawtooth()), ("two".to_owned(), &later)];
    let chart = Chart::new(&profiles, &Options::default()).unwrap();
    let starts: Vec<_> = chart
        .curves
        .iter()
        .map(|curve| curve.points[0].time)
        .collect();
    assert_eq!(starts, [0.0, 0.0]);
    assert!(chart.phases.is_empty() && chart.title.is_empty());
    assert_eq!(chart.marks.len(), 1);
}

#[test]
fn a_bracket_around_another_is_higher() {
    let mut profile = sawtooth();
    profile.spans[1].start = profile.spans[0].start;
    let svg = svg(&chart(&profile, &Options::default()), Theme::Page).into_string();
    let tops: Vec<f64> = svg
        .match_indices("<path d=\"M")
        .filter(|(at, _)| {
            svg[*at..]
                .split_once('>')
                .unwrap()
                .0
                .contains("stroke-width=\"2\"")
        })
        .map(|(at, start)| {
            let numbers: Vec<&str> = svg[at + start.len()..].split([' ', 'H']).take(2).collect();
            numbers[1].parse().unwrap()
        })
        .take(2)
        .collect();
    assert!((tops[1] - tops[0] - 5.0).abs() < 0.11, "{tops:?}");
}

#[test]
fn of_a_thousand_timestamps_only_some_are_drawn() {
    let mut profile = sawtooth();
    let mut span = profile.spans[0].clone();
    span.end = span.start;
    profile.spans = vec![span; 1_000];
    let svg = svg(&chart(&profile, &Options::default()), Theme::Page).into_string();
    assert_eq!(svg.matches("<title>work: 0 ns").count(), 400);
}

#[test]
fn a_thousand_functions_are_summed_up() {
    let mut profile = sawtooth();
    let span = profile.spans[0].clone();
    profile.spans = (0..1_000)
        .map(|index| {
            let mut span = span.clone();
            span.name = format!("f{index}");
            span.start.time += f64::from(index) * 1e-3;
            span
        })
        .collect();
    let chart = chart(&profile, &Options::default());
    let svg = svg(&chart, Theme::Page).into_string();
    assert!(svg.contains("and 978 more"), "{svg}");
    assert!(svg.matches("<path").count() < 500);
    assert!(in_terminal(&chart).contains("and 980 more"));
}

/// One element per line, so that differences are readable.
fn lines(markup: &str) -> String {
    markup.replace("><", ">\n<")
}
