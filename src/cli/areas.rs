//! What codes such as `gradstudy::run::not_found` are about: those of mistakes that lie in no line of a study. Their
//! messages and remedies are written where they arise; here stands what those of one area have in common.

/// The codes `gradstudy::NAME::…`.
#[derive(Debug)]
pub struct Area {
    pub name: &'static str,
    pub title: &'static str,
    pub explanation: &'static str,
}

/// The area of `code`: `gradstudy::AREA::…`, with or without the first part or the last.
pub fn find(code: &str) -> Option<&'static Area> {
    let code = code.to_lowercase();
    let mut parts = code.split("::").filter(|part| *part != "gradstudy");
    let name = parts.next()?;
    AREAS.iter().find(|area| area.name == name)
}

const fn area(name: &'static str, title: &'static str, explanation: &'static str) -> Area {
    Area {
        name,
        title,
        explanation,
    }
}

/// In the order of their names.
pub static AREAS: &[Area] = &[
    area(
        "arrays",
        "files of numbers",
        "A file that `gradstudy test` or `file(…)` reads is none of a known kind, is damaged, has no array of the name that \
         was asked for, or holds something that is no real number. docs/statistics.md lists what is read.",
    ),
    area(
        "data",
        "data sets",
        "A data set is not on this machine, cannot be downloaded or is not what was published, or a file of your own data is \
         not what the study says of it. `gradstudy data list` shows what is here and where it is looked for.",
    ),
    area(
        "device",
        "what computes",
        "The device of --device is not there, not built in or too small, or the precision of --precision is not to be had on \
         it. `gradstudy devices` shows what can compute.",
    ),
    area(
        "diff",
        "comparing runs",
        "The two runs, or a run and the paper, cannot be compared in the way that was asked for. `gradstudy diff --help` \
         lists the options.",
    ),
    area(
        "export",
        "exporting results",
        "What is to be exported is not there, or cannot be written in the format that the file's ending asks for. `gradstudy \
         export --help` lists what can be exported, and from what.",
    ),
    area(
        "figure",
        "figures of a study",
        "A figure has nothing that it could draw: the tests did not give the statistics that it shows, or its axis has labels \
         that are no numbers.",
    ),
    area(
        "figures",
        "drawing",
        "The numbers of a figure cannot be drawn or written in a format. Of a figure in a study this is a mistake in \
         gradstudy.",
    ),
    area(
        "fmt",
        "layout of studies",
        "A study in its canonical layout could not be written back to its file.",
    ),
    area(
        "gc",
        "the cache and the runs",
        "What the cache or the runs hold could not be looked through or removed.",
    ),
    area(
        "hessian",
        "spectra of losses",
        "A Hessian, Gauss–Newton or Fisher spectrum cannot be computed as it is asked for, did not fit in memory, or met \
         numbers that are not finite. docs/statistics.md says how these spectra are made.",
    ),
    area(
        "history",
        "gradient histories",
        "A history G did not fit where it was to lie. --memory says how much may be held in memory; a larger history is a file \
         in the cache, for which the disk needs room.",
    ),
    area(
        "list",
        "listing runs",
        "The runs could not be listed as was asked for. `gradstudy list --help` lists the options.",
    ),
    area(
        "lsp",
        "the language server",
        "The conversation with the editor broke off.",
    ),
    area("man", "manual pages", "The manual pages could not be written."),
    area(
        "model",
        "models",
        "A model does not fit the data: images are too small for its layers, a minibatch is too small for batch \
         normalisation, or one of images stands with data of text. docs/language.md lists the models.",
    ),
    area(
        "new",
        "new studies",
        "The study to begin with was not written: its file is there already, or its folder may not be written to.",
    ),
    area(
        "own",
        "numbers of your own",
        "The numbers of a `file(…)` cannot be a gradient history: none are there, or they lie beyond what float32 holds.",
    ),
    area(
        "plan",
        "planning",
        "A checked study cannot be turned into steps: a file of weights cannot be read, or networks do not fit together.",
    ),
    area(
        "report",
        "reports",
        "A table or a template could not be written. Results are on disk by then: `gradstudy report RUN` makes the documents \
         again once the template is corrected.",
    ),
    area(
        "run",
        "runs",
        "The folder of a run was not found, is of several runs, is damaged or could not be written; or a run was stopped, in \
         which case the same command goes on where it was. `gradstudy list` shows the runs.",
    ),
    area(
        "spectrum",
        "spectra",
        "A spectrum cannot be made of what it is of: more eigenvalues than there are, an empty history, numbers that are not \
         finite, or eigenvalues that were not found.",
    ),
    area(
        "store",
        "the cache",
        "A finished step could not be read from the cache or written to it. A damaged one is made again once its folder is \
         removed.",
    ),
    area(
        "studies",
        "folders of studies",
        "A folder that was named holds no study, or cannot be looked through.",
    ),
    area(
        "submission",
        "submissions",
        "A study could not be handed to a scheduler, or a task of it could not begin: the binary, the study or its data are not \
         those that were submitted, jobs of it are still there, Slurm refused, or clusters.toml is wrong. `gradstudy status` \
         shows how submissions go; docs/clusters.md is about them.",
    ),
    area(
        "syntax",
        "files of studies",
        "The file of a study is not there, is no text in UTF-8, or cannot be read.",
    ),
    area(
        "templates",
        "templates of reports",
        "The templates could not be written into the folder that was named.",
    ),
    area(
        "test",
        "tests of your own numbers",
        "`gradstudy test` was asked for what the file or its options do not give. `gradstudy test --help` lists the options.",
    ),
    area(
        "training",
        "training",
        "A training went astray: losses or parameters are no longer finite. A smaller learning rate, `clip` or a warm-up may \
         help. What does not depend on it is reported all the same.",
    ),
    area(
        "weights",
        "weights in files",
        "A file of weights does not hold those of the network, or holds them several times. docs/language.md (`model`) says \
         how names are read.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Every code of a diagnostic in the program's text.
    fn printed() -> Vec<String> {
        let sources = ["src", "crates"].map(|folder| {
            walkdir::WalkDir::new(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
        });
        let mut found = Vec::new();
        for entry in sources.into_iter().flatten().map(Result::unwrap) {
            if entry.path().extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(entry.path()).unwrap();
                let codes = text.split(concat!("code(", "gradstudy::")).skip(1);
                found.extend(
                    codes.map(|rest| format!("gradstudy::{}", rest.split(')').next().unwrap_or(rest))),
                );
            }
        }
        found
    }

    #[test]
    fn every_code_that_is_printed_is_explained() {
        let printed = printed();
        assert!(printed.len() > 100, "{}", printed.len());
        let silent: Vec<_> = printed.iter().filter(|code| find(code).is_none()).collect();
        assert!(silent.is_empty(), "{silent:?}");
        assert!(AREAS.is_sorted_by(|a, b| a.name < b.name));
        assert!(find("run::interrupted").is_some() && find("Run").is_some());
        assert!(find("nonsense::here").is_none());
    }
}
