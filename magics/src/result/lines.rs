//! The results of `%mprun` and `%lprun`.

use memit_lines::{Backend, Clock, Figures, Function, Kind, Line, Place, Profile, Stopped};
use serde::Serialize;

use super::rust_value::RustValue;
use super::to_rust::ToRust;

/// The memory of functions line by line. Sizes are in bytes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "magic", rename = "mprun")]
pub struct MprunResult {
    /// The measured profile, of [`Kind::Memory`].
    #[serde(flatten)]
    pub profile: Profile,
}

/// The time of functions line by line. Times are in nanoseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "magic", rename = "lprun")]
pub struct LprunResult {
    /// The measured profile, of [`Kind::Time`].
    #[serde(flatten)]
    pub profile: Profile,
}

impl MprunResult {
    /// This result as an `MprunResult` of `ProfiledFunction`s of `ProfiledLine`s, with the fields
    /// of the JSON; the fields of `kind` are fields of the result.
    pub fn rust_value(&self) -> RustValue {
        RustValue::of(&Value {
            profile: &self.profile,
            kind: MemoryKind::from(self.profile.kind),
        })
    }
}

impl LprunResult {
    /// This result as an `LprunResult` of `ProfiledFunction`s of `ProfiledLine`s, with the fields
    /// of the JSON; the fields of `kind` are fields of the result, 0 if the clock has no such
    /// field.
    pub fn rust_value(&self) -> RustValue {
        RustValue::of(&Value {
            profile: &self.profile,
            kind: TimeKind::from(self.profile.kind),
        })
    }
}

/// A profile whose `kind` is replaced by the fields of the kind.
struct Value<'a, K> {
    profile: &'a Profile,
    kind: K,
}

#[derive(Default)]
struct MemoryKind {
    backend: Backend,
    children: bool,
    baseline: u64,
}

#[derive(Default)]
struct TimeKind {
    clock: &'static str,
    interval_ns: u64,
    samples: u64,
    probe_ns: f64,
}

impl From<Kind> for MemoryKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Memory {
                backend,
                children,
                baseline,
            } => Self {
                backend,
                children,
                baseline,
            },
            Kind::Time { .. } => Self::default(),
        }
    }
}

impl From<Kind> for TimeKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Time {
                clock:
                    Clock::Sampled {
                        interval_ns,
                        samples,
                    },
            } => Self {
                clock: "sampled",
                interval_ns,
                samples,
                ..Self::default()
            },
            Kind::Time {
                clock: Clock::Exact { probe_ns },
            } => Self {
                clock: "exact",
                probe_ns,
                ..Self::default()
            },
            Kind::Memory { .. } => Self::default(),
        }
    }
}

rust_struct! {
    Value<'_, MemoryKind> as "MprunResult" {} with profile, kind
}

rust_struct! {
    Value<'_, TimeKind> as "LprunResult" {} with profile, kind
}

rust_fields! {
    MemoryKind { backend, children, baseline }
}

rust_fields! {
    TimeKind { clock, interval_ns, samples, probe_ns }
}

rust_fields! {
    Profile { functions, wall_ns, isolated, threads, threaded, outlasting, stopped } without kind
}

rust_struct! {
    Function as "ProfiledFunction" {
        name, place, first, calls, lines, stopped_at,
    }
}

rust_struct! {
    Line as "ProfiledLine" { number, source, figures }
}

rust_struct! {
    Figures as "LineFigures" { hits, memory, increment, peak, allocations, time_ns }
}

impl ToRust for Place {
    fn rust_type() -> String {
        String::rust_type()
    }

    fn literal(&self) -> String {
        self.to_string().literal()
    }
}

impl ToRust for Stopped {
    fn rust_type() -> String {
        String::rust_type()
    }

    fn literal(&self) -> String {
        self.why.literal()
    }
}

#[cfg(test)]
mod tests {
    use super::super::rust_value::tests::run_with;
    use super::*;

