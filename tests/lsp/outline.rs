//! On text that parses, the outline says of every word what the parser says.

use gradstudy::lsp::outline::{Outline, Role, Step, Word};
use gradstudy::syntax::ast::{Argument, Expr, ExprKind, Sign, Statement};
use gradstudy::syntax::{Source, Span, parse};
use proptest::prelude::*;

/// Place, role, and the way to it as text.
type Fact = (usize, usize, Role, String);

struct Facts<'a> {
    text: &'a str,
    found: Vec<Fact>,
}

impl Facts<'_> {
    fn add(&mut self, span: Span, role: Role, path: &str) {
        self.found.push((span.start, span.end, role, path.to_string()));
    }

    fn at(&self, span: Span) -> &str {
        &self.text[span.start..span.end]
    }

    fn statement(&mut self, statement: &Statement) {
        self.add(statement.keyword.span, Role::Keyword, "");
        if let Some(name) = &statement.name {
            self.add(name.span, Role::Name, "");
        }
        if let Some(binding) = &statement.binding {
            if binding.sign == Sign::In {
                let start = binding.span.start;
                let end = start + 2;
                self.add(Span { start, end }, Role::In, "");
            }
            self.value(&binding.value, "=");
        }
        if let Some(block) = &statement.block {
            for field in &block.fields {
                self.field(field, "");
            }
            for assert in &block.asserts {
                let start = assert.span.start;
                let end = start + "assert".len();
                self.add(Span { start, end }, Role::Assert, "");
                self.add(assert.subject.span, Role::Subject, "");
                self.value(&assert.value, "assert");
            }
        }
    }

    fn field(&mut self, field: &Argument, path: &str) {
        let key = field.key.as_ref().expect("a field has a key");
        let path = format!("{path}.{}", key.value);
        self.add(key.span, Role::Key, &path);
        self.value(&field.value, &path);
    }

    fn value(&mut self, value: &Expr, path: &str) {
        match &value.kind {
            // The tree has `true` as a value of its own; an outline knows words only.
            ExprKind::Word(_) | ExprKind::Boolean(_) => self.add(value.span, Role::Value, path),
            ExprKind::List(entries) => {
                let path = format!("{path}[]");
                for entry in entries {
                    if let Some(label) = entry
                        .label
                        .as_ref()
                        .filter(|it| !self.at(it.span).starts_with('"'))
                    {
                        self.add(label.span, Role::Label, &path);
                    }
                    self.value(&entry.value, &path);
                }
            }
            ExprKind::Call { name, arguments } => {
                self.add(name.span, Role::Callee, path);
                for (position, argument) in arguments.iter().enumerate() {
                    let key = argument
                        .key
                        .as_ref()
                        .map_or(position.to_string(), |key| key.value.clone());
                    let path = format!("{path}({}@{} {key})", name.value, name.span.start);
                    if let Some(key) = &argument.key {
                        self.add(key.span, Role::Key, &path);
                    }
                    self.value(&argument.value, &path);
                }
            }
            ExprKind::Infix { left, word, right } => {
                self.value(left, path);
                self.add(word.span, Role::Infix, path);
                self.value(right, &format!("{path}>{}", word.value));
            }
            _ => {}
        }
    }
}

fn of_the_outline(text: &str) -> Vec<Fact> {
    let outline = Outline::of(text);
    let at = |span: Span| &text[span.start..span.end];
    let step = |step: &Step| match step {
        Step::Binding => "=".to_string(),
        Step::Field(Some(key)) => format!(".{}", at(*key)),
        Step::Field(None) => ".".to_string(),
        Step::Argument {
            callee,
            key,
            position,
        } => {
            let key = key.map_or(position.to_string(), |key| at(key).to_string());
            format!("({}@{} {key})", at(*callee), callee.start)
        }
        Step::Entry => "[]".to_string(),
        Step::Right(word) => format!(">{}", at(*word)),
        Step::Assert => "assert".to_string(),
    };
    let fact = |word: &Word| {
        let path: String = match word.role {
            Role::Keyword | Role::Name | Role::In | Role::Assert | Role::Subject => String::new(),
            _ => word.path.iter().map(step).collect(),
        };
        (word.span.start, word.span.end, word.role, path)
    };
    let mut facts: Vec<Fact> = outline.words.iter().map(fact).collect();
    facts.sort();
    facts
}

fn of_the_tree(text: &str) -> Vec<Fact> {
    let parsed = parse(&Source::new("test.study", text));
    assert!(parsed.diagnostics.is_empty(), "{text}");
    let mut facts = Facts {
        text,
        found: Vec::new(),
    };
    parsed
        .statements
        .iter()
        .for_each(|statement| facts.statement(statement));
    facts.found.sort();
    facts.found
}

#[test]
fn the_outline_of_the_project_s_studies_is_their_tree() {
    for (name, text) in super::good_studies() {
        assert_eq!(of_the_outline(&text), of_the_tree(&text), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_outline_of_a_text_that_parses_is_its_tree(text in crate::fmt::study()) {
        prop_assert_eq!(of_the_outline(&text), of_the_tree(&text));
    }
}

#[test]
fn words_keep_their_roles_around_what_is_broken() {
    let text = "data d = mnist(normalize: \nmodel m = lenet {\nrecord g = gradients(of: m, on: )\ntest t power_law(g";
    let outline = Outline::of(text);
    let of = |role: Role| -> Vec<&str> {
        let words = outline.words.iter().filter(|word| word.role == role);
        words.map(|word| &text[word.span.start..word.span.end]).collect()
    };
    assert_eq!(of(Role::Name), ["d", "m", "g", "t"]);
    assert_eq!(of(Role::Key), ["normalize", "of", "on"]);
    assert!(of(Role::Value).contains(&"m"));
}
