//! Every mistake in a network is told where it is, with the shape there, and soon.

use std::time::{Duration, Instant};

use super::check;

/// A study of model `m` on images of 28 × 28, with that network.
fn study(network: &str) -> String {
    format!(
        "data d = fashion_mnist_5k\nmodel m = {network}\nrecord g = gradients(of: m, on: d, batch: 8, iterations: 10)\n\
         test t = normality(g, points: 10)\ntable r {{ of: t  rows: model  columns: p_value }}\n"
    )
}

/// The only mistake: its code, its message, the text at its place, and the words there.
#[track_caller]
fn mistake(network: &str) -> (&'static str, String, String, String) {
    let text = study(network);
    let Err(found) = check(&text) else {
        panic!("{network} checks");
    };
    let all: Vec<_> = found.iter().collect();
    assert_eq!(all.len(), 1, "{network}: {all:?}");
    let (span, label) = &all[0].labels[0];
    let place = text[span.start..span.end].to_string();
    let helped = all[0].help.as_ref().is_some_and(|help| !help.is_empty());
    assert!(
        helped || ["E0308", "E0402", "E0505"].contains(&all[0].code),
        "{network}: no help"
    );
    (all[0].code, all[0].message.clone(), place, label.clone())
}

/// Network, place, part of the message, words at the place.
const MISFITS: [(&str, &str, &str, &str); 14] = [
    (
        "network([conv1: conv2d(6, kernel: 5), max_pool2d(2), conv2: conv2d(16, kernel: 15), linear(10)])",
        "conv2: conv2d(16, kernel: 15)",
        "layer `conv2`: a kernel that spans 15 × 15 is larger than 6 × 12 × 12",
        "takes 6 × 12 × 12 here",
    ),
    (
        "network([conv2d(6, kernel: 3, padding: 3), linear(10)])",
        "conv2d(6, kernel: 3, padding: 3)",
        "layer `0`: a padding of 3 lies beyond a kernel that spans 3",
        "takes 1 × 28 × 28 here",
    ),
    (
        "network([conv2d(6, kernel: 3), conv2d(8, kernel: 3, groups: 4), linear(10)])",
        "conv2d(8, kernel: 3, groups: 4)",
        "4 groups do not divide 6 channels into 8",
        "takes 6 × 26 × 26 here",
    ),
    (
        "network([linear(20), max_pool2d(2), linear(10)])",
        "max_pool2d(2)",
        "windows of 2 × 2, this is 20",
        "takes 20 here",
    ),
    (
        "network([block: residual([conv2d(4, kernel: 3)]), linear(10)])",
        "block: residual([conv2d(4, kernel: 3)])",
        "layer `block`: the two sides of `residual` differ: 4 × 26 × 26 and 1 × 28 × 28",
        "its layers make 4 × 26 × 26, 1 × 28 × 28 is added",
    ),
    (
        "network([residual([conv2d(4, kernel: 3)], shortcut: [conv2d(4, kernel: 1)]), linear(10)])",
        "residual([conv2d(4, kernel: 3)], shortcut: [conv2d(4, kernel: 1)])",
        "differ: 4 × 26 × 26 and 4 × 28 × 28",
        "its layers make 4 × 26 × 26, 4 × 28 × 28 is added",
    ),
    (
        "network([stem: [conv2d(8, kernel: 3), blocks: repeat(3, [conv: conv2d(8, kernel: 11)])], linear(10)])",
        "conv: conv2d(8, kernel: 11)",
        "layer `stem.blocks.2.conv`: a kernel that spans 11 × 11 is larger than 8 × 6 × 6",
        "takes 8 × 6 × 6 here",
    ),
    (
        "network([attention(2), linear(10)])",
        "attention(2)",
        "`attention` takes a sequence, this is an image of 1 × 28 × 28",
        "takes 1 × 28 × 28 here",
    ),
    (
        "network([conv2d(6, kernel: 4, stride: 4), positions, attention(4), linear(10)])",
        "attention(4)",
        "cannot divide 6 channels among 4 heads",
        "takes 6 × 1 × 49 here",
    ),
    (
        "network([embedding(7, 8), linear(10)])",
        "embedding(7, 8)",
        "`embedding` takes a sequence of tokens, this is 1 × 28 × 28",
        "takes 1 × 28 × 28 here",
    ),
    (
        "network([relu, global_avg_pool])",
        "[relu, global_avg_pool]",
        "the network has no parameters",
        "nothing to be trained here",
    ),
    (
        "network([conv2d(10, kernel: 3), relu])",
        "[conv2d(10, kernel: 3), relu]",
        "the network does not end with a vector of logits",
        "it ends with 10 × 26 × 26",
    ),
    (
        "network([_: [fc: linear(20)], _: [relu, fc: linear(10)]])",
        "fc: linear(10)",
        "two layers are called `fc`",
        "so is `layers._0.fc`",
    ),
    (
        "network([repeat(10_000, repeat(10_000, relu)), linear(10)])",
        "[repeat(10_000, repeat(10_000, relu)), linear(10)]",
        "the network has 100000001 layers",
        "more than 10000",
    ),
];

