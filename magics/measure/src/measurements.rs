//! Which measurement a plan asks for.

use std::io::{self, Write as _};

use memit_measurement::message::PLACED;
use memit_measurement::{Event, Measured, Placed};
use memit_session::abi::{Body, Plan};

use crate::host::Host;
use crate::{lines, memory, once, run, time, timeline, variables};

/// Measures `body` and sends the outcome to the kernel.
pub(crate) fn measure(host: &'static Host, plan: Plan, body: Body) {
    let measured = host.measure(|| measured(host, plan, body));
    let remarks = host.take_remarks();
    if !remarks.is_empty() {
        host.send(&Event::Remarked(remarks));
    }
    host.send(&Event::Measured(measured));
}

/// Measures `body` for a magic in a block and sends the outcome to the kernel. False if the measurement
/// has failed.
pub(crate) fn measure_placed(
    host: &'static Host,
    plan: Plan,
    body: Body,
    magic: u32,
    place: &str,
) -> bool {
    let mut plain_ns = None;
    let measured = host.measure(|| {
        let mut measured = measured(host, plan, body);
        if let (Plan::Lines(plan), Measured::Lines(lines)) = (plan, &mut measured) {
            match lines::measure::plain_ns(host, plan, body, lines) {
                Ok(time) => plain_ns = time,
                Err(failure) => lines.failure = Some(failure),
            }
        }
        measured
    });
    let is_well = measured.failure().is_none();
    host.flush_output();
    let placed = Placed {
        magic,
        place: place.to_owned(),
        measured,
        remarks: host.take_remarks(),
        plain_ns,
    };
    print(&placed).is_ok() && is_well
}

fn print(placed: &Placed) -> io::Result<()> {
    let content = serde_json::to_string(placed)?;
    let mut stdout = io::stdout().lock();
    writeln!(
        stdout,
        "EVCXR_BEGIN_CONTENT {PLACED}\n{content}\nEVCXR_END_CONTENT"
    )?;
    stdout.flush()
}

fn measured(host: &'static Host, plan: Plan, body: Body) -> Measured {
    match plan {
        Plan::Memory(plan) => memory::measure(host, plan, body),
        Plan::Time(plan) => time::measure(host, plan, body),
        Plan::Lines(plan) => lines::measure::measure(host, plan, body),
        Plan::Timeline(plan) => timeline::measure::measure(host, plan, body),
        Plan::Variables => variables::measure(host, body),
        // The statements of such a plan are those of a cell.
        Plan::Once => {
            let error = io::Error::other("statements in a block cannot be measured in the session");
            Measured::Failed(run::refused(host, &error))
        }
    }
}

/// Measures the running cell, from now to its end.
pub(crate) fn measure_cell(host: &'static Host, plan: Plan) {
    match plan {
        Plan::Timeline(plan) => timeline::measure::keep(host, plan),
        Plan::Once => once::begin(host),
        Plan::Memory(_) | Plan::Time(_) | Plan::Lines(_) | Plan::Variables => {}
    }
}
