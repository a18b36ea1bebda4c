//! Times the exact x_min scan for `benches/peers/scan.py`: reads float64 numbers from a file, prints what it found
//! and a line `seconds: X`, the median of five. With a number behind the file, so many fits of the bootstrap instead, none
//! left out.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use gradstudy::stats::bootstrap::{BootstrapSettings, bootstrap};
use gradstudy::stats::ks::Ecdf;
use gradstudy::stats::monitor::Monitor;
use gradstudy::stats::power_law::{PowerLawSettings, PowerLawTest};
use gradstudy::stats::tail::TailRule;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args()
        .nth(1)
        .ok_or("usage: bench_scan FILE [REPLICATES]")?;
    let sample: Vec<f64> = std::fs::read(path)?
        .as_chunks::<8>()
        .0
        .iter()
        .map(|&bytes| f64::from_le_bytes(bytes))
        .collect();
    let settings = PowerLawSettings {
        tail: TailRule::Scan { at_least: 2 },
        ecdf: Ecdf::Left,
        alpha: 0.05,
        critical: gradstudy::stats::critical::Critical::Fixed,
    };
    let replicates = std::env::args()
        .nth(2)
        .map(|text| text.parse::<u64>())
        .transpose()?;
    let mut seconds = Vec::new();
    let mut found = None;
    if let Some(replicates) = replicates {
        let draws = BootstrapSettings {
            replicates,
            exceedances: u64::MAX,
            seed: 1,
        };
        let monitor = Monitor {
            progress: &|_| (),
            cancel: &AtomicBool::new(false),
        };
        for _ in 0..5 {
            let start = Instant::now();
            let found = bootstrap(&sample, &settings, &draws, &monitor);
            seconds.push(start.elapsed().as_secs_f64());
            if let Some(Ok(found)) = found.filter(|_| seconds.len() == 5) {
                println!("p: {}\nfits: {}", found.p_value, found.replicates);
            }
        }
        seconds.sort_by(f64::total_cmp);
        println!("seconds: {}", seconds[2]);
        return Ok(());
    }
    for _ in 0..5 {
        let start = Instant::now();
        found = Some(PowerLawTest::of(&sample, &settings));
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    match found {
        Some(Ok(test)) => println!(
            "x_min: {}\nalpha: {}\nd: {}",
            test.fit.x_min, test.fit.exponent, test.ks_distance
        ),
        other => println!("{other:?}"),
    }
    println!("seconds: {}", seconds[2]);
    Ok(())
}
