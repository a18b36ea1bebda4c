//! The commands in docs/statistics.md print what stands below them.

use std::path::PathBuf;
use std::process::Command;

/// The words of a command line, with double quotes around those that hold blanks.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('"').enumerate();
    parts
        .flat_map(|(i, part)| match i % 2 {
            0 => part.split_whitespace().map(String::from).collect(),
            _ => vec![part.to_string()],
        })
        .collect()
}

/// `block` with the output of its command.
fn run(block: &str) -> String {
    let command = block.lines().next().unwrap();
    let arguments = words(command.strip_prefix("$ gradstudy ").unwrap());
    let output = Command::new(env!("CARGO_BIN_EXE_gradstudy"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{command}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    format!("{command}\n{}", String::from_utf8(output.stdout).unwrap())
}

#[test]
fn worked_examples_print_what_the_document_says() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/statistics.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (fence, mut count) = ("```console\n", 0);
    let mut parts = text.split(fence);
    let mut new = parts.next().unwrap().to_string();
    for part in parts {
        let (block, rest) = part.split_once("```").unwrap();
        new += &format!("{fence}{}```{rest}", run(block));
        count += 1;
    }
    assert!(count >= 15, "{count} examples");
    if std::env::var_os("GRADSTUDY_BLESS").is_some() {
        std::fs::write(path, new).unwrap();
        return;
    }
    let differs = text.lines().zip(new.lines()).find(|(old, new)| old != new);
    assert!(
        text == new,
        "docs/statistics.md is not what the commands print: run `GRADSTUDY_BLESS=1 cargo test worked_examples`: {differs:?}"
    );
}
