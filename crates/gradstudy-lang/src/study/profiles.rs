//! A study under each of its profiles.

use super::check::check_with;
use super::compose::profiles_of;
use super::{Overrides, Study, Vocabulary};
use crate::syntax::{Diagnostics, Source};

/// Like [`check_with`]; unless `overrides` take a profile, mistakes that only a profile of the study makes are mistakes
/// too, and say which.
pub fn check_profiles(
    source: &Source,
    overrides: &Overrides,
    vocabulary: &Vocabulary,
) -> Result<(Study, Diagnostics), Diagnostics> {
    let mut found = check_with(source, overrides, vocabulary);
    let profiles = match overrides.profile {
        Some(_) => Vec::new(),
        None => profiles_of(source),
    };
    for profile in profiles {
        let taken = Overrides {
            profile: Some(profile.clone()),
            ..overrides.clone()
        };
        let Err(mistakes) = check_with(source, &taken, vocabulary) else {
            continue;
        };
        let known = found.as_ref().err();
        let Some(new) = mistakes.beyond(known, &format!("with profile `{profile}`")) else {
            continue;
        };
        found = Err(match found {
            Ok(_) => new,
            Err(old) => old.and(new),
        });
    }
    found
}
