//! `gradstudy plan STUDY`

mod groups;
mod reasons;
mod show;

use std::process::ExitCode;

use clap::Args;
use indexmap::IndexMap;
use serde_json::{Value, json};

use crate::gradients::engine::Engine;
use crate::plan::display::size;
use crate::plan::need::Need;
use crate::plan::resources::Resources;
use crate::plan::route::{Means, Planned as Route};
use crate::plan::{Plan, Step};
use crate::store::Store;

use super::options::{Computing, Places, ReportsPlace, memory_limit};
use super::resources::memory_notes;
use super::terminal::screen;
use super::{Failure, print, study};
use reasons::Earlier;

/// Show what a run would do: steps, time, memory, what is cached
///
/// Of a folder, each study in it is planned; one that cannot be planned does not stop the others (exit code 2).
#[derive(Debug, Args)]
pub struct PlanCommand {
    #[command(flatten)]
    study: study::StudyArguments,
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    computing: Computing,
    #[command(flatten)]
    reports: ReportsPlace,
    /// Show every step, instead of the steps of each statement in sum
    #[arg(long)]
    steps: bool,
    /// Print the plan for programs
    #[arg(long)]
    json: bool,
}

/// A plan with what is known of its steps.
struct Planned<'a> {
    title: &'a str,
    steps: Vec<StepState<'a>>,
    /// How spectra are made, and what goes to files.
    notes: Vec<String>,
}

/// A step, whether it has to be made, and why.
struct StepState<'a> {
    step: &'a Step,
    need: Need,
    reason: Option<String>,
}

impl PlanCommand {
    pub fn execute(mut self) -> Result<ExitCode, Failure> {
        if !self.study.path.is_dir() {
            let plan = self.plan()?;
            if let Some(plan) = plan {
                print(&pretty(&plan));
            }
            return Ok(ExitCode::SUCCESS);
        }
        let (mut code, mut plans) = (0, Vec::new());
        for path in study::studies_in(std::slice::from_ref(&self.study.path))? {
            if !self.json {
                print(&format!("{}\n", path.display()));
            }
            self.study.path = path.clone();
            match self.plan() {
                Ok(None) => {}
                Ok(Some(mut plan)) => {
                    plan["file"] = json!(path);
                    plans.push(plan);
                }
                Err(failure) => {
                    code = 2;
                    failure.tell();
                }
            }
        }
        if self.json {
            print(&pretty(
                &json!({"format_version": show::FORMAT_VERSION, "plans": plans}),
            ));
        }
        Ok(ExitCode::from(code))
    }

    /// Prints the plan, or returns it where JSON is asked for.
    fn plan(&self) -> Result<Option<Value>, Failure> {
        let (_, study) = study::load(&self.study)?;
        let device = self.computing.select()?;
        let mut plan = study::plan(&study, &self.places.search())?;
        let store = Store::open(&self.places.cache(), device.class)?;
        let memory = self.computing.memory();
        let means = Means {
            memory,
            disk: store.free_space(),
            host: matches!(device.engine, Engine::Host),
            history: false,
        };
        let needed = Resources::put(&mut plan, means, |step| store.has(&step.id));
        let needs = &needed.needs;
        let mut notes = routes_in_words(&plan, &needed.routes);
        if !needed.to_file.is_empty() {
            notes.push(format!(
                "gradient histories over the {} of `--memory`, which go to files: {}, of {} in all",
                size(memory),
                needed.to_file.len(),
                size(needed.disk)
            ));
        }
        notes.extend(memory_notes(&plan, &needed, memory, memory_limit().as_ref()));
        let earlier = Earlier::find(&self.reports.reports_dir, &study.slug, &store);
        let states = plan.steps.iter().zip(needs).map(|(step, need)| StepState {
            step,
            need: *need,
            reason: (*need == Need::Run)
                .then(|| reasons::reason(&plan, needs, step, earlier.as_ref(), &store)),
        });
        let planned = Planned {
            title: &plan.title,
            steps: states.collect(),
            notes,
        };
        if self.json {
            return Ok(Some(show::json(&planned)));
        }
        print(&match self.steps {
            true => show::by_step(&planned, &screen()),
            false => show::by_statement(&planned, &screen()),
        });
        Ok(None)
    }
}

/// How the inner products of each recording are made, recordings of one statement that are alike in one line.
fn routes_in_words(plan: &Plan, routes: &[Route]) -> Vec<String> {
    let mut counts: IndexMap<(&str, &str), usize> = IndexMap::new();
    for route in routes {
        let statement = plan.step(&route.record).statement.as_str();
        *counts.entry((statement, &route.words)).or_default() += 1;
    }
    let lines = counts.into_iter().map(|((statement, words), steps)| match steps {
        1 => format!("record {statement}: {words}"),
        steps => format!("record {statement} ({steps} steps): {words}"),
    });
    lines.collect()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("a plan is data") + "\n"
}
