//! Syntax tree to checked study: every name resolved, every setting typed, every default visible.
//!
//! [`check`] finds all mistakes at once. What statements exist is [`statements::STATEMENTS`]; what datasets,
//! models, optimizers and tests exist comes in with the [`Vocabulary`].

mod arguments;
pub mod augment;
mod blocks;
mod call;
mod case;
mod cases;
mod check;
pub mod codes;
mod compose;
mod drawable;
mod facts;
mod figure;
mod grid;
mod include;
pub mod label_noise;
mod layers;
mod level_numbers;
mod like;
mod lint;
mod names;
pub mod own_numbers;
mod paths;
mod point;
mod profiles;
mod rendering;
mod schedule;
mod settings;
mod shape;
mod spec;
mod split;
mod stages;
pub mod statements;
mod suggest;
mod table;
mod values;
mod vocabulary;

pub use arguments::faulty_defaults;
pub use call::call;
pub use cases::CASE;
pub use check::{check, check_with};
pub use compose::Overrides;
pub use level_numbers::numbers;
pub use profiles::check_profiles;
pub use rendering::written_out;
pub use spec::{
    ArraySpec, Assertion, BatchNorm, Case, DataSpec, Decay, Each, FigureSpec, Level, LevelValue, Milestone,
    ModelSpec, RecordSpec, Schedule, ScheduleShape, SpectrumSpec, Spread, Study, TableSpec, TestSpec,
    TrainSpec, TransformSpec, UsedFile, Warmup, is_clean,
};
pub use stages::{WrittenStage, stages};
pub use suggest::closest;
pub use values::describe_type;
pub use vocabulary::{DataOutline, Facts, LayerFault, Stage, Vocabulary};

/// The checked study as YAML, every default and every case of the grid written out.
///
/// A [`Study`] holds only text, numbers, lists and maps with text keys, all of which YAML can hold.
pub fn render(study: &Study) -> String {
    serde_yaml::to_string(study).expect("a study is made of text, numbers, lists and maps")
}
