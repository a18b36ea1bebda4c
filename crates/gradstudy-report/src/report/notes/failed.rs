//! Notes on what could not be made: one for each cause.

use indexmap::IndexMap;

use super::{Row, Writer};

/// Rows that lack results for one cause, and what failed.
#[derive(Default)]
struct Cause<'a> {
    /// Titles of rows, by the seeds that each lacks in words.
    rows: IndexMap<String, Vec<String>>,
    what: Vec<&'a str>,
}

impl Writer<'_> {
    /// One note for each cause: in which rows and seeds, and the first of what failed.
    pub(super) fn failed(&self) -> Vec<String> {
        let mut causes: IndexMap<&str, Cause> = IndexMap::new();
        for row in &self.table.rows {
            let mut seeds: IndexMap<&str, Vec<u64>> = IndexMap::new();
            for failed in &row.failed {
                seeds.entry(&failed.why).or_default().extend(&failed.seeds);
                let what = &mut causes.entry(&failed.why).or_default().what;
                if !what.contains(&failed.what.as_str()) {
                    what.push(&failed.what);
                }
            }
            for (why, seeds) in seeds {
                let rows = &mut causes.entry(why).or_default().rows;
                rows.entry(in_seeds(row, seeds))
                    .or_default()
                    .push(self.title(row));
            }
        }
        causes.iter().map(|(why, cause)| self.cause(why, cause)).collect()
    }

    fn cause(&self, why: &str, cause: &Cause) -> String {
        let alone = self.table.rows.len() < 2;
        let places = cause.rows.iter().map(|(seeds, titles)| {
            let rows = match titles.len() == self.table.rows.len() {
                _ if alone => String::new(),
                true => "all rows".to_string(),
                false => titles.join("; "),
            };
            format!("{rows}{seeds}")
        });
        let places: Vec<String> = places.filter(|place| !place.is_empty()).collect();
        let places = match alone {
            true => places.concat(),
            false => format!(" of {}", places.join("; ")),
        };
        let first = (self.escape)(cause.what[0]);
        let more = match cause.what.len() - 1 {
            0 => String::new(),
            more => format!("; {more} more such, each in the table's JSON"),
        };
        format!("Not made, {}{places}: {first}{more}.", (self.escape)(why))
    }
}

/// The seeds that a row lacks: nothing where it has but one.
fn in_seeds(row: &Row, mut seeds: Vec<u64>) -> String {
    seeds.sort_unstable();
    seeds.dedup();
    let listed: Vec<String> = seeds.iter().map(u64::to_string).collect();
    match (row.seeds.len(), seeds.len() == row.seeds.len()) {
        (1, _) => String::new(),
        (_, true) => " in every seed".to_string(),
        (_, false) => format!(" in seed {}, left out of the mean", listed.join(", ")),
    }
}
