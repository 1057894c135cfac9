//! Which measurement a plan asks for.

use memit_session::abi::{Body, Plan};

use crate::host::Host;
use crate::{lines, memory, time, timeline};

/// Measures `body` and sends the outcome to the kernel.
pub(crate) fn measure(host: &'static Host, plan: Plan, body: Body) {
    host.measure(|| match plan {
        Plan::Memory(plan) => memory::measure(host, plan, body),
        Plan::Time(plan) => time::measure(host, plan, body),
        Plan::Lines(plan) => lines::measure::measure(host, plan, body),
        Plan::Timeline(plan) => timeline::measure::measure(host, plan, body),
    });
}

/// Measures the running cell, from now to its end. Only memory over time can be measured so.
pub(crate) fn measure_cell(host: &'static Host, plan: Plan) {
    match plan {
        Plan::Timeline(plan) => timeline::measure::keep(host, plan),
        Plan::Memory(_) | Plan::Time(_) | Plan::Lines(_) => {}
    }
}
