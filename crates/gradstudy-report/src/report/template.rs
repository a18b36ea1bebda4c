//! Templates: minijinja, strict about names, with LaTeX delimiters and escaping for `.tex`.
//!
//! A template ending in `.md.jinja` or `.html.jinja` uses `{{ … }}`, `{% … %}`, `{# … #}`; one ending in `.tex.jinja`
//! uses `\VAR{…}`, `\BLOCK{…}`, `\#{…}`. Text is escaped for the format when it is printed; what gradstudy has already
//! spelled in the format (numbers, headings, notes) is left as it is, and `|safe` does the same to anything else.
//! The filters `duration` (seconds), `size` (bytes), `symbols` (`d_ks` as mathematics), `typed` (lines of a program, in
//! LaTeX) and `label` (a name for `\label`, files and anchors), `plain` (a caption without its dollars) come on top of minijinja's.
//! `docs/templates.md` lists what each template sees; [`context`](super::context) makes it.

use std::io::Read;
use std::path::{Path, PathBuf};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, Error, State, UndefinedBehavior};

use super::context;
use super::error::ReportError;
use super::html::{escape_html, prose_html};
use super::latex;
use super::markup::{escape_markdown, prose_markdown};
use super::mathematics;
use super::number;
use super::table::Table;
use super::write::Report;

/// The templates that gradstudy carries, by the name that overrides them.
static EMBEDDED: [(&str, &str); 8] = [
    (
        "report.css.jinja",
        include_str!("../../../../templates/report.css.jinja"),
    ),
    (
        "report.html.jinja",
        include_str!("../../../../templates/report.html.jinja"),
    ),
    (
        "report.md.jinja",
        include_str!("../../../../templates/report.md.jinja"),
    ),
    (
        "report.tex.jinja",
        include_str!("../../../../templates/report.tex.jinja"),
    ),
    (
        "standalone.tex.jinja",
        include_str!("../../../../templates/standalone.tex.jinja"),
    ),
    (
        "table.html.jinja",
        include_str!("../../../../templates/table.html.jinja"),
    ),
    (
        "table.md.jinja",
        include_str!("../../../../templates/table.md.jinja"),
    ),
    (
        "table.tex.jinja",
        include_str!("../../../../templates/table.tex.jinja"),
    ),
];

/// One environment for each format that text is escaped for.
#[derive(Debug)]
pub struct Templates {
    markdown: Environment<'static>,
    html: Environment<'static>,
    latex: Environment<'static>,
    overrides: Option<PathBuf>,
}

impl Templates {
    /// The templates that gradstudy carries.
    pub fn embedded() -> Self {
        Self::new(None)
    }

    /// Names and texts of the templates that gradstudy carries.
    pub fn built_in() -> &'static [(&'static str, &'static str)] {
        &EMBEDDED
    }

    /// The same, with files of the same names in `directory` in their place. Templates there may include others
    /// there.
    ///
    /// # Errors
    /// `directory` is not a directory, or replaces none of the templates.
    pub fn overridden_by(directory: &Path) -> Result<Self, ReportError> {
        match EMBEDDED.iter().any(|(name, _)| directory.join(name).is_file()) {
            true => Ok(Self::new(Some(directory.to_path_buf()))),
            false => Err(ReportError::TemplateDirectory {
                path: directory.to_path_buf(),
                known: EMBEDDED.iter().map(|(name, _)| name.to_string()).collect(),
            }),
        }
    }

    fn new(overrides: Option<PathBuf>) -> Self {
        let markdown = environment(
            overrides.clone(),
            SyntaxConfig::builder(),
            [escape_markdown, prose_markdown],
        );
        let html = environment(
            overrides.clone(),
            SyntaxConfig::builder(),
            [escape_html, prose_html],
        );
        let mut latex_syntax = SyntaxConfig::builder();
        latex_syntax
            .block_delimiters(r"\BLOCK{", "}")
            .variable_delimiters(r"\VAR{", "}");
        latex_syntax.comment_delimiters(r"\#{", "}");
        let latex = environment(overrides.clone(), latex_syntax, [latex::escape, latex::prose]);
        Self {
            markdown,
            html,
            latex,
            overrides,
        }
    }

    /// `table.md.jinja`: caption, grid, notes and conventions.
    pub fn table_markdown(&self, table: &Table) -> Result<String, ReportError> {
        self.render(
            &self.markdown,
            "table.md.jinja",
            context::one(context::markdown(table)),
        )
    }

    /// `table.tex.jinja`: a `table` environment for `\input`; it needs booktabs and siunitx.
    pub fn table_latex(&self, table: &Table) -> Result<String, ReportError> {
        self.render(
            &self.latex,
            "table.tex.jinja",
            context::one(context::latex(table)),
        )
    }

    /// `standalone.tex.jinja`: a whole document that holds the table.
    pub fn standalone_latex(&self, table: &Table) -> Result<String, ReportError> {
        let content = self.table_latex(table)?;
        let cjk = latex::cjk_preamble(&content);
        let context = context::standalone(table, content, cjk);
        self.render(&self.latex, "standalone.tex.jinja", context)
    }

    /// `report.md.jinja`: all tables of a run and where they come from.
    pub fn report_markdown(&self, report: &Report) -> Result<String, ReportError> {
        let context = context::report(report, context::markdown);
        self.render(&self.markdown, "report.md.jinja", context)
    }

    /// `report.html.jinja`: the same and the figures, in one file that loads nothing.
    pub fn report_html(&self, report: &Report) -> Result<String, ReportError> {
        let context = context::report(report, context::html);
        self.render(&self.html, "report.html.jinja", context)
    }

    /// `report.tex.jinja`: all of it as a LaTeX document, with the figures' PDFs beside it.
    pub fn report_latex(&self, report: &Report) -> Result<String, ReportError> {
        let render = |cjk: String| {
            let context = context::report_latex(report, cjk);
            self.render(&self.latex, "report.tex.jinja", context)
        };
        // Which lines of the preamble it needs, the document itself says.
        let rendered = render(String::new())?;
        match latex::cjk_preamble(&rendered) {
            cjk if cjk.is_empty() => Ok(rendered),
            cjk => render(cjk),
        }
    }

    fn render(&self, environment: &Environment, name: &str, context: Value) -> Result<String, ReportError> {
        let render = || -> Result<String, Error> {
            let mut page = Page(Vec::new());
            environment
                .get_template(name)?
                .render_captured_to(context, &mut page)?;
            Ok(String::from_utf8_lossy(&page.0).into_owned())
        };
        // An expression may nest as deep as a template is long, which takes more stack than a thread has.
        let rendered = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(STACK);
            match thread.spawn_scoped(scope, render) {
                Ok(running) => running
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                Err(error) => Err(Error::new(
                    minijinja::ErrorKind::InvalidOperation,
                    format!("no thread to render it: {error}"),
                )),
            }
        });
        rendered.map_err(|error| self.error(name, &error))
    }

    /// Names the file and line where the innermost template failed: an included one, if that is where it is.
    fn error(&self, name: &str, error: &Error) -> ReportError {
        let mut innermost = error;
        while let Some(inner) =
            std::error::Error::source(innermost).and_then(|inner| inner.downcast_ref::<Error>())
        {
            innermost = inner;
        }
        // What is behind it but is none of the templates' errors, such as a limit.
        let cause = std::error::Error::source(innermost).map(|cause| format!(": {cause}"));
        let name = innermost.name().or(error.name()).unwrap_or(name);
        let path = self
            .overrides
            .as_ref()
            .map(|directory| directory.join(name))
            .filter(|path| path.is_file());
        ReportError::Template {
            name: path.map_or_else(|| name.to_string(), |path| path.display().to_string()),
            line: innermost.line(),
            message: match innermost.detail() {
                Some(detail) => format!("{}: {detail}", innermost.kind()),
                None => innermost.kind().to_string(),
            } + &cause.unwrap_or_default(),
        }
    }
}

