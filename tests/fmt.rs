//! `gradstudy fmt`: generated studies with comments anywhere keep their tree and every comment, and a formatted
//! study stays as it is.

use std::path::{Path, PathBuf};

use gradstudy::syntax::{Source, Span, Spanned, ast::*, format, parse};
use proptest::prelude::*;

use crate::support::Gradstudy;

/// White space between two words of a generated study, maybe with comments.
fn space() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => Just(" ".to_string()),
        1 => Just("   ".to_string()),
        2 => Just("\n".to_string()),
        1 => Just("\n\n\n\t".to_string()),
        1 => (0..100u32).prop_map(|n| format!(" # end {n}\n")),
        1 => (0..100u32).prop_map(|n| format!("\n  #own {n} \" [{{(  \n")),
        1 => (0..100u32).prop_map(|n| format!("\n\n# own {n}\n\n")),
    ]
}

fn one(words: &[&'static str]) -> impl Strategy<Value = Vec<String>> + use<> {
    prop::sample::select(words.to_vec()).prop_map(|word| vec![word.to_string()])
}

fn atom() -> impl Strategy<Value = Vec<String>> {
    prop_oneof![
        one(&[
            "mnist",
            "lenet",
            "b",
            "44_426",
            "5%",
            "5e-4",
            "-1.50",
            "true",
            "\"a \\\" # \\\\b é\"",
            "f()"
        ]),
        one(&[
            "a_rather_long_name_of_something",
            "\"a caption of a table that is longer than one line of a study can be, so that it has nowhere to go at all\"",
        ]),
        Just(["0", "..", "1_0"].map(String::from).to_vec()),
    ]
}

/// Items with commas between them.
fn joined(items: Vec<Vec<String>>) -> Vec<String> {
    items.join(&",".to_string())
}

fn keyed(
    keys: &'static [&'static str],
    value: impl Strategy<Value = Vec<String>>,
) -> impl Strategy<Value = Vec<String>> {
    (prop::option::of(prop::sample::select(keys)), value).prop_map(|(key, value)| match key {
        Some(key) => [vec![key.to_string(), ":".to_string()], value].concat(),
        None => value,
    })
}

fn enclosed(open: &str, inside: Vec<String>, close: &str) -> Vec<String> {
    [vec![open.to_string()], inside, vec![close.to_string()]].concat()
}

fn value() -> impl Strategy<Value = Vec<String>> {
    atom().prop_recursive(3, 24, 6, |inner| {
        let entries = prop::collection::vec(keyed(&["random", "\"two words\""], inner.clone()), 0..6);
        let arguments = prop::collection::vec(keyed(&["of", "lr", "weight_decay"], inner.clone()), 0..5);
        let list = (entries, any::<bool>()).prop_map(|(entries, comma)| {
            let comma = (comma && !entries.is_empty()).then(|| ",".to_string());
            enclosed("[", [joined(entries), comma.into_iter().collect()].concat(), "]")
        });
        let call = (one(&["sgd", "power_law"]), arguments)
            .prop_map(|(name, arguments)| [name, enclosed("(", joined(arguments), ")")].concat());
        let operand = prop_oneof![list, call];
        let infix = (operand.clone(), one(&["at", "with"]), inner)
            .prop_filter("one infix per value", |(_, _, right)| {
                !right.iter().any(|w| w == "at" || w == "with")
            })
            .prop_map(|(left, word, right)| [left, word, right].concat());
        prop_oneof![4 => operand, 1 => infix]
    })
}

fn statement() -> impl Strategy<Value = Vec<String>> {
    // Name and keyword are one word here, since they stand on one line.
    let head = one(&[
        "study \"A title\"",
        "data   d",
        "model lenet",
        "vary a_long_name",
        "table \t t1",
        "lonely",
    ]);
    let binding = (one(&["=", "in"]), value()).prop_map(|(sign, value)| [sign, value].concat());
    let field = (one(&["of:", "on :", "epochs\n:", "at:", "asserted:"]), value())
        .prop_map(|(key, value)| [key, value].concat());
    let assert = (one(&["==", "<=", "<"]), atom())
        .prop_map(|(sign, value)| [vec!["assert".into(), "parameters".into()], sign, value].concat());
    let part = prop_oneof![5 => field, 1 => assert, 1 => one(&[",", ";"])];
    let block = prop::collection::vec(part, 0..6).prop_map(|parts| enclosed("{", parts.concat(), "}"));
    (head, prop::option::of(binding), prop::option::of(block)).prop_map(|(head, binding, block)| {
        [head, binding.unwrap_or_default(), block.unwrap_or_default()].concat()
    })
}

