//! Schedules drawn at random: durations, failures, preemptions, kills. None loses work or leaves a unit unexplained.
//!
//! Tasks are those of the program (`TaskAtWork`), states are real files; only the making of a unit, the clock and the
//! scheduler are pretended.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use gradstudy::plan::StepId;
use gradstudy::plan::need::Need;
use gradstudy::plan::units::{self, Estimate, UnitKind};
use gradstudy::submission::manifest::{Binary, Manifest, Unit};
use gradstudy::submission::pack::{Piece, arrays, pack};
use gradstudy::submission::slurm::Queued;
use gradstudy::submission::state::{Condition, UnitState};
use gradstudy::submission::status::{STOPPED, Standing, Status, status};
use gradstudy::submission::work::{Made, Maker, TaskAtWork};
use gradstudy::submission::{SubmissionError, jobs, make_folder};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What may happen to a unit when it is made.
#[derive(Clone, Copy)]
struct Chances {
    /// It fails for good until somebody mends it.
    broken: f64,
    /// The task is stopped, with its work saved.
    stopped: f64,
    /// The process is killed.
    killed: f64,
    /// The machine gives trouble.
    trouble: f64,
}

/// A study of pretended units.
struct World {
    folder: tempfile::TempDir,
    manifest: Manifest,
    broken: HashSet<usize>,
    random: RefCell<ChaCha8Rng>,
    chances: Chances,
    /// How often each unit was made to its end.
    made: RefCell<Vec<u32>>,
}

fn step(unit: usize) -> StepId {
    StepId(format!("{unit:064}"))
}

impl World {
    fn draw(seed: u64) -> World {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let folder = tempfile::tempdir().unwrap();
        let count = random.random_range(2..40);
        let chance = |random: &mut ChaCha8Rng| {
            if random.random_bool(0.5) {
                0.0
            } else {
                random.random_range(0.0..0.3)
            }
        };
        let chances = Chances {
            broken: chance(&mut random),
            stopped: chance(&mut random),
            killed: chance(&mut random),
            trouble: chance(&mut random) / 3.0,
        };
        let units: Vec<Unit> = (0..count)
            .map(|number: usize| {
                let inputs: HashSet<usize> = match number {
                    0 => HashSet::new(),
                    _ => (0..random.random_range(0..3))
                        .map(|_| random.random_range(0..number))
                        .collect(),
                };
                let mut inputs: Vec<usize> = inputs.into_iter().collect();
                inputs.sort_unstable();
                Unit {
                    id: format!("{number:016}"),
                    label: format!("unit {number}"),
                    seconds: random.random_range(1.0..2000.0),
                    bytes: 0,
                    kind: UnitKind::Recording,
                    estimate: Estimate {
                        seconds: 1.0,
                        bytes: 1,
                    },
                    memory: 512 << random.random_range(0..2),
                    raised: 0,
                    gpu: false,
                    inputs,
                    steps: vec![(step(number), true)],
                }
            })
            .collect();
        let broken = (0..count)
            .filter(|_| random.random_bool(chances.broken))
            .collect();
        let root = folder.path().to_path_buf();
        fs::create_dir_all(root.join("steps")).unwrap();
        for name in ["tasks", "ended"] {
            make_folder(&root.join("submission").join(name)).unwrap();
        }
        let manifest = Manifest {
            format_version: 1,
            gradstudy: String::new(),
            build: String::new(),
            binary: Binary {
                path: "gradstudy".into(),
                blake3: String::new(),
            },
            study: "drawn".to_string(),
            slug: "drawn".to_string(),
            plan: String::new(),
            directory: root.clone(),
            source: "drawn.study".into(),
            profile: None,
            set: Vec::new(),
            texts: Vec::new(),
            data_dir: None,
            search: Vec::new(),
            cache: root.clone(),
            reports: root,
            class: "cpu".to_string(),
            device: "cpu".to_string(),
            asked: "cpu".to_string(),
            precision: "f32".to_string(),
            memory: 0,
            limit: None,
            threads: 1,
            round: 0,
            units,
            tasks: Vec::new(),
        };
        let made = RefCell::new(vec![0; count]);
        World {
            folder,
            manifest,
            broken,
            random: RefCell::new(random),
            chances,
            made,
        }
    }

    fn submission(&self) -> std::path::PathBuf {
        self.folder.path().join("submission")
    }

