//! Whole conversations with the real server.

#[path = "session/completion.rs"]
mod completion;

use gradstudy::signature::ParamType;
use serde_json::{Value, json};

use super::client::Client;

const FIVE: &str = "\
# é𝛽
study \"Five mistakes\"
data  fashion = fashion_mnist_5k(normalize: globl)
model lenet   = lenet(logits: 1)
train short   = sgd(lr: -0.1) { of: lenet  on: fashion  epochs: 5  batch: 128 }
record g = gradients(of: short, on: fashion, bach: 100)
test tails = power_law(h)
";

/// A study with a name of two UTF-16 units in a comment before anything else on the line.
const STUDY: &str = "\
study \"𝛽 and é\" { seeds: 0..1 }
data fashion = fashion_mnist_5k(normalize: global)
model lenet = lenet(logits: 10) { assert parameters == 44_426 }
train short = sgd(lr: 0.05) { of: lenet  on: fashion  epochs: 2  batch: 50 }
vary weights in [random: lenet, short]
record g = gradients(of: weights, on: fashion, batch: 3)
test tails = power_law(g, tail: top(50))
table one { of: [tails]  rows: [weights, sg_type]  columns: [d_ks] }
";

fn labels(answer: &Value) -> Vec<&str> {
    let items = answer["result"].as_array().unwrap_or_else(|| panic!("{answer}"));
    items.iter().map(|item| item["label"].as_str().unwrap()).collect()
}

/// The place behind the first `before` of the text.
fn after(text: &str, before: &str) -> (u32, u32) {
    let offset = text.find(before).unwrap() + before.len();
    let line_start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let line = text[..offset].matches('\n').count();
    (
        line as u32,
        text[line_start..offset].encode_utf16().count() as u32,
    )
}

/// The words that a setting of a data set may be.
fn words_of(dataset: &str, setting: &str) -> &'static [&'static str] {
    let signatures = gradstudy::vocabulary::VOCABULARY.datasets;
    let signature = signatures.iter().find(|it| it.name == dataset).unwrap();
    match signature.params.iter().find(|it| it.name == setting).unwrap().ty {
        ParamType::Word(words) => words,
        _ => panic!("`{setting}` is no word"),
    }
}

#[track_caller]
fn completed(text: &str, cursor: &str) -> Vec<String> {
    let (mut client, _) = Client::greeted();
    client.open("test.study", text);
    let answer = client.at("completion", "test.study", after(text, cursor), json!({}));
    labels(&answer).into_iter().map(String::from).collect()
}

#[test]
fn what_was_meant_is_a_quick_fix() {
    let (mut client, answer) = Client::greeted();
    assert_eq!(
        answer["capabilities"]["codeActionProvider"]["codeActionKinds"],
        json!(["quickfix"])
    );
    let text = "# é𝛽\ndata  fashion = fashion_mnist_5k(normalise: globl)\nmodell lenet  = lenet(logits: 10)\n\
        record g = gradients(of: lenet, on: fashon)\nrecord h = like(gg, batch: 10)\n\
        profile quick { gh.iterations: 500 }\n";
    client.open("a.study", text);
    let found = client.diagnostics("a.study");
    let suggested: Vec<&Value> = found
        .iter()
        .filter(|one| one["message"].as_str().unwrap().contains("did you mean"))
        .collect();
    let uri = client.uri("a.study");
    let params = json!({
        "textDocument": { "uri": uri },
        "range": { "start": { "line": 0, "character": 0 }, "end": { "line": 5, "character": 0 } },
        "context": { "diagnostics": found },
    });
    let answer = client.ask("textDocument/codeAction", params);
    let actions = answer["result"].as_array().unwrap();
    assert!(suggested.len() >= 4, "{found:?}");
    assert_eq!(actions.len(), suggested.len(), "{actions:?}");
    let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
    for action in actions {
        let edit = &action["edit"]["changes"][&uri][0];
        let place = |end: &str| edit["range"][end]["character"].as_u64().unwrap() as usize;
        let line = edit["range"]["start"]["line"].as_u64().unwrap() as usize;
        // All behind the first line is ASCII; edits of one line come in any order, so its words are compared.
        let old = &text.lines().nth(line).unwrap()[place("start")..place("end")];
        lines[line] = lines[line].replacen(old, edit["newText"].as_str().unwrap(), 1);
    }
    let right = lines.join("\n");
    for word in ["normalize:", "model lenet", "on: fashion", "like(g,"] {
        assert!(right.contains(word), "{word}:\n{right}\n{actions:?}");
    }
}