#[test]
fn what_does_not_fit_is_told_with_the_shape_there() {
    for (network, place, message, label) in MISFITS {
        let found = mistake(network);
        assert_eq!(
            (found.0, found.2.as_str(), found.3.as_str()),
            ("E0516", place, label),
            "{network}"
        );
        assert!(found.1.contains(message), "{network}: {}", found.1);
        assert!(found.1.starts_with("model `m`"), "{network}: {}", found.1);
    }
}

#[test]
fn labels_settings_and_names_are_checked_where_they_stand() {
    for (network, code, place) in [
        (
            "network([fc: linear(20), relu, fc: linear(10)])",
            "E0316",
            "fc: linear(10)",
        ),
        (
            "network([relu, \"1\": linear(20), \"2\": tanh, linear(10), \"3\": relu])",
            "E0316",
            "\"3\": relu",
        ),
        ("network([\"a.b\": linear(10)])", "E0316", "\"a.b\""),
        ("network([_x: linear(10)])", "E0316", "_x"),
        ("network([_: linear(10)])", "E0316", "_"),
        ("network([lineer(10)])", "E0301", "lineer"),
        ("network([linear(20, outs: 3)])", "E0302", "outs"),
        ("network([linear])", "E0304", "linear"),
        ("network([linear(0)])", "E0308", "0"),
        (
            "network([repeat(1_000_000, relu), linear(10)])",
            "E0308",
            "1_000_000",
        ),
        ("network([])", "E0402", "[]"),
        ("network([residual([]), linear(10)])", "E0402", "[]"),
        ("network([linear(10), 3])", "E0307", "3"),
        ("network([m, linear(10)])", "E0301", "m"),
        ("network(3)", "E0307", "3"),
    ] {
        let found = mistake(network);
        assert_eq!(
            (found.0, found.2.as_str()),
            (code, place),
            "{network}: {}",
            found.1
        );
    }
    let too_few = mistake("network([linear(9)])");
    assert_eq!(too_few.0, "E0505");
    assert!(too_few.1.contains("9 logits"), "{}", too_few.1);
}

#[test]
fn a_part_s_mistake_is_told_in_the_part() {
    let text = study("network([block: part, linear(10)])").replace(
        "model m",
        "let part = [conv: conv2d(4, kernel: 3), residual([conv2d(8, kernel: 1)])]\nmodel m",
    );
    let Err(found) = check(&text) else {
        panic!("it checks")
    };
    let all: Vec<_> = found.iter().collect();
    assert_eq!(all.len(), 1, "{all:?}");
    let span = all[0].labels[0].0;
    assert_eq!(&text[span.start..span.end], "residual([conv2d(8, kernel: 1)])");
    assert!(all[0].message.contains("layer `block.1`"), "{}", all[0].message);
}

#[test]
fn an_assert_counts_the_parameters_of_a_network() {
    let text = |count: u64| {
        study("network([conv2d(4, kernel: 3), relu, linear(10)])").replace(
            "linear(10)])\n",
            &format!("linear(10)]) {{ assert parameters == {count} }}\n"),
        )
    };
    let count = 4 * 9 + 4 + 4 * 26 * 26 * 10 + 10;
    assert!(check(&text(count)).is_ok());
    let Err(found) = check(&text(7)) else {
        panic!("it checks")
    };
    let all: Vec<_> = found.iter().map(|it| (it.code, it.message.as_str())).collect();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].0, "E0501");
    assert!(all[0].1.contains(&format!("{count} parameters")), "{}", all[0].1);
}

#[test]
fn layers_are_chosen_by_the_network_s_own_names() {
    let text = |layers: &str| {
        study("network([stem: [conv: conv2d(4, kernel: 3)], fc: linear(10)])")
            .replace("iterations: 10", &format!("iterations: 10, layers: \"{layers}\""))
    };
    assert!(check(&text("stem.*")).is_ok());
    let Err(found) = check(&text("conv*")) else {
        panic!("it checks")
    };
    let all: Vec<_> = found.iter().collect();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].code, "E0511");
    assert!(
        all[0].help.as_ref().unwrap().contains("`stem.conv.weight`"),
        "{:?}",
        all[0].help
    );
}

/// A layer without a second derivative asked for a Hessian, and one that has a single sample to normalise.
#[test]
fn what_a_layer_cannot_do_is_told_by_its_name() {
    let hessian = "data d = fashion_mnist_5k\nmodel m = network([act: layer_norm, linear(10)])\n\
                   spectrum h = hessian(of: m, on: d, samples: 500, top: 60)\ntable r { of: t  rows: model  columns: p_value }\n\
                   test t = power_law(h, tail: top(50))\n";
    let Err(found) = check(hessian) else {
        panic!("it checks")
    };
    let all: Vec<_> = found.iter().collect();
    assert_eq!((all.len(), all[0].code), (1, "E0513"), "{all:?}");
    assert!(all[0].message.contains("`act` (LayerNorm)"), "{}", all[0].message);
    let single = study("network([batch_norm, linear(10)])").replace("batch: 8", "batch: 1");
    let Err(found) = check(&single) else {
        panic!("it checks")
    };
    assert_eq!(found.iter().next().unwrap().code, "E0514");
}

