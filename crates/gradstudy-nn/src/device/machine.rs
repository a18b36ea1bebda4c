//! The machine's processor and memory.

/// The processor's name and the threads in use.
pub fn cpu_name() -> String {
    let name = sysinfo::System::new().ok().and_then(|mut system| {
        system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
        system.cpus().first().map(|cpu| cpu.brand().trim().to_string())
    });
    format!(
        "{}, {} threads",
        name.unwrap_or("CPU".to_string()),
        rayon::current_num_threads()
    )
}

/// Bytes of physical memory, if the system tells.
pub fn memory() -> Option<u64> {
    let mut system = sysinfo::System::new().ok()?;
    system.refresh_memory();
    Some(system.total_memory())
}

/// Largest resident memory of this process since the last call, in bytes; none where the system does not tell, or
/// cannot start counting anew.
pub fn take_peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    // 5 sets the peak back to what is resident now: proc(5).
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(1024 * kibibytes)
}
