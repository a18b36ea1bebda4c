//! Whether there is what a run takes, said before the work.

use crate::device::MemoryLimit;
use crate::plan::Plan;
use crate::plan::resources::Resources;
use crate::report::number::size;
use crate::store::Store;

/// What of the memory there is will not suffice, by estimate; `memory` is what `--memory` says or stands for.
pub fn memory_notes(
    plan: &Plan,
    needed: &Resources,
    memory: u64,
    limit: Option<&MemoryLimit>,
) -> Vec<String> {
    let Some(limit) = limit else {
        return Vec::new();
    };
    let mut notes = Vec::new();
    if memory > limit.bytes {
        notes.push(format!(
            "`--memory` is {}, more than {} ({}): what does not fit may end the process",
            size(memory),
            limit.source,
            size(limit.bytes)
        ));
    }
    if let Some(step) = needed.largest(plan).filter(|step| step.cost.bytes > limit.bytes) {
        notes.push(format!(
            "{} {} takes about {} of memory, more than {} ({}): it may end the process; what is finished before it stays",
            step.key.operation.verb(),
            step.label,
            size(step.cost.bytes),
            limit.source,
            size(limit.bytes)
        ));
    }
    notes
}

/// That the disk of the cache may not hold what stays of a run.
pub fn disk_note(plan: &Plan, store: &Store) -> Option<String> {
    let missing = plan.steps.iter().filter(|step| !store.has(&step.id));
    let (needed, free) = (
        missing.map(|step| step.cost.disk).sum::<u64>(),
        store.free_space(),
    );
    // 0: the system does not say.
    (free > 0 && needed > free).then(|| {
        format!(
            "what the cache is to keep takes about {}, {} are free there; `--cache-dir` chooses another place, \
             `gradstudy gc` shows what can be freed",
            size(needed),
            size(free)
        )
    })
}