/// Lists of lists, powers of repetitions, a million layers in the text, models of each other.
#[test]
fn large_networks_are_refused_in_bounded_time() {
    let start = Instant::now();
    let million = study(&format!("network([{} linear(10)])", "relu, ".repeat(1_000_000)));
    let Err(found) = check(&million) else {
        panic!("it checks")
    };
    assert_eq!(found.iter().next().unwrap().code, "E0317");
    let lets: String = (1..40)
        .map(|i| format!("let l{i} = [{}]\n", format!("l{}, ", i - 1).repeat(30)))
        .collect();
    let bomb = format!("let l0 = relu\n{lets}{}", study("network([l39, linear(10)])"));
    let Err(found) = check(&bomb) else {
        panic!("it checks")
    };
    assert_eq!(found.iter().next().unwrap().code, "E0317");
    let deep: String = (1..1000).map(|i| format!("let l{i} = [l{}]\n", i - 1)).collect();
    let deep = format!("let l0 = relu\n{deep}{}", study("network([l999, linear(10)])"));
    let Err(found) = check(&deep) else {
        panic!("it checks")
    };
    assert_eq!(found.iter().next().unwrap().code, "E0317");
    let nested = study(&format!(
        "network([{}relu{}])",
        "repeat(9999, ".repeat(20),
        ")".repeat(20)
    ));
    let Err(found) = check(&nested) else {
        panic!("it checks")
    };
    assert_eq!(found.iter().next().unwrap().code, "E0516");
    let wide = mistake("network([conv2d(100_000, kernel: 40, padding: 39), linear(10)])");
    assert_eq!(wide.0, "E0516");
    let own = study("network([linear(10)])").replace("model m = network", "model m = m\nmodel n = network");
    let Err(found) = check(&own) else {
        panic!("it checks")
    };
    assert_eq!(found.iter().next().unwrap().code, "E0301");
    // Far above what it takes; without bounds it would be hours.
    assert!(
        start.elapsed() < Duration::from_secs(120),
        "{:?}",
        start.elapsed()
    );
}

/// A `let` with names left open, which its uses give.
#[test]
fn a_part_takes_what_it_leaves_open() {
    let part = "let block = residual([conv2d(channels, kernel: 3, padding: 1), act])\n\
                let wide = network([conv2d(4, kernel: 3), block(channels: 4, act: gelu), block(channels: 4, act: relu), linear(k)])\n\
                vary classes in [10, 12]\n";
    let text =
        |model: &str| study("NETWORK").replace("model m = NETWORK", &format!("{part}model m = {model}"));
    let (checked, _) = check(&text("wide(k: classes)")).unwrap_or_else(|found| panic!("{found:?}"));
    let counts: Vec<_> = checked
        .cases
        .iter()
        .map(|case| {
            let call = &case.models["m"].call;
            let kind = gradstudy::models::find(&call.name).unwrap();
            kind.build(&call.args, [1, 28, 28]).unwrap().parameter_count()
        })
        .collect();
    let body = 4 * 9 + 4 + 2 * (4 * 4 * 9 + 4);
    assert_eq!(counts, [body + 2704 * 10 + 10, body + 2704 * 12 + 12]);
    for (model, code, place) in [
        ("wide(k: classes, j: 3)", "E0301", "wide"),
        ("wide(classes)", "E0301", "wide"),
        ("wide", "E0307", "k"),
        ("wide(k: 0)", "E0308", "0"),
    ] {
        let text = text(model);
        let Err(found) = check(&text) else {
            panic!("{model} checks")
        };
        let all: Vec<_> = found
            .iter()
            .filter(|it| it.severity == miette::Severity::Error)
            .collect();
        let span = all[0].labels[0].0;
        assert_eq!((all.len(), all[0].code), (1, code), "{model}: {all:?}");
        assert_eq!(&text[span.start..span.end], place, "{model}");
    }
    let bomb: String = (1..30)
        .map(|i| format!("let l{i} = [l{}(x: [x, x]), x]\n", i - 1))
        .collect();
    let bomb = format!(
        "let l0 = [x]\n{bomb}{}",
        study("network([l29(x: relu), linear(10)])")
    );
    let start = Instant::now();
    let Err(found) = check(&bomb) else {
        panic!("it checks")
    };
    assert_eq!(found.iter().next().unwrap().code, "E0317");
    assert!(start.elapsed() < Duration::from_secs(60));
}
