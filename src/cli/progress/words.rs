//! What a log says of a step.

use serde_json::{Value, json};

use super::work::Working;

/// `[12/58] train noisy (labels = Clean): …`
pub fn begin(work: &Working) -> String {
    let number = match work.number {
        Some((number, of)) => format!("[{number}/{of}] "),
        None => String::new(),
    };
    format!("{number}{} {}", work.verb, work.label)
}

/// A line on a step at work: its number, what it is, how far it is, and the time left.
pub fn so_far(work: &Working) -> String {
    let mut line = begin(work);
    match (work.note.is_empty(), work.total) {
        (false, _) => line += &format!(", {}", work.note),
        (true, 0 | 1) => {}
        (true, total) => line += &format!(", {} of {total} {}", work.done, work.unit),
    }
    line += &match work.seconds_left() {
        Some(seconds) => format!(", {} left", rough(seconds)),
        None => format!(", {} so far", rough(work.start.elapsed().as_secs_f64())),
    };
    line
}

/// A line on a step that is done, with its seconds.
pub fn end(work: &Working, seconds: f64) -> String {
    let note = match work.note.as_str() {
        "" => String::new(),
        note => format!(", {note}"),
    };
    format!(
        "{}, done in {}{note}",
        begin(work),
        crate::plan::display::duration(seconds.max(0.001))
    )
}

/// Everything that is known of it.
pub fn json(work: &Working) -> Value {
    json!({
        "step": work.id.0,
        "number": work.number.map(|(number, _)| number),
        "of": work.number.map(|(_, of)| of),
        "operation": work.verb,
        "label": work.label,
        "done": work.done,
        "total": work.total,
        "unit": work.unit,
        "note": work.note,
        "seconds": work.start.elapsed().as_secs_f64(),
        "seconds_left": work.seconds_left(),
    })
}

/// A time that is not known exactly.
fn rough(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::StepId;

    #[test]
    fn a_line_says_which_step_how_far_and_how_long() {
        let id = StepId("0123456789abcdef".to_string());
        let label = "noisy (labels = Clean): LeNet on MNIST, seed 0";
        let mut work = Working::named(&id, "train", label, Some((12, 58)));
        work.set(50, 0, "steps");
        let begin = "[12/58] train noisy (labels = Clean): LeNet on MNIST, seed 0";
        assert_eq!(super::begin(&work), begin);
        assert_eq!(so_far(&work), format!("{begin}, 0 of 50 steps, 0 s so far"));
        std::thread::sleep(std::time::Duration::from_millis(20));
        work.done = 49;
        work.note = "epoch 17 of 50".to_string();
        assert_eq!(so_far(&work), format!("{begin}, epoch 17 of 50, 0 s left"));
        assert_eq!(
            end(&work, 187.0),
            format!("{begin}, done in 3 min, epoch 17 of 50")
        );
        let all = json(&work);
        assert_eq!((&all["number"], &all["done"]), (&12.into(), &49.into()));
        assert!(all["seconds_left"].is_number());
    }

    #[test]
    fn rough_times_have_one_unit() {
        let times = [0.4, 89.0, 170.0, 5399.0, 9000.0].map(rough);
        assert_eq!(times, ["0 s", "89 s", "3 min", "90 min", "2.5 h"]);
    }
}
