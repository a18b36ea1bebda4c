//! What a run's results are laid out as: enough to make its documents again without the study or its data.

use serde::{Deserialize, Serialize};

use super::{conventions, definitions};
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
    pub figures: Vec<FigureLayout>,
}

/// One table and what its notes say of definitions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableLayout {
    #[serde(flatten)]
    pub spec: TableSpec,
    /// The sentence behind its caption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definitions: Option<String>,
    pub conventions: Vec<String>,
}

/// One figure and what its caption says of definitions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FigureLayout {
    #[serde(flatten)]
    pub spec: FigureSpec,
    /// The sentence behind its caption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definitions: Option<String>,
}

impl Layout {
    /// The layout that `study` asks for.
    pub fn of(study: &Study) -> Self {
        let table = |spec: &TableSpec| TableLayout {
            spec: spec.clone(),
            definitions: match spec.definitions {
                true => definitions(study, &spec.of.iter().map(String::as_str).collect::<Vec<_>>()),
                false => None,
            },
            conventions: conventions(study, spec),
        };
        let figure = |spec: &FigureSpec| FigureLayout {
            spec: spec.clone(),
            definitions: definitions(study, &spec.call.args.texts("of")),
        };
        Layout {
            format_version: FORMAT_VERSION,
            slug: study.slug.clone(),
            tables: study.tables.iter().map(table).collect(),
            figures: study.figures.iter().map(figure).collect(),
        }
    }
}