/// Well-formed text of any kind.
pub fn study() -> impl Strategy<Value = String> {
    prop::collection::vec(
        (
            statement(),
            prop::sample::select(vec!["\n", "\n\n\n", " # behind\n"]),
        ),
        0..6,
    )
    .prop_flat_map(|statements| {
        let words: Vec<String> = statements
            .into_iter()
            .flat_map(|(words, end)| words.into_iter().chain([end.to_string()]))
            .collect();
        let spaces = prop::collection::vec(space(), words.len());
        (Just(words), spaces, prop::sample::select(vec!["\n", "\r\n"]))
    })
    .prop_map(|(words, spaces, line_end)| {
        let text: String = spaces
            .into_iter()
            .zip(words)
            .flat_map(|(space, word)| [space, word])
            .collect();
        text.replace('\n', line_end)
    })
}

/// The tree with every place forgotten.
fn placeless(mut statements: Vec<Statement>) -> Vec<Statement> {
    for statement in &mut statements {
        let heads = [
            Some(&mut statement.keyword),
            statement.title.as_mut(),
            statement.name.as_mut(),
        ];
        heads.into_iter().flatten().for_each(forget);
        if let Some(binding) = &mut statement.binding {
            binding.span = Span::default();
            forget_in(&mut binding.value);
        }
        if let Some(block) = &mut statement.block {
            block.span = Span::default();
            block.fields.iter_mut().for_each(forget_argument);
            for assert in &mut block.asserts {
                assert.span = Span::default();
                forget(&mut assert.subject);
                forget_in(&mut assert.value);
            }
        }
    }
    statements
}

fn forget(word: &mut Spanned<String>) {
    word.span = Span::default();
}

fn forget_argument(argument: &mut Argument) {
    argument.key.iter_mut().for_each(forget);
    forget_in(&mut argument.value);
}

fn forget_in(expr: &mut Expr) {
    expr.span = Span::default();
    match &mut expr.kind {
        ExprKind::List(entries) => {
            for entry in entries {
                entry.label.iter_mut().for_each(forget);
                forget_in(&mut entry.value);
            }
        }
        ExprKind::Call { name, arguments } => {
            forget(name);
            arguments.iter_mut().for_each(forget_argument);
        }
        ExprKind::Infix { left, word, right } => {
            forget(word);
            forget_in(left);
            forget_in(right);
        }
        _ => {}
    }
}

/// The tree and the comments (in no order) of a text that parses.
fn content(text: &str) -> (Vec<Statement>, Vec<String>) {
    let parsed = parse(&Source::new("any.study", text));
    assert!(parsed.diagnostics.is_empty(), "{:?}\n{text}", parsed.diagnostics);
    // The only `#` of a generated text is followed by other words.
    let comments = text.lines().filter_map(|line| {
        let starts = ["# end", "#own", "# own", "# behind"];
        starts
            .iter()
            .find_map(|start| line.find(start))
            .map(|at| line[at..].trim_end().to_string())
    });
    let mut comments: Vec<String> = comments.collect();
    comments.sort();
    (placeless(parsed.statements), comments)
}

fn formatted(text: &str) -> String {
    format(&Source::new("any.study", text)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn a_formatted_study_says_the_same_and_stays_as_it_is(text in study()) {
        let once = formatted(&text);
        prop_assert_eq!(content(&once), content(&text));
        prop_assert_eq!(formatted(&once), once);
    }

    #[test]
    fn lines_have_no_space_at_their_end_and_no_two_are_empty(text in study()) {
        let once = formatted(&text).replace('\r', "");
        prop_assert!(once.lines().all(|line| line.trim_end() == line), "{once}");
        prop_assert!(!once.contains("\n\n\n") && !once.starts_with('\n') && !once.ends_with("\n\n"), "{once}");
    }
}

/// The studies of a folder of the project.
fn studies(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let paths = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|ext| ext == "study"))
        .collect();
    assert!(!paths.is_empty());
    paths
}

#[test]
fn studies_of_the_project_are_formatted() {
    for path in ["studies", "templates/studies", "tests/cases/good"]
        .into_iter()
        .flat_map(studies)
    {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(formatted(&text) == text, "run `gradstudy fmt {}`", path.display());
    }
}

#[test]
fn studies_in_documents_are_formatted() {
    for name in ["README.md", "docs/language.md"] {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
        for study in text.split("```study\n").skip(1) {
            let study = study.split("```").next().unwrap();
            assert_eq!(formatted(study), study, "{name}");
        }
    }
}

