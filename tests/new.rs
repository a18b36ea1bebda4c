//! `gradstudy new`, `templates`, `completions`, `man`.

use crate::support::Gradstudy;

#[test]
fn a_new_study_checks_clean_and_is_never_overwritten() {
    let gradstudy = Gradstudy::new("");
    let listed = gradstudy.run(&["new", "--template", "list"]).success().stdout;
    let templates: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(templates.len() >= 3, "{listed}");
    for template in templates {
        gradstudy
            .run(&["new", template, "--template", template])
            .success();
        let file = format!("{template}.study");
        let said = gradstudy.run(&["check", &file]).success();
        assert_eq!(said.stderr, "", "{template}");
        gradstudy.run(&["fmt", "--check", &file]).success();
    }
    let path = gradstudy.path().join("quickstart.study");
    std::fs::write(&path, "mine").unwrap();
    let said = gradstudy.run(&["new"]);
    assert_eq!(
        (said.code, said.stderr.contains("--force")),
        (Some(2), true),
        "{}",
        said.stderr
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    gradstudy.run(&["new", "quickstart.study", "--force"]).success();
    assert!(
        std::fs::read_to_string(&path)
            .unwrap()
            .contains("study \"My first study\"")
    );
    let said = gradstudy.run(&["new", "no/such/folder"]);
    assert_eq!(
        (said.code, said.stderr.contains("folder")),
        (Some(2), true),
        "{}",
        said.stderr
    );
    assert_eq!(gradstudy.run(&["new", "--template", "tabel1"]).code, Some(2));
}

#[test]
fn templates_are_written_and_never_overwritten() {
    let gradstudy = Gradstudy::new("");
    let listed = gradstudy.run(&["templates"]).success().stdout;
    gradstudy.run(&["templates", "--to", "mine/templates"]).success();
    let folder = gradstudy.path().join("mine/templates");
    for name in listed.lines() {
        let carried = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("templates")
            .join(name);
        let carried = std::fs::read_to_string(carried).unwrap();
        assert_eq!(
            std::fs::read_to_string(folder.join(name)).unwrap(),
            carried,
            "{name}"
        );
    }
    assert!(listed.contains("table.tex.jinja"), "{listed}");
    std::fs::write(folder.join("table.md.jinja"), "mine").unwrap();
    std::fs::remove_file(folder.join("report.css.jinja")).unwrap();
    let said = gradstudy.run(&["templates", "--to", "mine/templates"]);
    assert!(
        said.code == Some(2) && said.stderr.contains("--force"),
        "{}",
        said.stderr
    );
    assert!(!folder.join("report.css.jinja").exists(), "all or nothing");
    gradstudy
        .run(&["templates", "--to", "mine/templates", "--force"])
        .success();
    assert_ne!(
        std::fs::read_to_string(folder.join("table.md.jinja")).unwrap(),
        "mine"
    );
}

#[test]
fn completions_and_manual_pages_hold_every_command() {
    let gradstudy = Gradstudy::new("");
    let page = gradstudy.run(&["man"]).success().stdout;
    assert!(
        page.starts_with(".ie") && page.contains(".TH gradstudy 1"),
        "{page}"
    );
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = gradstudy.run(&["completions", shell]).success().stdout;
        for command in ["run", "check", "lsp", "new"] {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
    gradstudy.run(&["man", "--out", "pages/man1"]).success();
    for page in [
        "gradstudy.1",
        "gradstudy-run.1",
        "gradstudy-lsp.1",
        "gradstudy-data-fetch.1",
    ] {
        let text = std::fs::read_to_string(gradstudy.path().join("pages/man1").join(page)).unwrap();
        assert!(text.contains("SYNOPSIS"), "{page}");
    }
}