    fn result(&self, unit: usize) -> std::path::PathBuf {
        self.folder
            .path()
            .join("steps")
            .join(format!("{}-cpu", step(unit).0))
    }

    fn is_done(&self, unit: usize) -> bool {
        self.result(unit).exists()
    }

    /// Adds a round of tasks for what is missing.
    fn submit(&mut self) {
        let needs: Vec<Need> = (0..self.manifest.units.len())
            .map(|unit| {
                if self.is_done(unit) {
                    Need::Cached
                } else {
                    Need::Run
                }
            })
            .collect();
        let all = self
            .manifest
            .units
            .iter()
            .enumerate()
            .map(|(number, unit)| units::Unit {
                steps: vec![number],
                inputs: unit.inputs.clone(),
                kind: UnitKind::Recording,
            });
        let numbers: Vec<usize> = (0..needs.len())
            .filter(|unit| needs[*unit] == Need::Run)
            .collect();
        let waves = units::waves(&units::missing(all.collect(), &needs));
        let pieces: Vec<Piece> = numbers
            .iter()
            .zip(waves)
            .map(|(number, wave)| Piece {
                unit: *number,
                wave,
                gpu: false,
                memory: self.manifest.units[*number].memory,
                seconds: self.manifest.units[*number].seconds,
            })
            .collect();
        self.manifest.round += 1;
        let task_time = self.random.borrow_mut().random_range(0.0..4000.0);
        self.manifest
            .tasks
            .extend(pack(&pieces, task_time, self.manifest.round));
        for unit in &self.manifest.units {
            let _ = fs::remove_file(self.submission().join("tasks").join(format!("{}.json", unit.id)));
        }
    }

    /// Runs the tasks of the last round, waves one after the other, each wave in any order; the queue that is left is empty.
    fn run(&self) {
        let round: Vec<(usize, _)> = self
            .manifest
            .tasks
            .iter()
            .enumerate()
            .filter(|(_, task)| task.round == self.manifest.round)
            .collect();
        let tasks: Vec<_> = round.iter().map(|(_, task)| (*task).clone()).collect();
        for (number, array) in arrays(&tasks, round[0].0, 4, 1).iter().enumerate() {
            let job = jobs::Job {
                id: format!("{}-{number}", self.manifest.round),
                round: self.manifest.round,
                wave: array.wave,
                first: array.first,
                tasks: array.tasks,
                per_node: 1,
                memory: array.memory,
                submitted: jiff::Timestamp::now(),
            };
            jobs::add(&self.submission(), job).unwrap();
        }
        let mut waves: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        round
            .iter()
            .for_each(|(number, task)| waves.entry(task.wave).or_default().push(*number));
        for mut tasks in waves.into_values() {
            // Of a wave any task may be next; what is put back into the queue comes again.
            let mut restarts = vec![0; self.manifest.tasks.len()];
            while !tasks.is_empty() {
                let place = self.random.borrow_mut().random_range(0..tasks.len());
                let task = tasks.swap_remove(place);
                if self.task(task, restarts[task]) == Some(STOPPED as u8) && restarts[task] < 2 {
                    restarts[task] += 1;
                    tasks.push(task);
                }
            }
        }
    }

    /// One process of a task; its exit code, none if it was killed.
    fn task(&self, number: usize, restarts: u32) -> Option<u8> {
        let (folder, cancel) = (self.submission(), AtomicBool::new(false));
        let note = folder.join("ended").join(number.to_string());
        let _ = fs::remove_file(&note);
        let task = TaskAtWork {
            manifest: &self.manifest,
            folder: &folder,
            number,
            job: None,
            cancel: &cancel,
            wait: false,
            again: restarts > 0,
            visible: Duration::ZERO,
        };
        let code = task
            .run(&Process {
                world: self,
                task: number,
                cancel: &cancel,
            })
            .ok()?;
        fs::write(&note, code.to_string()).unwrap();
        Some(code)
    }

    fn status(&self) -> Status {
        let empty: Vec<Queued> = Vec::new();
        status(&self.manifest, &self.submission(), Some(&empty))
    }
}

/// A process at work on a task.
struct Process<'a> {
    world: &'a World,
    task: usize,
    cancel: &'a AtomicBool,
}

fn number(unit: &Unit) -> usize {
    unit.id.parse().unwrap()
}

