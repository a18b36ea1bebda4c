//! How a training's learning rate moves: `decay` and `schedule`, read as written, and what they may not be.
//!
//! A whole number is an epoch and a percent a fraction of the training. Checked values, plain numbers, no longer tell
//! the two apart, so milestones and warm-ups are read from the text's own expressions.

use super::arguments::Scope;
use super::blocks::param;
use super::case::Place;
use super::shape::{listed_in, written};
use super::{Decay, Each, Milestone, Schedule, ScheduleShape, Warmup};
use crate::syntax::ast::{Expr, ExprKind, Statement};
use crate::syntax::{Diagnostic, Span};
use gradstudy_base::signature::{Args, Call, Default, Param, ParamType, Signature};

/// `factor at [milestone, …]`: an infix is a call of its word with both sides.
pub(super) static STEP_DECAY: Signature = Signature {
    name: "at",
    summary: "step decay of the learning rate",
    params: &[
        param(
            "factor",
            ParamType::Number { min: 0.0, max: 1.0 },
            Default::Required,
            "multiplies the rate",
        ),
        param(
            "milestones",
            ParamType::List(&ParamType::Number {
                min: 0.0,
                max: f64::MAX,
            }),
            Default::Required,
            "a percent of the epochs, or an epoch",
        ),
    ],
    version: 1,
};

/// How the learning rate can move.
pub(super) const SCHEDULES: &[&Signature] = &[&CONSTANT, &COSINE, &LINEAR, &STEPS];

const PART: ParamType = ParamType::Number { min: 0.0, max: 1.0 };

const WARMUP: Param = param(
    "warmup",
    ParamType::Number {
        min: 0.0,
        max: f64::MAX,
    },
    Default::Text("0"),
    "epochs, or a percent of the training, in which the rate rises to `lr`",
);

const FROM: Param = param(
    "from",
    PART,
    Default::Text("1%"),
    "the part of `lr` at which a warm-up begins",
);

const TO: Param = param(
    "to",
    PART,
    Default::Text("0"),
    "the part of `lr` that the rate reaches where the training ends",
);

const EACH: Param = param(
    "each",
    ParamType::Word(&["step", "epoch"]),
    Default::Text("step"),
    "whether the rate moves with each minibatch or with each epoch",
);

static CONSTANT: Signature = Signature {
    name: "constant",
    summary: "`lr` throughout, after the warm-up",
    params: &[WARMUP, FROM, EACH],
    version: 1,
};

static COSINE: Signature = Signature {
    name: "cosine",
    summary: "from `lr` along half a cosine (Loshchilov and Hutter 2017, without restarts)",
    params: &[TO, WARMUP, FROM, EACH],
    version: 1,
};

static LINEAR: Signature = Signature {
    name: "linear",
    summary: "from `lr` along a line",
    params: &[TO, WARMUP, FROM, EACH],
    version: 1,
};

static STEPS: Signature = Signature {
    name: "steps",
    summary: "step decay after a warm-up",
    params: &[
        param(
            "decay",
            ParamType::Call(&[&STEP_DECAY]),
            Default::Required,
            "`0.1 at [40%, 80%]`, as in the setting `decay`",
        ),
        WARMUP,
        FROM,
        EACH,
    ],
    version: 1,
};