#[test]
fn an_editor_works_on_a_study_from_greeting_to_farewell() {
    let (mut client, answer) = Client::greeted();
    let capabilities = &answer["capabilities"];
    for provider in [
        "hover",
        "definition",
        "references",
        "documentSymbol",
        "documentFormatting",
    ] {
        assert_eq!(capabilities[format!("{provider}Provider")], true, "{provider}");
    }
    assert_eq!(answer["serverInfo"]["name"], "gradstudy");

    // Five mistakes, all at once.
    client.open("five.study", FIVE);
    let found = client.diagnostics("five.study");
    let codes: Vec<&str> = found.iter().map(|one| one["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["E0309", "E0308", "E0308", "E0302", "E0310"]);
    let misspelt = &found[0];
    assert_eq!(
        (&misspelt["severity"], &misspelt["source"]),
        (&json!(1), &json!("gradstudy"))
    );
    assert_eq!(misspelt["range"]["start"], json!({ "line": 2, "character": 44 }));
    assert_eq!(misspelt["range"]["end"], json!({ "line": 2, "character": 49 }));
    assert!(
        misspelt["message"]
            .as_str()
            .unwrap()
            .contains("help: did you mean `global`?"),
        "{misspelt}"
    );

    // Put right, there is nothing to say; a doubt comes back as a warning.
    client.replace("five.study", STUDY);
    assert_eq!(client.diagnostics("five.study"), Vec::<Value>::new());
    let doubt = format!("{STUDY}data spare = mnist\n");
    client.replace("five.study", &doubt);
    let found = client.diagnostics("five.study");
    assert_eq!(
        (found.len(), &found[0]["severity"], &found[0]["code"]),
        (1, &json!(2), &json!("W0101"))
    );

    client.tell(
        "textDocument/didClose",
        json!({ "textDocument": { "uri": client.uri("five.study") } }),
    );
    assert_eq!(client.diagnostics("five.study"), Vec::<Value>::new());

    assert_eq!(client.ask("shutdown", Value::Null)["result"], Value::Null);
    let late = client.ask("textDocument/hover", json!({}));
    assert_eq!(late["error"]["code"], -32600);
    client.tell("exit", Value::Null);
    assert_eq!(client.end(), Some(0));
}

#[test]
fn every_place_of_a_mistake_is_told_in_utf16() {
    let (mut client, _) = Client::greeted();
    client.open("twice.study", "study \"𝛽\" data d = mnist\ndata  d = mnist\n");
    let found = client.diagnostics("twice.study");
    let twice = found
        .iter()
        .find(|one| one["code"] == "E0204")
        .unwrap_or_else(|| panic!("{found:?}"));
    assert_eq!(twice["range"]["start"], json!({ "line": 1, "character": 6 }));
    let other = &twice["relatedInformation"][0];
    assert_eq!(other["location"]["uri"], client.uri("twice.study"));
    assert_eq!(
        other["location"]["range"]["start"],
        json!({ "line": 0, "character": 16 }),
        "`𝛽` is two units"
    );
}

#[test]
fn edits_are_taken_by_their_ranges() {
    let (mut client, _) = Client::greeted();
    client.open("edit.study", STUDY);
    client.diagnostics("edit.study");
    let change = |line: u32, from: u32, to: u32, text: &str| {
        let range =
            json!({ "start": { "line": line, "character": from }, "end": { "line": line, "character": to } });
        json!({ "range": range, "text": text })
    };
    // Behind `𝛽` on the first line, then in a line below; each speaks of what the one before left.
    let changes = json!([
        change(0, 7, 9, "βββ"),
        change(0, 13, 14, "e\u{301}\n"),
        change(2, 43, 49, "globl")
    ]);
    let document = json!({ "uri": client.uri("edit.study"), "version": 2 });
    client.tell(
        "textDocument/didChange",
        json!({ "textDocument": document, "contentChanges": changes }),
    );
    let found = client.diagnostics("edit.study");
    let codes: Vec<&Value> = found.iter().map(|one| &one["code"]).collect();
    assert!(codes.contains(&&json!("E0309")), "{found:?}");
    let unknown = found.iter().find(|one| one["code"] == "E0309").unwrap();
    assert_eq!(unknown["range"]["start"], json!({ "line": 2, "character": 43 }));
}

#[test]
fn definitions_references_and_rename_follow_names_through_files() {
    let (mut client, _) = Client::greeted();
    let folder = client.gradstudy.path().canonicalize().unwrap();
    let common = "data fashion = fashion_mnist_5k\nmodel net = lenet\n";
    std::fs::write(folder.join("common.study"), common).unwrap();
    let main =
        "use \"common.study\"\nrecord g = gradients(of: net, on: fashion)\nprofile q { net.logits: 12 }\n";
    std::fs::write(folder.join("main.study"), main).unwrap();
    let other =
        "use \"common.study\"\nrecord h = gradients(of: net, on: fashion, batch: 2)\nmodel g = lenet\n";
    std::fs::write(folder.join("other.study"), other).unwrap();
    client.open("main.study", main);

    let answer = client.at("definition", "main.study", after(main, "of: ne"), json!({}));
    assert_eq!(answer["result"]["uri"], client.uri("common.study"));
    assert_eq!(
        answer["result"]["range"]["start"],
        json!({ "line": 1, "character": 6 })
    );
    let answer = client.at("definition", "main.study", after(main, "use \"com"), json!({}));
    assert_eq!(answer["result"]["uri"], client.uri("common.study"));

    let context = json!({ "context": { "includeDeclaration": true } });
    let answer = client.at("references", "main.study", after(main, "of: ne"), context);
    assert_eq!(
        answer["result"].as_array().unwrap().len(),
        4,
        "common, main twice, other: {answer}"
    );
    let context = json!({ "context": { "includeDeclaration": false } });
    let answer = client.at("references", "main.study", after(main, "record g"), context);
    assert_eq!(answer["result"], json!([]), "the other study's `g` is another");

    let answer = client.at(
        "prepareRename",
        "main.study",
        after(main, "profile q { net"),
        json!({}),
    );
    assert_eq!(answer["result"]["placeholder"], "net");
    let rename = |client: &mut Client, name: &str| {
        client.at(
            "rename",
            "main.study",
            after(main, "of: ne"),
            json!({ "newName": name }),
        )
    };
    let answer = rename(&mut client, "network");
    let changes = answer["result"]["changes"]
        .as_object()
        .unwrap_or_else(|| panic!("{answer}"));
    let counts = ["common.study", "main.study", "other.study"]
        .map(|name| changes[&client.uri(name)].as_array().unwrap().len());
    assert_eq!(counts, [1, 2, 1]);
    let edit = &changes[&client.uri("main.study")][1];
    assert_eq!(
        edit["range"]["start"],
        json!({ "line": 2, "character": 12 }),
        "`net` of `net.logits`"
    );

    for (name, why) in [
        ("fashion", "already the name of a data"),
        ("h", "already the name of a record"),
        ("1st", "not a name"),
        ("with", "word of the language"),
    ] {
        let answer = rename(&mut client, name);
        let message = answer["error"]["message"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"));
        assert!(message.contains(why), "{name}: {message}");
    }
}

#[test]
fn mistakes_in_a_used_file_are_told_there() {
    let (mut client, _) = Client::greeted();
    let folder = client.gradstudy.path().canonicalize().unwrap();
    std::fs::write(folder.join("common.study"), "\ndata d = minst\n").unwrap();
    client.open("main.study", "use \"common.study\"\n");
    assert_eq!(client.diagnostics("main.study"), Vec::<Value>::new());
    let found = client.diagnostics("common.study");
    assert_eq!(found[0]["code"], "E0301");
    assert_eq!(found[0]["range"]["start"], json!({ "line": 1, "character": 9 }));
    // Mended on the disk and saved: gone.
    std::fs::write(folder.join("common.study"), "data d = mnist\n").unwrap();
    client.tell(
        "textDocument/didSave",
        json!({ "textDocument": { "uri": client.uri("common.study") } }),
    );
    let found = client.diagnostics("common.study");
    assert!(found.iter().all(|one| one["code"] != "E0301"), "{found:?}");
}

#[test]
fn formatting_is_the_printer_s_and_symbols_are_the_statements() {
    let (mut client, _) = Client::greeted();
    let text = "data   d=mnist\nmodel m = lenet\nrecord g = gradients(of:m,on:d)\n";
    client.open("a.study", text);
    let params = |client: &Client| {
        let options = json!({ "tabSize": 8, "insertSpaces": false });
        json!({ "textDocument": { "uri": client.uri("a.study") }, "options": options })
    };
    let answer = client.ask("textDocument/formatting", params(&client));
    let edits = answer["result"].as_array().unwrap();
    assert_eq!(edits.len(), 1);
    let expected = "data   d = mnist\nmodel  m = lenet\nrecord g = gradients(of: m, on: d)\n";
    assert_eq!(edits[0]["newText"], expected);
    client.replace("a.study", expected);
    assert_eq!(
        client.ask("textDocument/formatting", params(&client))["result"],
        json!([])
    );
    client.replace("a.study", "data d = mnist(\nmodel m = lenet");
    assert_eq!(
        client.ask("textDocument/formatting", params(&client))["result"],
        Value::Null
    );

    let params = json!({ "textDocument": { "uri": client.uri("a.study") } });
    let answer = client.ask("textDocument/documentSymbol", params);
    let symbols = answer["result"].as_array().unwrap();
    let names: Vec<(&str, &str)> = symbols
        .iter()
        .map(|it| (it["name"].as_str().unwrap(), it["detail"].as_str().unwrap()))
        .collect();
    assert_eq!(
        names,
        [("d", "data"), ("m", "model")],
        "though the first is never closed"
    );
}

#[test]
fn nonsense_does_not_end_the_server() {
    let mut client = Client::silent();
    let early = client.ask("textDocument/hover", json!({}));
    assert_eq!(early["error"]["code"], -32002, "not initialized");
    client.ask("initialize", json!({ "capabilities": {} }));
    client.send(b"Content-Length: 9\r\n\r\n{no json}");
    assert_eq!(client.answer(&Value::Null)["error"]["code"], -32700);
    assert_eq!(
        client.ask("textDocument/flyToTheMoon", json!({}))["error"]["code"],
        -32601
    );
    assert_eq!(
        client.ask("textDocument/hover", json!({ "position": 3 }))["error"]["code"],
        -32602
    );
    client.tell("textDocument/didChange", json!({ "textDocument": "what?" }));
    client.tell("textDocument/didOpen", json!([]));
    // A place in a text that is not open, and one far outside of one that is.
    assert_eq!(
        client.at("hover", "none.study", (0, 0), json!({}))["result"],
        Value::Null
    );
    for text in [
        "\u{feff}data d = \"",
        "}}}])(\u{0}",
        "data d = [[[[",
        "=",
        "a.b.c { d.e.f: x.y }",
        "𝛽",
    ] {
        client.open("a.study", text);
        for position in [(0, 0), (0, 3), (0, 99), (99, 99)] {
            for method in ["completion", "hover", "definition", "references", "prepareRename"] {
                let answer = client.at(method, "a.study", position, json!({}));
                assert!(
                    answer.get("error").is_none(),
                    "{method} in {text:?} at {position:?}: {answer}"
                );
            }
        }
    }
    assert_eq!(client.hang_up(), Some(1), "the editor went away without a word");
}
