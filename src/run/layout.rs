//! What a run's results are laid out as: enough to make its documents again without the study or its data.

use serde::{Deserialize, Serialize};

use super::conventions;
use crate::study::{FigureSpec, Study, TableSpec};

/// The layout of `layout.yaml`; raised when a reader of the old layout would misread the new.
pub const FORMAT_VERSION: u32 = 1;

/// Tables and figures as the study asked for them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    pub format_version: u32,
    /// Names the study's folder of reports.
    pub slug: String,
    pub tables: Vec<TableLayout>,
    #[serde(default)]
    pub figures: Vec<FigureSpec>,
}

/// One table and what its notes say of definitions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableLayout {
    #[serde(flatten)]
    pub spec: TableSpec,
    pub conventions: Vec<String>,
}

impl Layout {
    /// The layout that `study` asks for.
    pub fn of(study: &Study) -> Self {
        let table = |spec: &TableSpec| TableLayout {
            spec: spec.clone(),
            conventions: conventions(study, spec),
        };
        Layout {
            format_version: FORMAT_VERSION,
            slug: study.slug.clone(),
            tables: study.tables.iter().map(table).collect(),
            figures: study.figures.clone(),
        }
    }
}
