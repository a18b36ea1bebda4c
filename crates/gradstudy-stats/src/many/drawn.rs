//! A test of normality on points drawn from every sample.

use rayon::prelude::*;

use super::{ROW_BLOCK, acceptance, map_blocks, map_wide, mean};
use crate::degenerate::Cause;
use crate::history_view::HistoryView;
use crate::missing::MissingValues;
use crate::monitor::Monitor;
use crate::multiple::Rejections;
use crate::normality::{ALL_POINTS, NormalitySettings, Significance, normaltest};
use crate::outcome::{Direction, NormalityOutcome};
use crate::remote::{RemoteError, RemoteHistory, samples_of};
use crate::sample_values::SampleValues;
use crate::sampling::Sampler;
use gradstudy_base::memory::prefetch;

/// What is drawn and at which level it is judged.
pub type DrawnSettings = NormalitySettings;

impl DrawnSettings {
    /// How samples of `size` points are drawn: `all` are that many.
    fn of(&self, size: usize) -> Self {
        let points = if self.points == ALL_POINTS {
            size
        } else {
            self.points
        };
        DrawnSettings { points, ..*self }
    }
}

/// `test` of the points drawn from each sample, in order; `None` if cancelled.
///
/// Each sample is judged by the points drawn from it: a constant or non-finite draw makes it degenerate, what
/// is not drawn is not looked at. The points of a row are read straight from G. Where values are left out, points are drawn
/// from those that are kept: from a sample that has all of them, the same.
pub fn gaussianity_samples(
    view: HistoryView,
    direction: Direction,
    settings: &DrawnSettings,
    monitor: &Monitor,
    test: impl Fn(&[f64]) -> Result<Significance, Cause> + Sync + Send,
) -> Option<Vec<Result<Significance, Cause>>> {
    let (count, size) = match direction {
        Direction::Dimension | Direction::Spectrum => (view.iterations, view.parameters),
        Direction::Iteration => (view.parameters, view.iterations),
    };
    if settings.points == ALL_POINTS {
        return map_wide(view, direction, monitor, || (), |(), _, values| test(values));
    }
    if view.missing == MissingValues::Drop {
        let sampler = || (Sampler::new(settings.seed), Vec::new());
        return map_wide(
            view,
            direction,
            monitor,
            sampler,
            |(sampler, sample), index, values| {
                if values.len() < settings.points {
                    return Err(Cause::TooFew);
                }
                let drawn = sampler.draw(stream(index, direction), settings.points, values.len());
                sample.clear();
                sample.extend(drawn.iter().map(|&point| values[point]));
                test(sample)
            },
        );
    }
    let place = |index: usize, point: usize| match direction {
        Direction::Dimension | Direction::Spectrum => index * view.parameters + point,
        Direction::Iteration => point * view.parameters + index,
    };
    let scratch = || (Sampler::new(settings.seed), [Vec::new(), Vec::new()], Vec::new());
    map_blocks(
        count,
        ROW_BLOCK,
        monitor,
        scratch,
        |(sampler, [places, next], sample), indices| {
            if size < settings.points {
                return vec![Err(Cause::TooFew); indices.len()];
            }
            let mut draw = |index: usize, places: &mut Vec<usize>| {
                let drawn = sampler.draw(stream(index, direction), settings.points, size);
                places.clear();
                places.extend(drawn.iter().map(|&point| place(index, point)));
                // The points lie anywhere in memory: ask for them one sample ahead.
                for &place in &*places {
                    prefetch(&view.values[place..=place]);
                }
            };
            let mut results = Vec::with_capacity(indices.len());
            draw(indices.start, next);
            for index in indices.clone() {
                std::mem::swap(places, next);
                if index + 1 < indices.end {
                    draw(index + 1, next);
                }
                sample.clear();
                sample.extend(places.iter().map(|&place| f64::from(view.values[place])));
                results.push(test(sample));
            }
            results
        },
    )
}

/// `test` over every sample; `None` if cancelled.
pub fn gaussianity_test(
    view: HistoryView,
    direction: Direction,
    settings: &DrawnSettings,
    monitor: &Monitor,
    test: impl Fn(&[f64]) -> Result<Significance, Cause> + Sync + Send,
) -> Option<NormalityOutcome> {
    let samples = gaussianity_samples(view, direction, settings, monitor, test)?;
    let size = match direction {
        Direction::Dimension | Direction::Spectrum => view.parameters,
        Direction::Iteration => view.iterations,
    };
    Some(outcome(&samples, &settings.of(size)))
}

/// The stream of draws of sample `index`: rows and columns of one number must not share their draws.
fn stream(index: usize, direction: Direction) -> u64 {
    index as u64 * 2 + u64::from(direction == Direction::Iteration)
}

