//! Processes that share files: on which machine they run, and whether they still do.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

/// This machine's name; `this machine` where the system does not tell.
pub fn host() -> String {
    sysinfo::System::host_name().unwrap_or_else(|_| "this machine".to_string())
}

/// Names the processes among which a number means one of them: those of a machine since it was started, and of one container.
/// Empty where the system does not tell.
pub fn namespace() -> &'static str {
    static NAMESPACE: OnceLock<String> = OnceLock::new();
    NAMESPACE.get_or_init(|| {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let space = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        if boot.is_empty() || space.as_os_str().is_empty() {
            return String::new();
        }
        let all = format!("{}\n{boot}\n{}", host(), space.display());
        blake3::hash(all.as_bytes()).to_hex()[..8].to_string()
    })
}

/// Whether process `number` of `namespace` has ended. Where that cannot be known, as of another machine's, it has not.
pub fn has_ended(namespace: &str, number: u32) -> bool {
    let here = !namespace.is_empty() && namespace == self::namespace();
    here && !Path::new("/proc").join(number.to_string()).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn only_processes_of_this_machine_are_known_to_have_ended() {
        let mut ended = std::process::Command::new("true").spawn().expect("runs");
        let _ = ended.wait();
        assert!(has_ended(namespace(), ended.id()));
        assert!(!has_ended(namespace(), std::process::id()));
        assert!(!has_ended("another", ended.id()) && !has_ended("", ended.id()));
    }
}
