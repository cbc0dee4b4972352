//! Schedulers for serde: what they were built from, which gives the same one again.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::config::Config;
use super::{Scheduler, SchedulerBuilder};
use crate::error::{Error, Result};

#[derive(Serialize, Deserialize)]
pub(super) struct Plain {
    builder: SchedulerBuilder,
    config: String,
}

impl From<Scheduler> for Plain {
    fn from(scheduler: Scheduler) -> Self {
        Self { builder: scheduler.to_builder(), config: Value::from(scheduler.config().clone()).to_string() }
    }
}

impl TryFrom<Plain> for Scheduler {
    type Error = Error;

    fn try_from(plain: Plain) -> Result<Self> {
        let keys: Map<String, Value> = serde_json::from_str(&plain.config)
            .map_err(|error| Error::invalid("scheduler configuration", error, "a JSON object"))?;
        Ok(Self { config: Config::new(keys), ..plain.builder.build()? })
    }
}
