//! Time and peak memory of each stage.

use std::fs;
use std::time::Instant;

use serde_json::{Map, Value, json};

pub(crate) struct Report {
    since: Instant,
    stages: Map<String, Value>,
}

impl Report {
    pub(crate) fn start() -> Self {
        reset_peak();
        Self { since: Instant::now(), stages: Map::new() }
    }

    /// Ends a stage; the next one begins. A stage that was there before is the refiner's.
    pub(crate) fn stage(&mut self, name: &str) {
        let name = self.name(name);
        let stage = json!({ "seconds": self.since.elapsed().as_secs_f64(), "peak_mib": peak_mib() });
        self.stages.insert(name, stage);
        reset_peak();
        self.since = Instant::now();
    }

    /// Ends the stage of the steps.
    pub(crate) fn steps(&mut self, steps: usize) {
        let seconds = self.since.elapsed().as_secs_f64();
        let name = self.name("steps");
        self.stage("steps");
        if let Some(Value::Object(stage)) = self.stages.get_mut(&name) {
            stage.insert("steps".into(), steps.into());
            stage.insert("seconds_per_step".into(), (seconds / steps as f64).into());
        }
    }

    fn name(&self, stage: &str) -> String {
        if self.stages.contains_key(stage) { format!("{stage}_refiner") } else { stage.to_owned() }
    }

    pub(crate) fn json(self) -> Value {
        Value::Object(self.stages)
    }
}

/// The largest resident memory since the last reset, in MiB; null where the system does not tell.
fn peak_mib() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib / 1024.)
}

/// Where the system does not allow it, peaks are those since the start.
fn reset_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}
