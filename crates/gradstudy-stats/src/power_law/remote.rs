//! The power-law test of a history that is elsewhere.

use super::{PowerLaw, PowerLawSettings, PowerLawTest};
use crate::degenerate::Cause;
use crate::many;
use crate::monitor::Monitor;
use crate::outcome::{Direction, Outcome};
use crate::remote::{RemoteError, RemoteHistory, RemoteTest};
use crate::tail::TailRule;
use gradstudy_base::signature::Args;

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
