//! What names a study may use. The registries fill it; the checker never holds a list of its own.

use gradstudy_base::signature::{Call, Signature};

/// All built-ins, by kind.
pub struct Vocabulary {
    pub datasets: &'static [&'static Signature],
    pub models: &'static [&'static Signature],
    /// What a network that a study writes out is made of.
    pub layers: &'static [&'static Signature],
    pub optimizers: &'static [&'static Signature],
    /// What a `record` statement can record.
    pub records: &'static [&'static Signature],
    pub spectra: &'static [&'static Signature],
    pub tests: &'static [&'static Signature],
    pub figures: &'static [&'static Signature],
    /// What a table can show of a test.
    pub columns: &'static [&'static str],
    /// Those columns that are numbers of the training behind a result, whatever was tested: a figure's horizontal axis may
    /// be one.
    pub training_columns: &'static [&'static str],
    /// What tells a table's rows apart, besides the names of factors.
    pub row_keys: &'static [&'static str],
    /// Tables of the paper whose printed numbers are known.
    pub paper_tables: &'static [u32],
    pub facts: &'static dyn Facts,
}

impl Vocabulary {
    /// What a statement with this keyword can call.
    pub fn built_ins(&self, keyword: &str) -> &'static [&'static Signature] {
        match keyword {
            "data" => self.datasets,
            "model" => self.models,
            "train" => self.optimizers,
            "record" => self.records,
            "spectrum" => self.spectra,
            "test" => self.tests,
            "figure" => self.figures,
            _ => &[],
        }
    }
}

/// What a dataset is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataOutline {
    pub examples: u64,
    pub classes: u64,
    /// Channels, height, width.
    pub shape: [u64; 3],
}

/// What is wrong in a network that a study writes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerFault {
    /// The setting that holds it, and for each list and setting on the way to the entry its label, its position (`_` and
    /// its position, where it has no name of its own) or the setting's name, joined by `/`.
    pub place: String,
    pub message: String,
    /// A few words for the place.
    pub label: String,
    pub help: String,
}

/// What there is after an entry of a network that a study writes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// As [`LayerFault::place`].
    pub place: String,
    /// Shape of the activation, in words.
    pub shape: String,
    /// Parameters of the entry.
    pub parameters: u64,
}

/// What is known of datasets and models before anything is computed. Only a user's own data are read for it.
pub trait Facts: Sync {
    /// Examples of a dataset; none where there is a fault in it.
    fn examples(&self, data: &Call) -> Option<u64>;

    /// Examples, classes and shape of a dataset; none where there is a fault in it, or where they are not known.
    fn outline(&self, _data: &Call) -> Option<DataOutline> {
        None
    }

    /// What is wrong with a dataset's settings or the user's own files, and what to do about it.
    fn fault(&self, _data: &Call) -> Option<(String, String)> {
        None
    }

    /// Parameters of a model on a dataset whose tensors' names `pattern` matches; `Some(Err((reason, help)))` if it
    /// matches none.
    fn selected(&self, _model: &Call, _data: &Call, _pattern: &str) -> Option<Result<u64, (String, String)>> {
        None
    }

    /// Why a network that the study writes out cannot be made for a dataset; without one, what is wrong with it for any.
    fn layer_fault(&self, _model: &Call, _data: Option<&Call>) -> Option<LayerFault> {
        None
    }

    /// What there is after each entry of a network that the study writes out, on a dataset; none where there is a fault in
    /// either.
    fn stages(&self, _model: &Call, _data: &Call) -> Option<Vec<Stage>> {
        None
    }

    /// Why a curvature spectrum of a model on a dataset cannot be computed, and what to do about it.
    fn curvature_fault(&self, _spectrum: &Call, _model: &Call, _data: &Call) -> Option<(String, String)> {
        None
    }

    /// Why a model on a dataset cannot take minibatches of `batch`, by their own statistics, and what to do about it.
    fn batch_fault(&self, _model: &Call, _data: &Call, _batch: u64) -> Option<(String, String)> {
        None
    }

    /// What was stripped, converted and left out to read a model's weights on a dataset from a file (`FILE` or
    /// `FILE:KEY`), in words; `Some(Err((reason, help)))` if they are none of it.
    fn weights(
        &self,
        _file: &str,
        _model: &Call,
        _data: &Call,
    ) -> Option<Result<Vec<String>, (String, String)>> {
        None
    }

    /// Parameters n and iterations T of an array in the user's own file; `Some(Err((reason, help)))` if it cannot be read.
    fn array(&self, _file: &Call) -> Option<Result<(u64, u64), (String, String)>> {
        None
    }

    /// What was decided while an array in the user's own file was read, and what of it is left out.
    fn array_remarks(&self, _file: &Call) -> Vec<String> {
        Vec::new()
    }

    /// What was decided while the files of a dataset were read.
    fn data_remarks(&self, _data: &Call) -> Vec<String> {
        Vec::new()
    }

    /// The columns that a test gives, if it is known; `single`: of one sample alone, as of `spectrum`.
    fn columns(&self, _test: &Call, _single: bool, _spectrum: Option<&Call>) -> Option<Vec<&'static str>> {
        None
    }

    /// What a column is a number of: columns of one quantity can share an axis.
    fn quantity(&self, _column: &str) -> Option<&'static str> {
        None
    }

    /// Whether the figure called `figure` can draw results of `test`.
    fn draws(&self, _figure: &str, _test: &Call) -> bool {
        true
    }

    /// Parameters of a model on a dataset (or on its usual one); `Some(Err(reason))` if the two do not fit.
    fn parameters(&self, model: &Call, data: Option<&Call>) -> Option<Result<u64, String>>;
}
