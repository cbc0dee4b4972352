//! `scheduler_config.json`; what is accepted plans a run, or says why it cannot.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sdxl::Scheduler;
use sdxl::scheduler::Range;

fuzz_target!(|data: &[u8]| {
    let Some((steps, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Ok(scheduler) = Scheduler::from_config(text) else { return };
    for range in [Range::full(), Range::strength(0.5), Range::starting_at(0.8)] {
        let Ok(plan) = scheduler.plan(usize::from(*steps), range) else { continue };
        assert!(!plan.steps().is_empty());
        assert!(plan.levels().iter().all(|level| level.sigma >= 0.), "{:?}", plan.levels());
    }
    let written = serde_json::to_string(scheduler.config()).expect("keys are JSON");
    Scheduler::from_config(&written).expect("what was written is read");
});
