//! The settings that every data set has: `split`, `normalize`, `classes` and `subset`; and the way from raw
//! examples to a [`Dataset`] that they describe.

use super::dataset::{Dataset, Split, digest};
use super::error::DataError;
use super::normalize::{Normalization, Normalizer};
use super::values::{Examples, Outline, ReadSplit};
use gradstudy_base::signature::{Args, Default, Param, ParamType, Value};

/// `split` of a set that has both.
pub const SPLIT: Param = Param {
    name: "split",
    ty: ParamType::Word(&["train", "test"]),
    default: Default::Text("train"),
    doc: "which part of the data; `test` is normalised with the statistics of the whole training split",
};

/// `normalize` of images.
pub const NORMALIZE: Param = normalize("global");

/// `normalize` with this default.
pub const fn normalize(default: &'static str) -> Param {
    Param {
        name: "normalize",
        ty: ParamType::Word(Normalization::WORDS),
        default: Default::Text(default),
        doc: "`global`: one mean and sd over all training values; `per_channel`: one for each colour; `per_pixel`, \
              or `per_feature`: zero mean and unit variance at each position, 0 where a value never varies; \
              `none`: pixels from 0 to 1, other numbers as they are",
    }
}

/// `subset`, of a set with `max` training examples.
pub const fn subset(max: i64) -> Param {
    Param {
        name: "subset",
        ty: ParamType::Integer { min: 1, max },
        default: Default::Absent,
        doc: "take only the first so many examples; training statistics then come from these",
    }
}

/// `subset` of a set of unknown size.
pub const SUBSET: Param = subset(u32::MAX as i64);

/// `classes`.
pub const CLASSES: Param = Param {
    name: "classes",
    ty: ParamType::List(&ParamType::Integer {
        min: 0,
        max: u32::MAX as i64,
    }),
    default: Default::Absent,
    doc: "keep only these classes, numbered anew from 0 in the order given; before `subset` counts",
};

/// The split that `args` name.
pub(super) fn split_of(args: &Args) -> Split {
    Split::from_word(args.text("split")).expect("the signature allows only the words of `Split`")
}

/// The class numbers of `classes`, if it is set.
pub(super) fn chosen_classes(args: &Args) -> Option<Vec<u32>> {
    args.get("classes").map(|_| {
        let number = |value: &Value| match value {
            Value::Integer(number) => *number as u32,
            other => panic!("`classes` holds {other:?}, its signature promised integers"),
        };
        args.list("classes").iter().map(number).collect()
    })
}

/// Which examples of a split are taken.
pub(super) struct Selection<'a> {
    set: &'a str,
    split: Split,
    /// Class numbers to keep, each below `available`; all where absent.
    classes: Option<Vec<u32>>,
    available: usize,
    subset: Option<u64>,
}

impl<'a> Selection<'a> {
    /// What `args` ask of `split` of a set with `available` classes. Errors: [`DataError::UnknownClass`],
    /// [`DataError::RepeatedClass`].
    pub fn new(set: &'a str, split: Split, args: &Args, available: usize) -> Result<Self, DataError> {
        let classes = chosen_classes(args);
        for (position, &class) in classes.iter().flatten().enumerate() {
            if class as usize >= available {
                return Err(DataError::UnknownClass {
                    set: set.to_string(),
                    class,
                    classes: available,
                });
            }
            if classes
                .iter()
                .flatten()
                .take(position)
                .any(|&other| other == class)
            {
                return Err(DataError::RepeatedClass { class });
            }
        }
        let subset = args.get("subset").map(|_| args.integer("subset") as u64);
        Ok(Selection {
            set,
            split,
            classes,
            available,
            subset,
        })
    }

    /// Number of classes that are kept.
    pub fn classes(&self) -> usize {
        self.classes.as_ref().map_or(self.available, Vec::len)
    }

    /// Number of examples taken of a split with these class counts. Errors: [`DataError::Subset`],
    /// [`DataError::Empty`].
    pub fn count(&self, class_counts: &[u64]) -> Result<u64, DataError> {
        let available = match &self.classes {
            None => class_counts.iter().sum(),
            Some(classes) => classes.iter().map(|&class| class_counts[class as usize]).sum(),
        };
        if available == 0 {
            return Err(DataError::Empty {
                set: self.set.to_string(),
                split: self.split.word().to_string(),
            });
        }
        match self.subset {
            Some(asked) if asked > available => Err(DataError::Subset {
                set: self.set.to_string(),
                split: self.split.word().to_string(),
                asked,
                available,
            }),
            Some(asked) => Ok(asked),
            None => Ok(available),
        }
    }

    /// The examples taken, their classes numbered anew. Errors as [`Selection::count`].
    fn apply(&self, mut examples: Examples) -> Result<Examples, DataError> {
        let take = self.count(&examples.class_counts())? as usize;
        let size = examples.example_size();
        if let Some(classes) = &self.classes {
            let mut numbers = vec![None; self.available];
            for (number, &class) in classes.iter().enumerate() {
                numbers[class as usize] = Some(number as u32);
            }
            let kept: Vec<(usize, u32)> = examples
                .labels
                .iter()
                .enumerate()
                .filter_map(|(index, &label)| Some((index, numbers[label as usize]?)))
                .take(take)
                .collect();
            let indices: Vec<usize> = kept.iter().map(|(index, _)| *index).collect();
            examples.values = examples.values.select(&indices, size);
            examples.labels = kept.into_iter().map(|(_, label)| label).collect();
            examples.classes = classes.len();
        } else {
            examples.values.truncate(take * size);
            examples.labels.truncate(take);
        }
        Ok(examples)
    }
}

/// The outline of what `args` ask of a split of this shape and these class counts.
pub(super) fn outline(
    set: &str,
    args: &Args,
    shape: [usize; 3],
    class_counts: &[u64],
) -> Result<Outline, DataError> {
    let selection = Selection::new(set, split_of(args), args, class_counts.len())?;
    Ok(Outline {
        shape,
        classes: selection.classes(),
        examples: selection.count(class_counts)?,
        positions: 1,
    })
}

/// Reads with `read`, selects and normalises as `args` say; `title` is for people.
pub(super) fn prepare(set: &str, title: String, args: &Args, read: ReadSplit) -> Result<Dataset, DataError> {
    let split = split_of(args);
    let raw = read(split)?;
    let selection = Selection::new(set, split, args, raw.classes)?;
    let chosen = selection.apply(raw)?;
    let scheme = Normalization::from_word(args.text("normalize"))
        .expect("the signature allows only the words of `Normalization`");
    let normalizer = match split {
        Split::Train => Normalizer::fit(scheme, &chosen.values, chosen.shape),
        Split::Test => {
            let train = read(Split::Train)?;
            let whole = Selection {
                split: Split::Train,
                subset: None,
                ..selection
            };
            Normalizer::fit(scheme, &whole.apply(train)?.values, chosen.shape)
        }
    };
    Ok(Dataset {
        name: title,
        images: normalizer.apply(&chosen.values),
        digest: digest(chosen.shape, chosen.classes, &chosen.values, &chosen.labels),
        shape: chosen.shape,
        labels: chosen.labels,
        classes: chosen.classes,
        note: normalizer.note().clone(),
    })
}

/// `name`, and the classes that were picked of it.
pub(super) fn with_classes(name: String, args: &Args) -> String {
    match chosen_classes(args) {
        None => name,
        Some(classes) => {
            let classes: Vec<String> = classes.iter().map(u32::to_string).collect();
            format!("{name} (classes {})", classes.join(", "))
        }
    }
}