/// Points that are asked for at a time where a history is elsewhere.
const REMOTE_POINTS: usize = 4 << 20;

/// As [`gaussianity_test`] of a history that is elsewhere: the points drawn are all that comes from there.
pub fn gaussianity_test_remote(
    history: &dyn RemoteHistory,
    direction: Direction,
    settings: &DrawnSettings,
    monitor: &Monitor,
    test: impl Fn(&[f64]) -> Result<Significance, Cause> + Sync + Send,
) -> Result<Option<NormalityOutcome>, RemoteError> {
    let (count, size) = samples_of(direction, history.parameters(), history.iterations());
    let points = settings.points;
    if size < points {
        let none: Vec<_> = vec![Err(Cause::TooFew); count];
        (monitor.progress)(count as u64);
        return Ok(Some(outcome(&none, settings)));
    }
    let mut results = Vec::with_capacity(count);
    while results.len() < count {
        if monitor.cancelled() {
            return Ok(None);
        }
        let first = results.len();
        let block = (REMOTE_POINTS / points).clamp(1, count - first);
        let mut indices = vec![0u32; block * points];
        let draws = indices.par_chunks_exact_mut(points).enumerate();
        draws.for_each_init(
            || Sampler::new(settings.seed),
            |sampler, (i, indices)| {
                let drawn = sampler.draw(stream(first + i, direction), points, size);
                for (to, &from) in indices.iter_mut().zip(drawn) {
                    *to = from as u32;
                }
            },
        );
        let values = history.points(direction, first, points, &indices)?;
        let tested = values
            .par_chunks_exact(points)
            .map_init(Vec::new, |sample, values| {
                sample.clear();
                sample.extend(values.iter().map(|&x| f64::from(x)));
                test(sample)
            });
        results.par_extend(tested);
        (monitor.progress)(block as u64);
    }
    Ok(Some(outcome(&results, settings)))
}

/// `test` of points drawn from one sample, as an outcome of one; they are those of column 0.
pub fn gaussianity_of_sample(
    values: &[f64],
    settings: &DrawnSettings,
    test: impl Fn(&[f64]) -> Result<Significance, Cause>,
) -> NormalityOutcome {
    let sample = if values.len() < settings.points {
        Err(Cause::TooFew)
    } else if values.iter().any(|x| !x.is_finite()) {
        // Drawn or not: the sample is not what it was meant to be.
        Err(Cause::NotFinite)
    } else if settings.points == ALL_POINTS {
        test(values)
    } else {
        let mut sampler = Sampler::new(settings.seed);
        let drawn = sampler.draw(0, settings.points, values.len());
        let sample: Vec<f64> = drawn.iter().map(|&point| values[point]).collect();
        test(&sample)
    };
    outcome(&[sample], &settings.of(values.len()))
}

/// The normality test of each sample, in order; `None` if cancelled.
pub fn normality_samples(
    view: HistoryView,
    direction: Direction,
    settings: &NormalitySettings,
    monitor: &Monitor,
) -> Option<Vec<Result<Significance, Cause>>> {
    gaussianity_samples(view, direction, settings, monitor, normaltest)
}

/// The normality test over every sample; `None` if cancelled.
pub fn normality_test(
    view: HistoryView,
    direction: Direction,
    settings: &NormalitySettings,
    monitor: &Monitor,
) -> Option<NormalityOutcome> {
    gaussianity_test(view, direction, settings, monitor, normaltest)
}

/// Sums up the tests of all samples, in their order.
pub(crate) fn outcome(samples: &[Result<Significance, Cause>], settings: &DrawnSettings) -> NormalityOutcome {
    let p_values: Vec<f64> = samples.iter().flatten().map(|test| test.p_value).collect();
    let mut values = SampleValues::default();
    let p_value = |sample: &Result<Significance, Cause>| sample.as_ref().map_or(0.0, |it| it.p_value);
    let statistic =
        |sample: &Result<Significance, Cause>| sample.as_ref().map_or(f64::NAN, |it| it.statistic);
    values.add("p_value", samples.iter().map(p_value));
    values.add("statistic", samples.iter().map(statistic));
    NormalityOutcome {
        acceptance: acceptance(samples, |test| test.p_value > settings.alpha),
        alpha: settings.alpha,
        points: settings.points as u64,
        mean_p_value: mean(
            samples
                .iter()
                .map(|sample| sample.as_ref().map_or(0.0, |test| test.p_value)),
        ),
        mean_statistic: Some(mean(samples.iter().flatten().map(|test| test.statistic)))
            .filter(|mean| mean.is_finite()),
        rejections: Some(Rejections::of(&p_values, settings.alpha)),
        near_rounding: samples.iter().flatten().filter(|test| test.near_rounding).count() as u64,
        left_out: None,
        samples: values,
    }
}