impl Maker for Process<'_> {
    fn has(&self, unit: &Unit) -> bool {
        self.world.is_done(number(unit))
    }

    fn lacks(&self, unit: &Unit) -> Option<(StepId, String)> {
        let absent = unit.inputs.iter().find(|input| !self.world.is_done(**input))?;
        Some((step(*absent), format!("unit {absent}")))
    }

    fn make(&self, unit: &Unit, before: Option<&UnitState>) -> Result<Made, SubmissionError> {
        let (world, folder) = (self.world, self.world.submission());
        let mut state = UnitState::begin(self.task, None, before);
        state.write(&folder, &unit.id)?;
        let drawn = world.random.borrow_mut().random_range(0.0..1.0);
        let Chances {
            stopped,
            killed,
            trouble,
            ..
        } = world.chances;
        let (made, condition, message) = if drawn < killed {
            // Nothing more is heard of it.
            state.pid = u32::MAX;
            state.write(&folder, &unit.id)?;
            return Err(SubmissionError::Changed {
                what: "killed".to_string(),
            });
        } else if drawn < killed + stopped {
            self.cancel.store(true, std::sync::atomic::Ordering::Relaxed);
            (
                Made::Stopped,
                Condition::Stopped,
                Some("stopped on request".to_string()),
            )
        } else if drawn < killed + stopped + trouble {
            let message = "the disk is full".to_string();
            (Made::Trouble(message.clone()), Condition::Failed, Some(message))
        } else if world.broken.contains(&number(unit)) {
            (Made::Failed, Condition::Failed, Some("it diverged".to_string()))
        } else {
            fs::create_dir(world.result(number(unit))).unwrap();
            world.made.borrow_mut()[number(unit)] += 1;
            (Made::Done, Condition::Done, None)
        };
        (state.condition, state.message) = (condition, message);
        state.write(&folder, &unit.id)?;
        Ok(made)
    }

    fn tell(&self, _: &str) {}
}

#[test]
fn no_schedule_loses_work_or_leaves_a_unit_unexplained() {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 0..150 {
        let mut world = World::draw(seed);
        for round in 0.. {
            assert!(round < 200, "seed {seed}: it never ends");
            if (0..world.manifest.units.len()).all(|unit| world.is_done(unit)) {
                break;
            }
            // Somebody mends what is broken, and the machines, after a while.
            if round == 3 {
                world.broken.clear();
                (world.chances.trouble, world.chances.killed) = (0.0, world.chances.killed / 2.0);
            }
            world.submit();
            world.run();
            let status = world.status();
            for (unit, stand) in status.units.iter().enumerate() {
                *seen.entry(stand.standing.word()).or_default() += 1;
                let done = world.is_done(unit);
                assert_eq!(
                    stand.standing == Standing::Done,
                    done,
                    "seed {seed}, unit {unit}: {stand:?}"
                );
                assert!(
                    done || stand.standing.is_trouble(),
                    "seed {seed}, unit {unit}: {stand:?}"
                );
                assert!(
                    done || stand.why.is_some(),
                    "seed {seed}, unit {unit} is unexplained: {stand:?}"
                );
            }
            explained(&world, &status, seed);
        }
        assert!(
            world.made.borrow().iter().all(|made| *made == 1),
            "seed {seed}: made again"
        );
        let status = world.status();
        assert_eq!(
            status.count(Standing::Done),
            world.manifest.units.len(),
            "seed {seed}"
        );
        assert!(Path::new(&world.submission()).exists());
    }
    for word in ["done", "stopped", "lost", "failed", "blocked"] {
        assert!(
            seen.get(word).is_some_and(|count| *count > 20),
            "{word} was not drawn: {seen:?}"
        );
    }
}

/// What is blocked is so for want of an input that is not done, and only what is broken fails without trouble.
fn explained(world: &World, status: &Status, seed: u64) {
    for (number, stand) in status.units.iter().enumerate() {
        let unit = &world.manifest.units[number];
        let lacks = unit.inputs.iter().any(|input| !world.is_done(*input));
        match stand.standing {
            Standing::Blocked => assert!(lacks, "seed {seed}, unit {number}: {stand:?}"),
            Standing::Failed => {
                let trouble = stand.why.as_deref() == Some("the disk is full");
                assert!(
                    trouble || world.broken.contains(&number),
                    "seed {seed}, unit {number}: {stand:?}"
                );
            }
            _ => {}
        }
    }
}