/// Bytes that a template of the user's may have.
const MAX_TEMPLATE: u64 = 256 << 10;
/// Bytes that may be made of one: hundreds of times the largest report of the paper's tables.
const MAX_PAGE: usize = 512 << 20;
/// Steps that rendering may take: a table of a million cells takes fewer, and a template which loops for ever ends.
const FUEL: u64 = 30_000_000;
/// Bytes of stack to render on; only what is used of it takes memory.
const STACK: usize = 1 << 30;

/// What is rendered, up to a limit.
struct Page(Vec<u8>);

impl std::io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_PAGE {
            return Err(std::io::Error::other(format!(
                "it makes more than {} MiB",
                MAX_PAGE >> 20
            )));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn environment(
    overrides: Option<PathBuf>,
    mut syntax: minijinja::syntax::SyntaxConfigBuilder,
    [escape, prose]: [fn(&str) -> String; 2],
) -> Environment<'static> {
    let mut environment = Environment::new();
    syntax
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true);
    // The delimiters are ours and fixed; the only way to fail is to give the same one twice.
    environment.set_syntax(syntax.build().expect("delimiters differ"));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_auto_escape_callback(|_| AutoEscape::Custom("text".into()));
    environment.set_formatter(move |output, _state: &mut State, value| {
        let text = value.to_string();
        Ok(output.write_str(&if value.is_safe() { text } else { escape(&text) })?)
    });
    environment.add_filter("duration", number::duration);
    environment.add_filter("size", number::size);
    environment.add_filter("typed", |text: String| {
        Value::from_safe_string(latex::typed(&text))
    });
    environment.add_filter("symbols", move |text: String| {
        Value::from_safe_string(prose(&text))
    });
    environment.add_filter("plain", |text: String| mathematics::plain(&text));
    // Not typeset, so it must not be escaped.
    environment.add_filter("label", |name: String| {
        Value::from_safe_string(latex::label(&name))
    });
    environment.set_loader(move |name| -> Result<Option<String>, Error> {
        if let Some(directory) = &overrides
            && let Some(path) = beside(directory, name)
        {
            return read(&path).map(Some).map_err(|error| {
                Error::new(
                    minijinja::ErrorKind::InvalidOperation,
                    format!("cannot read {}: {error}", path.display()),
                )
            });
        }
        Ok(EMBEDDED
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, text)| text.to_string()))
    });
    environment
}

/// The file of that name in `directory` or a folder of it, if there is one; never one outside, by a link neither.
fn beside(directory: &Path, name: &str) -> Option<PathBuf> {
    let inside = Path::new(name)
        .components()
        .all(|part| matches!(part, std::path::Component::Normal(_)));
    let path = Some(directory.join(name)).filter(|_| inside)?;
    let real = path.canonicalize().ok()?;
    real.starts_with(directory.canonicalize().ok()?).then_some(path)
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let mut file = gradstudy_base::files::open(path)?.take(MAX_TEMPLATE + 1);
    file.read_to_string(&mut text)?;
    match text.len() as u64 > MAX_TEMPLATE {
        true => Err(std::io::Error::other(format!(
            "it is larger than a template may be ({} KiB)",
            MAX_TEMPLATE >> 10
        ))),
        false => Ok(text),
    }
}
