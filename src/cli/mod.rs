//! The command line: the only module that prints, reads the environment, or decides an exit code.

mod areas;
mod check;
mod completions;
mod data;
mod devices;
mod diff;
mod explain;
mod export;
mod fmt;
mod gc;
mod list;
mod log;
mod lsp;
mod man;
mod new;
mod options;
mod output;
mod plan;
mod progress;
mod render;
mod report;
mod resources;
mod rm;
mod run;
mod show;
mod study;
mod submission;
mod templates;
mod terminal;
mod test;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use miette::{Diagnostic, GraphicalReportHandler};

use output::print;

/// Studies the statistics of stochastic gradients, as a .study file says.
#[derive(Debug, Parser)]
#[command(
    name = "gradstudy",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
struct Arguments {
    /// Memory that one line of text, image, pickle or archive of a file may take, such as 8GB [default: 1GiB]
    #[arg(long, value_name = "SIZE", value_parser = options::parse_size, global = true)]
    limit: Option<u64>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a study and write its report
    Run(run::Run),
    /// Show what a run would do: steps, time, memory, what is cached
    Plan(plan::PlanCommand),
    /// Hand a study to Slurm, or write its tasks out for another scheduler
    Submit(submission::submit::Submit),
    /// Make one task of a submission; exit code 0 done, 1 a unit failed or lacks an input, 2 trouble, 75 stopped, work saved
    Task(submission::task::TaskCommand),
    /// Show how submissions go; exit code 1 where something has failed or is lost
    Status(submission::status::StatusCommand),
    /// End the jobs of a submission; what they have made stays
    Cancel(submission::cancel::Cancel),
    /// Check studies without running them; exit code 0 no mistakes, 2 mistakes
    Check(check::Check),
    /// Write studies in their canonical layout
    Fmt(fmt::Fmt),
    /// Show a study with every default written out
    Render(render::Render),
    /// List, download and verify data sets
    Data(data::Data),
    /// List runs
    List(list::List),
    /// Show a run: what it was, its tables, and how to make it again
    Show(show::Show),
    /// Make a run's tables, figures and reports again from its results
    Report(report::ReportCommand),
    /// Remove runs
    Rm(rm::Rm),
    /// Show what the cache and the runs hold, and free what no run needs
    Gc(gc::Gc),
    /// Compare two runs; exit code 0 same, 1 different, 2 trouble
    Diff(diff::Diff),
    /// Write a recorded gradient history or weights as .npy or .safetensors
    Export(export::Export),
    /// Apply the tests of studies to arrays of your own
    Test(test::Test),
    /// Explain an error code, such as E0301
    Explain(explain::Explain),
    /// Show what can compute
    Devices(devices::Devices),
    /// Write a commented study to begin with
    New(new::New),
    /// List the templates of reports, or write them into a folder to be changed
    Templates(templates::TemplatesCommand),
    /// Serve editors over standard input and output (Language Server Protocol)
    Lsp(lsp::Lsp),
    /// Print a shell's completions
    Completions(completions::Completions),
    /// Print the manual page, or write the pages of all commands into a folder
    Man(man::ManPages),
}

/// Why a command did not succeed.
enum Failure {
    /// Shown, then exit code 2.
    Trouble(Box<dyn Diagnostic>),
    /// Already shown.
    Shown(u8),
}

impl Failure {
    /// In a line; what was shown is not said again.
    fn message(&self) -> String {
        match self {
            Failure::Trouble(error) => error.to_string(),
            Failure::Shown(_) => "its log says why".to_string(),
        }
    }

    /// Shows it unless that is done; returns the exit code.
    fn tell(self) -> u8 {
        match self {
            Failure::Shown(code) => code,
            Failure::Trouble(error) => {
                show(error.as_ref());
                2
            }
        }
    }
}

impl<E: Diagnostic + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure::Trouble(Box::new(error))
    }
}

/// Runs the command of this process's arguments.
pub fn main() -> ExitCode {
    outgrow_files();
    let arguments = Arguments::parse();
    if let Some(limit) = arguments.limit {
        crate::limits::set(limit);
    }
    let result = match arguments.command {
        Command::Run(command) => command.execute(),
        Command::Plan(command) => command.execute(),
        Command::Submit(command) => command.execute(),
        Command::Task(command) => command.execute(),
        Command::Status(command) => command.execute(),
        Command::Cancel(command) => command.execute(),
        Command::Check(command) => command.execute(),
        Command::Fmt(command) => command.execute(),
        Command::Render(command) => command.execute(),
        Command::Data(command) => command.execute(),
        Command::List(command) => command.execute(),
        Command::Show(command) => command.execute(),
        Command::Report(command) => command.execute(),
        Command::Rm(command) => command.execute(),
        Command::Gc(command) => command.execute(),
        Command::Diff(command) => command.execute(),
        Command::Export(command) => command.execute(),
        Command::Test(command) => command.execute(),
        Command::Explain(command) => command.execute(),
        Command::Devices(command) => command.execute(),
        Command::New(command) => command.execute(),
        Command::Templates(command) => command.execute(),
        Command::Lsp(command) => command.execute(),
        Command::Completions(command) => command.execute(),
        Command::Man(command) => command.execute(),
    };
    output::settle(match result {
        Ok(code) => code,
        Err(failure) => ExitCode::from(failure.tell()),
    })
}

/// A file that would grow over the limit of the shell (`ulimit -f`) is then an error of that file, as a full disk is, and
/// not the end of the process without a word.
fn outgrow_files() {
    #[cfg(unix)]
    {
        let seen = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        // Without a handler the process ends as it would have.
        let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, seen);
    }
}

/// Columns of a diagnostic on a wide terminal and in a file.
const WIDEST_ERROR: usize = 100;

/// Prints a diagnostic to standard error: in colour where that is a terminal that can, as an event of a JSON log.
fn show(error: &dyn Diagnostic) {
    if log::is_json() {
        return log::diagnostic(error);
    }
    let theme = if std::io::stderr().is_terminal() && terminal::colours() {
        miette::GraphicalTheme::unicode()
    } else {
        miette::GraphicalTheme::unicode_nocolor()
    };
    let width = terminal::width_of_errors().map_or(WIDEST_ERROR, |width| width.min(WIDEST_ERROR));
    let mut text = String::new();
    match GraphicalReportHandler::new_themed(theme)
        .with_width(width)
        .render_report(&mut text, error)
    {
        Ok(()) => output::print_error(&text),
        Err(_) => output::print_error(&format!("{error}\n")),
    }
}

/// `1 run`, `2 runs`.
fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}