#[test]
fn short_forms_stay_on_their_line_and_long_ones_are_broken_from_the_end() {
    let text = "data d=mnist(  )\nmodel  lenet =lenet ( logits:10 ){assert parameters==44_426}\n\
        train t = sgd(lr: 0.1, momentum: 0.9, weight_decay: 5e-4) { of: lenet on: d; epochs: 50, batch: 128 decay: 0.1 at [40%,80%] }\n\
        vary w in [\nrandom: lenet, pretrain: t]\n";
    let expected = "data  d     = mnist()\nmodel lenet = lenet(logits: 10) { assert parameters == 44_426 }\n\
        train t = sgd(lr: 0.1, momentum: 0.9, weight_decay: 5e-4) {\n  \
        of: lenet  on: d  epochs: 50  batch: 128  decay: 0.1 at [40%, 80%]\n}\n\
        vary w in [\n  random: lenet, pretrain: t,\n]\n";
    assert_eq!(formatted(text), expected);
}

#[test]
fn comments_keep_their_place_and_those_inside_an_item_go_before_it() {
    let text = "# first\n\n\ndata d = mnist # behind\n\ntable t {   # open\n  of: # inside\n x # end\n  # own\n\n  rows: y\n  # last\n}";
    let expected = "# first\n\ndata d = mnist  # behind\n\ntable t {  # open\n  # inside\n  of: x  # end\n  # own\n\n  rows: y\n  # last\n}\n";
    assert_eq!(formatted(text), expected);
}

#[test]
fn line_ends_stay_those_of_the_file() {
    assert_eq!(
        formatted("data d=x # a\r\nmodel m=y\r\n"),
        "data  d = x  # a\r\nmodel m = y\r\n"
    );
}

const LOOSE: &str = "data d=mnist # kept\nmodel m = lenet\n";
const TIDY: &str = "data  d = mnist  # kept\nmodel m = lenet\n";

#[test]
fn check_shows_what_would_change_and_changes_nothing() {
    let gradstudy = Gradstudy::new(LOOSE);
    let said = gradstudy.run(&["fmt", "--check", "test.study"]);
    assert_eq!((said.code, said.stderr.as_str()), (Some(1), ""));
    assert_eq!(
        said.stdout,
        "test.study would change\n-    1  data d=mnist # kept\n+    1  data  d = mnist  # kept\n"
    );
    let file = gradstudy.path().join("test.study");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), LOOSE);

    assert_eq!(
        gradstudy.run(&["fmt", "test.study"]).success().stdout,
        "test.study formatted\n"
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), TIDY);
    for arguments in [&["fmt", "test.study"][..], &["fmt", "--check", "test.study"]] {
        assert_eq!(gradstudy.run(arguments).success().stdout, "");
    }
}

#[test]
fn a_file_that_does_not_parse_is_left_alone_and_the_others_are_formatted() {
    let broken = "data d=mnist(\n";
    let gradstudy = Gradstudy::new(broken);
    let other = gradstudy.path().join("other.study");
    std::fs::write(&other, LOOSE).unwrap();
    let said = gradstudy.run(&["fmt", "test.study", "missing.study", "other.study"]);
    assert_eq!(said.code, Some(2));
    for part in ["E0105", "test.study:1:", "no file `missing.study`"] {
        assert!(said.stderr.contains(part), "{part} is missing:\n{}", said.stderr);
    }
    assert_eq!(std::fs::read_to_string(other).unwrap(), TIDY);
    assert_eq!(
        std::fs::read_to_string(gradstudy.path().join("test.study")).unwrap(),
        broken
    );
    let left: Vec<_> = std::fs::read_dir(gradstudy.path()).unwrap().collect();
    assert_eq!(left.len(), 2, "no temporary file stays: {left:?}");
}

#[cfg(unix)]
#[test]
fn permissions_and_links_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let gradstudy = Gradstudy::new(LOOSE);
    let file = gradstudy.path().join("test.study");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o664)).unwrap();
    symlink("test.study", gradstudy.path().join("link.study")).unwrap();
    gradstudy.run(&["fmt", "link.study"]).success();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), TIDY);
    assert!(gradstudy.path().join("link.study").is_symlink());
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o664
    );

    std::fs::write(&file, LOOSE).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o444)).unwrap();
    let said = gradstudy.run(&["fmt", "test.study"]);
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("cannot be written"), "{}", said.stderr);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), LOOSE);
}
