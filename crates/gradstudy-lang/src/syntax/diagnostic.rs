//! What is wrong (or doubtful) in a study: a code, a place, a reason and a remedy. One shape for syntax errors,
//! check errors and warnings, so that they all look alike and are reported together.

use std::fmt;

use miette::{LabeledSpan, Severity, SourceCode};

use super::{Source, Sources, Span};

/// One mistake or warning.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// Stable; `gradstudy explain` tells more.
    pub code: &'static str,
    pub severity: Severity,
    /// The fact.
    pub message: String,
    /// The first label is the place that the diagnostic is sorted by. Once [`Diagnostics`] holds it, these are the
    /// places in the first one's file, counted from that file's start.
    pub labels: Vec<(Span, String)>,
    /// Labels that lie in other files, once [`Diagnostics`] holds it.
    pub elsewhere: Vec<Elsewhere>,
    /// The remedy.
    pub help: Option<String>,
    source: Option<Source>,
}

/// A place in another file that has to do with a diagnostic.
#[derive(Debug, Clone)]
pub struct Elsewhere {
    pub source: Source,
    /// Within that file.
    pub span: Span,
    pub text: String,
}

impl Diagnostic {
    /// A mistake at `span`; `label` says what is wrong there (it may be empty).
    pub fn error(
        code: &'static str,
        message: impl Into<String>,
        span: Span,
        label: impl Into<String>,
    ) -> Self {
        let labels = vec![(span, label.into())];
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            labels,
            elsewhere: Vec::new(),
            help: None,
            source: None,
        }
    }

    /// A doubt at `span` that does not stop the study.
    pub fn warning(
        code: &'static str,
        message: impl Into<String>,
        span: Span,
        label: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message, span, label)
        }
    }

    /// A further place that has to do with it.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push((span, text.into()));
        self
    }

    /// What to do about it.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The study that the labels lie in, once [`Diagnostics`] holds it.
    pub fn source(&self) -> Option<&Source> {
        self.source.as_ref()
    }

    /// The place it is sorted by.
    pub fn span(&self) -> Span {
        self.labels.first().map(|(span, _)| *span).unwrap_or_default()
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Diagnostic {}

impl miette::Diagnostic for Diagnostic {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn severity(&self) -> Option<Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().map(|(span, text)| {
            let text = (!text.is_empty()).then(|| text.clone());
            LabeledSpan::new(text, span.start, span.end - span.start)
        })))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        let others = self
            .elsewhere
            .iter()
            .map(|other| other as &dyn miette::Diagnostic);
        (!self.elsewhere.is_empty()).then(|| Box::new(others) as Box<dyn Iterator<Item = _>>)
    }
}

impl fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}", self.text)
    }
}

impl std::error::Error for Elsewhere {}

impl miette::Diagnostic for Elsewhere {
    fn severity(&self) -> Option<Severity> {
        Some(Severity::Advice)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new(None, self.span.start, self.span.end - self.span.start);
        Some(Box::new(std::iter::once(label)))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }
}

/// Everything found in one study, in the order of the text.
#[derive(Debug, Clone)]
pub struct Diagnostics {
    path: String,
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Sorts `list` by place and takes every label to its file. Equal code and place (the same mistake met at several
    /// points of a grid) stand once.
    pub fn new(sources: &Sources, mut list: Vec<Diagnostic>) -> Self {
        list.sort_by_key(|diagnostic| (diagnostic.span(), diagnostic.code));
        list.dedup_by_key(|diagnostic| (diagnostic.span(), diagnostic.code));
        for diagnostic in &mut list {
            let home = sources.locate(diagnostic.span()).0.clone();
            for (span, text) in std::mem::take(&mut diagnostic.labels) {
                let (source, span) = sources.locate(span);
                match source.path == home.path {
                    true => diagnostic.labels.push((span, text)),
                    false => diagnostic.elsewhere.push(Elsewhere {
                        source: source.clone(),
                        span,
                        text,
                    }),
                }
            }
            diagnostic.source = Some(home);
        }
        Self {
            path: sources.root().path.display().to_string(),
            list,
        }
    }

    /// These and those of another study that belongs to this one; mistakes leave no room for warnings.
    pub fn and(mut self, mut other: Diagnostics) -> Self {
        self.list.append(&mut other.list);
        if self.list.iter().any(|it| it.severity == Severity::Error) {
            self.list.retain(|it| it.severity == Severity::Error);
        }
        self
    }

    /// Those that `known` does not hold, each saying `when` it is found; `None` if there are none.
    pub fn beyond(mut self, known: Option<&Diagnostics>, when: &str) -> Option<Self> {
        let same = |a: &Diagnostic, b: &Diagnostic| {
            let path = |it: &Diagnostic| it.source.as_ref().map(|source| source.path.clone());
            (a.code, a.span(), path(a)) == (b.code, b.span(), path(b))
        };
        let is_known = |it: &Diagnostic| known.is_some_and(|known| known.iter().any(|other| same(it, other)));
        self.list.retain(|it| !is_known(it));
        for diagnostic in &mut self.list {
            diagnostic.message = format!("{} ({when})", diagnostic.message);
        }
        (!self.list.is_empty()).then_some(self)
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let errors = self
            .list
            .iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error)
            .count();
        let (count, what) = if errors > 0 {
            (errors, "mistake")
        } else {
            (self.len(), "warning")
        };
        write!(
            f,
            "{count} {what}{} in `{}`",
            if count == 1 { "" } else { "s" },
            self.path
        )
    }
}

impl std::error::Error for Diagnostics {}

impl miette::Diagnostic for Diagnostics {
    fn severity(&self) -> Option<Severity> {
        self.list.iter().map(|diagnostic| diagnostic.severity).max()
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        Some(Box::new(
            self.list
                .iter()
                .map(|diagnostic| diagnostic as &dyn miette::Diagnostic),
        ))
    }
}