    fn profile(kind: Kind) -> Profile {
        let line = |number, source: &str, figures| Line {
            number,
            source: source.to_owned(),
            figures,
        };
        let figures = Figures {
            hits: 2,
            memory: -64,
            increment: i64::MIN,
            peak: u64::MAX,
            allocations: 3,
            time_ns: 1_500,
        };
        Profile {
            functions: vec![Function {
                name: "T::f".to_owned(),
                place: Place::Cell { number: 3 },
                first: 1,
                calls: 2,
                lines: vec![
                    line(1, "\tlet s = \"\\n{}é\u{301}\0\";", Some(figures)),
                    line(2, "}", None),
                ],
                stopped_at: Some(1),
            }],
            kind,
            wall_ns: 2_000,
            isolated: true,
            threads: 1,
            threaded: false,
            outlasting: 0,
            stopped: Some(Stopped {
                why: "interrupted".to_owned(),
            }),
        }
    }

    const MEMORY: Kind = Kind::Memory {
        backend: Backend::Rss,
        children: true,
        baseline: 5_000,
    };

    fn mprun() -> MprunResult {
        MprunResult {
            profile: profile(MEMORY),
        }
    }

    fn lprun(clock: Clock) -> LprunResult {
        LprunResult {
            profile: profile(Kind::Time { clock }),
        }
    }

    #[test]
    fn json_has_the_magic_first_and_every_line() {
        let mut result = mprun();
        result.profile.functions[0].lines.remove(0);
        let json = serde_json::to_string(&result).unwrap();
        assert_eq!(
            json,
            concat!(
                r#"{"magic":"mprun","functions":[{"name":"T::f","place":{"cell":{"number":3}},"#,
                r#""first":1,"calls":2,"lines":[{"number":2,"source":"}","figures":null}],"#,
                r#""stopped_at":1}],"kind":{"measured":"memory","backend":"rss","children":true,"#,
                r#""baseline":5000},"wall_ns":2000,"isolated":true,"threads":1,"threaded":false,"outlasting":0,"#,
                r#""stopped":{"why":"interrupted"}}"#
            )
        );
        let json = serde_json::to_value(lprun(Clock::Exact { probe_ns: 7.5 })).unwrap();
        assert_eq!(json["magic"], "lprun");
        assert_eq!(json["kind"]["clock"]["probe_ns"], 7.5);
        assert_eq!(
            json["functions"][0]["lines"][0]["figures"]["time_ns"],
            1_500
        );
    }

    #[test]
    fn json_can_be_read_back() {
        let json = serde_json::to_string(&mprun()).unwrap();
        assert_eq!(
            serde_json::from_str::<Profile>(&json).unwrap(),
            mprun().profile
        );
    }

    #[test]
    fn a_program_can_read_memory_as_a_rust_value() {
        let printed = run_with(
            &mprun().rust_value(),
            "mprun",
            r#"let f = &r.functions[0];
            let figures = f.lines[0].figures.as_ref().unwrap();
            print!("{} {} {:?} {} ", f.name, f.place, f.stopped_at, f.lines[0].source);
            print!("{} {} {} ", figures.increment, figures.peak, f.lines[1].figures.is_none());
            print!("{} {} {:?}", r.backend, r.baseline, r.stopped)"#,
        );
        assert_eq!(
            printed,
            "T::f cell [3] Some(1) \tlet s = \"\\n{}é\u{301}\0\"; \
             -9223372036854775808 18446744073709551615 true rss 5000 Some(\"interrupted\")"
        );
    }

    #[test]
    fn a_program_can_read_time_as_a_rust_value() {
        let sampled = lprun(Clock::Sampled {
            interval_ns: 100_000,
            samples: 20,
        });
        let printed = run_with(
            &sampled.rust_value(),
            "lprun",
            r#"let figures = r.functions[0].lines[0].figures.as_ref().unwrap();
            print!("{} {} {} {}", figures.time_ns, r.clock, r.interval_ns, r.samples)"#,
        );
        assert_eq!(printed, "1500 sampled 100000 20");
    }

    #[test]
    fn the_structs_are_the_same_for_every_result() {
        let mut empty = mprun();
        empty.profile.functions.clear();
        empty.profile.stopped = None;
        let empty = empty.rust_value();
        assert_eq!(mprun().rust_value().items, empty.items);
        assert_eq!(
            run_with(&empty, "mprun-empty", "print!(\"{}\", r.functions.len())"),
            "0"
        );
        let exact = lprun(Clock::Exact { probe_ns: 7.5 }).rust_value();
        let sampled = lprun(Clock::Sampled {
            interval_ns: 1,
            samples: 2,
        });
        assert_eq!(sampled.rust_value().items, exact.items);
    }
}
