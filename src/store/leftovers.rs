//! What processes that were killed leave behind: files that nobody goes on with.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use crate::process;

/// What is being made is given its name within this time.
const A_DAY: Duration = Duration::from_secs(24 * 3600);

/// What names of folders begin with that are being filled, or removed.
const TEMPORARY: &str = ".new-";

/// What a temporary name says of its process: where it runs, and its number there.
pub fn mark() -> String {
    format!("{}-{}", process::namespace(), std::process::id())
}

/// The beginning of the names of folders that this process fills, for [`sweep`].
pub fn temporary_prefix() -> String {
    format!("{TEMPORARY}{}-", mark())
}

/// Whether the folder `path` is being filled, or removed.
pub fn is_temporary(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with(TEMPORARY)
}

/// A name beside `path` for a file that is to be renamed to it: no other process, on this machine or another, writes to it.
pub fn temporary_name(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let (now, count) = (
        now.unwrap_or_default().as_nanos(),
        COUNT.fetch_add(1, Ordering::Relaxed),
    );
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}-{now}-{count}.new", mark()));
    path.with_file_name(name)
}

/// Whether a temporary name is that of a process that has ended. Where that cannot be known it is not.
fn is_abandoned(name: &str) -> bool {
    let namespace = process::namespace();
    let Some((_, rest)) = name.split_once(&format!("{namespace}-")) else {
        return false;
    };
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits
        .parse()
        .is_ok_and(|number| process::has_ended(namespace, number))
}

/// Removes what is of no use to anybody from a folder of steps or of reports: locks that nobody holds, and what was made
/// under a temporary name by a process that has ended, or a day ago. What cannot be removed stays.
pub fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = name.starts_with(TEMPORARY) || name.ends_with(".new");
        if name.ends_with(".lock") {
            remove_lock(&path);
        } else if temporary && (is_abandoned(&name) || age(&path) > A_DAY) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn what_a_process_left_is_removed_when_it_has_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut ended = std::process::Command::new("true").spawn().expect("runs");
        let _ = ended.wait();
        let names = [
            format!("{TEMPORARY}{}-{}-abc", process::namespace(), ended.id()),
            format!("{}abc", temporary_prefix()),
            format!("{TEMPORARY}abc"),
        ];
        for name in &names {
            fs::create_dir(folder.path().join(name)).expect("writable");
        }
        sweep(folder.path());
        let stays = names.map(|name| folder.path().join(name).exists());
        assert_eq!(stays, [false, true, true]);
    }
}
