//! What is completed where, and what hovering tells.

use super::*;

#[test]
fn completion_knows_the_language_the_registries_and_the_study() {
    let keywords = completed(&format!("{STUDY}\nda"), "columns: [d_ks] }\n\nda");
    let known: Vec<&str> = gradstudy::study::statements::STATEMENTS
        .iter()
        .map(|kind| kind.block.name)
        .collect();
    assert_eq!(keywords, known);
    assert_eq!(completed("", ""), known);

    // Behind `=`, in a text that goes on after it.
    let built_ins = completed("data d = \nmodel m = lenet\n", "data d = ");
    for name in ["fashion_mnist", "mnist", "like"] {
        assert!(built_ins.contains(&name.to_string()), "{built_ins:?}");
    }
    // Keys not yet written, then values.
    let keys = completed("data d = mnist(split: test, ", "split: test, ");
    assert!(
        keys.contains(&"normalize".to_string()) && !keys.contains(&"split".to_string()),
        "{keys:?}"
    );
    assert_eq!(
        completed("data d = mnist(normalize: gl", "normalize: gl"),
        words_of("mnist", "normalize")
    );
    // A statement's own settings and its optimizer's, in the block; required ones first.
    let text = "train p = sgd(lr: 0.1) {\n  of: m\n  \n}\nmodel m = lenet\n";
    let keys = completed(text, "of: m\n  ");
    assert!(
        ["on", "epochs", "batch", "momentum"]
            .iter()
            .all(|key| keys.contains(&key.to_string())),
        "{keys:?}"
    );
    assert!(
        !keys.contains(&"lr".to_string()) && !keys.contains(&"of".to_string()),
        "{keys:?}"
    );
    // Names of the right kind; those of other kinds only where they stand for values.
    let names = completed(STUDY, "gradients(of: ");
    assert_eq!(names, ["lenet", "short", "weights"]);
    // First what may stand without a key, then keys but for `tail`, which is written; last what stands for values.
    let tests = gradstudy::vocabulary::VOCABULARY.tests;
    let power_law = tests.iter().find(|it| it.name == "power_law").unwrap();
    let keys = power_law
        .params
        .iter()
        .map(|param| param.name)
        .filter(|name| *name != "tail");
    let expected: Vec<&str> = ["g"].into_iter().chain(keys).chain(["weights"]).collect();
    assert_eq!(completed(STUDY, "power_law("), expected);
    let tails = completed(STUDY, "tail: ");
    assert!(
        tails.contains(&"top".to_string()) && tails.contains(&"scan".to_string()),
        "{tails:?}"
    );
    // Columns, row keys and factors.
    let columns = completed(STUDY, "columns: [d_ks");
    assert!(columns.contains(&"gaussian_rate".to_string()) && !columns.contains(&"weights".to_string()));
    let rows = completed(STUDY, "rows: [");
    assert!(
        rows.contains(&"sg_type".to_string()) && rows.contains(&"weights".to_string()),
        "{rows:?}"
    );
    // Levels of a factor are what is expected where its name stands.
    assert_eq!(
        completed(STUDY, "vary weights in [random: "),
        ["lenet", "short", "case"]
    );
    // A case changes settings of statements by their paths.
    let text = "data d = mnist\nrecord g = gradients(on: d)\nvary v in [a: case(g.b";
    let paths = completed(text, "case(g.b");
    assert!(
        ["g.batch", "d.subset"]
            .iter()
            .all(|it| paths.iter().any(|path| path == it)),
        "{paths:?}"
    );
    assert_eq!(
        completed("data d = mnist\nvary v in [a: case(d.split: ", "split: "),
        ["train", "test"]
    );
    assert_eq!(
        completed("data d = mnist\nrecord g = gradients(on: d with ", "d with ")[..2],
        ["clean", "symmetric"]
    );
    // Nothing in comments and texts.
    assert_eq!(completed("# data d = ", "# data d = "), Vec::<String>::new());
    assert_eq!(completed("study \"da", "study \"da"), Vec::<String>::new());
    let keys = completed(&format!("profile quick {{ g.ba }}\n{STUDY}"), "g.ba");
    assert!(
        keys.contains(&"g.batch".to_string()) && keys.contains(&"study.seeds".to_string()),
        "{keys:?}"
    );
    assert!(keys.contains(&"weights".to_string()), "{keys:?}");
}

#[test]
fn what_is_completed_replaces_the_word_and_says_what_it_is() {
    let (mut client, _) = Client::greeted();
    let text = "data d = mnist(norm)\n";
    client.open("a.study", text);
    let answer = client.at("completion", "a.study", after(text, "norm"), json!({}));
    let items = answer["result"].as_array().unwrap();
    let item = items.iter().find(|item| item["label"] == "normalize").unwrap();
    assert_eq!(item["textEdit"]["newText"], "normalize: ");
    assert_eq!(
        item["textEdit"]["range"]["start"],
        json!({ "line": 0, "character": 15 })
    );
    assert_eq!(
        item["textEdit"]["range"]["end"],
        json!({ "line": 0, "character": 19 })
    );
    assert!(
        item["documentation"]["value"]
            .as_str()
            .unwrap()
            .contains("per_pixel"),
        "{item}"
    );
    let answer = client.at("completion", "a.study", (0, 9), json!({}));
    let items = answer["result"].as_array().unwrap();
    let item = items.iter().find(|item| item["label"] == "mnist").unwrap();
    assert_eq!(
        item["textEdit"]["newText"], "mnist",
        "its parentheses are there already"
    );
}

#[test]
fn hover_tells_type_default_and_meaning() {
    let (mut client, _) = Client::greeted();
    client.open("a.study", STUDY);
    let mut hover = |cursor: &str| {
        let answer = client.at("hover", "a.study", after(STUDY, cursor), json!({}));
        answer["result"]["contents"]["value"]
            .as_str()
            .unwrap_or_default()
            .to_string()
    };
    let key = hover("lenet(log");
    assert!(
        key.contains("a whole number from 2") && key.contains("default `10`") && key.contains("outputs"),
        "{key}"
    );
    assert!(hover("epo").contains("passes over the data"));
    assert!(hover("recor").contains("a gradient history"), "a keyword");
    assert!(hover("gradi").contains("gradient history G"), "a built-in");
    assert!(
        hover("of: weig").contains("vary weights in [random: lenet, short]"),
        "a name"
    );
    assert!(hover("columns: [d_").contains("Kolmogorov"), "a column");
    assert!(
        hover("normalize: glo").contains("per_pixel"),
        "a word, by its setting"
    );
    assert!(hover("tail: to").contains("`top(k)`"), "a form of a setting");
    assert_eq!(hover("44_4"), "", "a number");
}
