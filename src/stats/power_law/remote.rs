//! The power-law test of a history that is elsewhere.

use super::{PowerLaw, PowerLawSettings, PowerLawTest};
use crate::signature::Args;
use crate::stats::degenerate::Cause;
use crate::stats::many;
use crate::stats::monitor::Monitor;
use crate::stats::outcome::{Direction, Outcome};
use crate::stats::remote::{RemoteError, RemoteHistory, RemoteTest};
use crate::stats::tail::TailRule;

impl RemoteTest for PowerLaw {
    fn run_remote(
        &self,
        history: &dyn RemoteHistory,
        direction: Direction,
        args: &Args,
        _seed: u64,
        monitor: &Monitor,
    ) -> Result<Option<Outcome>, RemoteError> {
        let settings = PowerLawSettings::from_args(args);
        let TailRule::Top(k) = settings.tail else {
            unreachable!("no other tail is fitted elsewhere")
        };
        let found = history.power_laws(direction, k, settings.ecdf, monitor)?;
        let critical_distance = settings.critical_distance(k);
        let tests = found.map(|found| -> Vec<Result<PowerLawTest, Cause>> {
            let test = |(fit, ks_distance)| PowerLawTest {
                fit,
                ks_distance,
                critical_distance,
            };
            found.into_iter().map(|found| found.map(test)).collect()
        });
        Ok(tests.map(|tests| Outcome::PowerLaw(many::power_law::outcome(&tests, &settings))))
    }
}
