//! What processes that were killed leave behind: files that nobody goes on with.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// What is being made is given its name within this time.
const A_DAY: Duration = Duration::from_secs(24 * 3600);

/// Removes what is of no use to anybody from a folder of steps or of reports: locks that nobody holds, and what was made
/// under a temporary name and left there a day ago. What cannot be removed stays.
pub fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = name.starts_with(".new-") || name.ends_with(".new");
        if name.ends_with(".lock") {
            remove_lock(&path);
        } else if temporary && age(&path) > A_DAY {
            let _ = match path.is_dir() {
                true => fs::remove_dir_all(&path),
                false => fs::remove_file(&path),
            };
        }
    }
}

/// Removes a lock's file while it is held, so that whoever waits for it sees that it is gone.
fn remove_lock(path: &Path) {
    if let Ok(file) = File::open(path)
        && file.try_lock().is_ok()
    {
        let _ = fs::remove_file(path);
    }
}

fn age(path: &Path) -> Duration {
    let written = fs::metadata(path).and_then(|it| it.modified());
    let age = written.map(|it| SystemTime::now().duration_since(it).unwrap_or_default());
    age.unwrap_or_default()
}
