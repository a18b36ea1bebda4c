//! What `render` and hovering say of a network: every setting, and the shape and parameters after each layer.

use std::sync::Arc;

use gradstudy::lsp::at::Scope;
use gradstudy::lsp::hover::hover;
use gradstudy::lsp::project::{File, Project};
use gradstudy::study::{Overrides, stages, written_out};
use gradstudy::syntax::{Source, format};
use gradstudy::vocabulary::VOCABULARY;

const STUDY: &str = "data d = fashion_mnist_5k
let part = [conv2d(8, kernel: 3), relu]
vary width in [3, 5]
model m = network([stem: part, \"7\": linear(width), repeat(2, linear(10))])
";

#[test]
fn a_network_is_written_back_with_shapes_and_parameters() {
    let source = Source::new("test.study", STUDY);
    let text = written_out(&source, &Overrides::default(), &VOCABULARY).unwrap();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    for expected in [
        // The same at every level of the factor.
        "stem: part, # 8 × 26 × 26, 80 parameters",
        // 3 · 10 + 10 + 110 or 5 · 10 + 10 + 110.
        "repeat(times: 2, layers: linear(outputs: 10, positionwise: false)),",
        "\"7\": linear(outputs: width, positionwise: false),",
    ] {
        let plain: Vec<String> = lines.iter().map(|line| line.replace("  #", " #")).collect();
        assert!(plain.iter().any(|line| line == expected), "{expected}\n{text}");
    }
    let again = Source::new("test.study", text.clone());
    assert_eq!(
        written_out(&again, &Overrides::default(), &VOCABULARY).unwrap(),
        text
    );
}

#[test]
fn stages_are_those_of_every_level() {
    let source = Source::new("test.study", STUDY);
    let of = |text: &str| -> Vec<String> {
        let at = STUDY.find(text).unwrap();
        let found = stages(&source, &Overrides::default(), &VOCABULARY);
        let stage = found
            .into_iter()
            .find(|it| it.span.start == at && it.span.end == at + text.len());
        stage.unwrap_or_else(|| panic!("{text}")).words
    };
    assert_eq!(of("conv2d(8, kernel: 3)"), ["8 × 26 × 26, 80 parameters"]);
    assert_eq!(of("relu"), ["8 × 26 × 26"]);
    assert_eq!(
        of("\"7\": linear(width)"),
        ["3, 16227 parameters", "5, 27045 parameters"]
    );
    assert_eq!(
        of("repeat(2, linear(10))"),
        ["10, 150 parameters", "10, 170 parameters"]
    );
}

#[test]
fn hovering_over_a_layer_or_its_label_tells_what_there_is_after_it() {
    let project = Project::of(Arc::new(File::new("test.study", STUDY)), &|_| None);
    let scope = Scope {
        project: &project,
        vocabulary: &VOCABULARY,
    };
    let at = |text: &str, word: &str| {
        let offset = STUDY.find(text).unwrap() + text.find(word).unwrap();
        hover(scope, offset).unwrap_or_else(|| panic!("{text}")).0
    };
    for (text, word, first) in [
        (
            "conv2d(8, kernel: 3)",
            "conv2d",
            "after it: 8 × 26 × 26, 80 parameters",
        ),
        ("relu]", "relu", "after it: 8 × 26 × 26"),
        ("stem: part", "stem", "after it: 8 × 26 × 26, 80 parameters"),
        (
            "linear(width)",
            "linear",
            "after it: 3, 16227 parameters; 5, 27045 parameters",
        ),
    ] {
        let about = at(text, word);
        assert_eq!(about.lines().next(), Some(first), "{text}: {about}");
    }
    // What the registries say of the layer stands below.
    assert!(at("conv2d(8, kernel: 3)", "conv2d").contains("convolution with square kernels"));
}

#[test]
fn a_network_s_list_keeps_its_bracket_on_the_line_of_the_call() {
    let text = "model m = network([a_rather_long_label: conv2d(6, kernel: 5), another_long_label: conv2d(16, kernel: 5), \
                relu, linear(10)]) { assert parameters == 5 }\n";
    let formatted = format(&Source::new("test.study", text)).unwrap();
    let lines: Vec<&str> = formatted.lines().collect();
    assert_eq!(lines[0], "model m = network([", "{formatted}");
    assert_eq!(
        lines.last(),
        Some(&"]) { assert parameters == 5 }"),
        "{formatted}"
    );
    assert_eq!(
        format(&Source::new("test.study", formatted.clone())).unwrap(),
        formatted
    );
}