impl Scope<'_> {
    /// What `decay` says, checked against the `epochs` of training.
    pub(super) fn decay(&mut self, statement: &Statement, args: &Args, epochs: u64) -> Option<Decay> {
        let expr = written(statement, "decay")?;
        let decay = decay(args.call("decay"), expr);
        self.milestones(&decay, epochs, expr.span);
        Some(decay)
    }

    /// What `schedule` says, checked against the `epochs` of training.
    pub(super) fn schedule(&mut self, statement: &Statement, args: &Args, epochs: u64) -> Option<Schedule> {
        let expr = written(statement, "schedule")?;
        let call = args.call("schedule");
        let part = |key, position| argument(expr, key, position);
        // `warmup` and `from` stand next to each other in every signature, first in that of `constant`.
        let warmup_at = usize::from(call.name != "constant");
        let shape = match call.name.as_str() {
            "cosine" => ScheduleShape::Cosine {
                to: call.args.number("to"),
            },
            "linear" => ScheduleShape::Linear {
                to: call.args.number("to"),
            },
            "steps" => {
                let expr = part("decay", 0)?;
                let decay = decay(call.args.call("decay"), expr);
                self.milestones(&decay, epochs, expr.span);
                ScheduleShape::Steps { decay }
            }
            _ => ScheduleShape::Constant,
        };
        let lasts = part("warmup", warmup_at);
        let warmup = lasts.and_then(milestone).filter(|lasts| !lasts.is_zero());
        let schedule = Schedule {
            shape,
            warmup: warmup.map(|lasts| Warmup {
                lasts,
                from: call.args.number("from"),
            }),
            each: match call.args.text("each") {
                "epoch" => Each::Epoch,
                _ => Each::Step,
            },
        };
        match (&schedule.warmup, part("from", warmup_at + 1)) {
            (Some(_), _) => self.warmup(&schedule, epochs, lasts.map_or(expr.span, |lasts| lasts.span)),
            (None, Some(from)) => {
                let message = "`from` is where a warm-up begins, and there is no warm-up";
                let help = "add `warmup: 5` or `warmup: 5%`, or remove `from`";
                self.say(
                    Diagnostic::error("E0532", message, from.span, "the rate begins at `lr`").help(help),
                );
            }
            (None, None) => {}
        }
        Some(schedule)
    }

    /// Settings of a training of which only one can hold.
    pub(super) fn exclusive(&mut self, place: &Place, args: &Args) {
        let mut both = |first: &str, second: &str, message: &str, help: &str| {
            if let (Some(a), Some(b)) = (place.spans.get(first), place.spans.get(second)) {
                let diagnostic = Diagnostic::error("E0531", message, *b, "or this");
                self.say(diagnostic.label(*a, "either this").help(help));
            }
        };
        both(
            "decay",
            "schedule",
            "`decay` and `schedule` both set the learning rate",
            "keep one; `schedule: steps(0.1 at [40%, 80%], warmup: 5)` is step decay after a warm-up",
        );
        both(
            "clip",
            "clip_value",
            "gradients are clipped by their norm or by value, not both",
            "keep `clip`, the bound of the norm, or `clip_value`, the bound of each entry",
        );
        let nesterov = args.get("nesterov").is_some_and(|_| args.boolean("nesterov"));
        if nesterov && args.number("momentum") == 0.0 {
            let message = "Nesterov momentum needs a momentum";
            let help = "add `momentum: 0.9`, or remove `nesterov`";
            self.say(
                Diagnostic::error("E0531", message, place.of("nesterov"), "of a momentum of 0").help(help),
            );
        }
    }

    /// Milestones lie within the training and rise.
    fn milestones(&mut self, decay: &Decay, epochs: u64, span: Span) {
        let outside = decay.at.iter().any(|milestone| match milestone {
            Milestone::Epoch(epoch) => *epoch == 0 || *epoch >= epochs,
            Milestone::Fraction(fraction) => *fraction <= 0.0 || *fraction >= 1.0,
        });
        let falling = decay
            .at
            .windows(2)
            .any(|pair| pair[0].epoch(epochs) >= pair[1].epoch(epochs));
        let message = match (outside, falling) {
            (true, _) => format!("a milestone lies outside the {epochs} epochs of training"),
            (false, true) => "the milestones do not rise".to_string(),
            (false, false) => return,
        };
        let help = match epochs {
            1 => "train for two epochs or more, or leave `decay` out".to_string(),
            _ => format!(
                "write percents of {epochs} epochs that come to 1 to {} of them, or these epochs, in rising order",
                epochs - 1
            ),
        };
        self.say(Diagnostic::error("E0507", message, span, "").help(help));
    }

    /// A warm-up ends before the training does and before the first milestone, and lasts at least one unit.
    fn warmup(&mut self, schedule: &Schedule, epochs: u64, span: Span) {
        let Some(Warmup { lasts, .. }) = schedule.warmup else {
            return;
        };
        let ends = lasts.epochs(epochs);
        let (message, help) = if ends >= epochs as f64 {
            (
                format!("the warm-up takes all {epochs} epochs of training, or more"),
                "write a percent below 100%, or fewer epochs".to_string(),
            )
        } else if schedule.each == Each::Epoch && ends < 1.0 {
            (
                format!("the warm-up is shorter than one of the {epochs} epochs"),
                "write at least one epoch, or `each: step`, which moves the rate with every minibatch"
                    .to_string(),
            )
        } else if let ScheduleShape::Steps { decay } = &schedule.shape
            && let Some(first) = decay.at.first().map(|milestone| milestone.epoch(epochs))
            && (first as f64) < ends
        {
            (
                "the learning rate drops before the warm-up ends".to_string(),
                format!("the first milestone is epoch {first}: let the warm-up end by then"),
            )
        } else {
            return;
        };
        self.say(Diagnostic::error("E0532", message, span, "").help(help));
    }
}

/// The value written for a key of a call, or at a position without one.
fn argument<'a>(expr: &'a Expr, key: &str, position: usize) -> Option<&'a Expr> {
    let ExprKind::Call { arguments, .. } = &expr.kind else {
        return None;
    };
    let named = arguments
        .iter()
        .find(|argument| argument.key.as_ref().is_some_and(|name| name.value == key));
    let found = named.or_else(|| arguments.get(position).filter(|argument| argument.key.is_none()));
    found.map(|argument| &argument.value)
}

/// Step decay: `factor at milestones`, or `at(factor, milestones)`.
fn decay(call: &Call, written: &Expr) -> Decay {
    let milestones = match &written.kind {
        ExprKind::Infix { right, .. } => listed_in(right),
        _ => argument(written, "milestones", 1).map_or(Vec::new(), listed_in),
    };
    Decay {
        factor: call.args.number("factor"),
        at: milestones.into_iter().filter_map(milestone).collect(),
    }
}

/// A point of a training: a whole number of epochs, or a fraction.
fn milestone(expr: &Expr) -> Option<Milestone> {
    match expr.kind {
        ExprKind::Integer(epoch) => Some(Milestone::Epoch(epoch as u64)),
        ExprKind::Number(epoch) if epoch >= 1.0 && epoch.fract() == 0.0 => {
            Some(Milestone::Epoch(epoch as u64))
        }
        ExprKind::Number(fraction) => Some(Milestone::Fraction(fraction)),
        ExprKind::Percent(percent) => Some(Milestone::Fraction(percent / 100.0)),
        _ => None,
    }
}
