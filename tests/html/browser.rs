//! The HTML report in a headless browser, as wide as a desk and as a phone.

use std::path::Path;

use gradstudy::report::{Templates, write_all};

use super::Parts;
use crate::support::tools;

/// Runs a headless browser; what it printed, and everything on its console.
fn browse(browser: &str, profile: &Path, arguments: &[&str], page: &Path) -> (String, String) {
    let quiet = [
        "--enable-logging=stderr",
        "--allow-file-access-from-files",
        "--virtual-time-budget=3000",
    ];
    let output = tools::headless(browser, profile, &[&quiet, arguments].concat(), page)
        .output()
        .expect("starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    let console: Vec<&str> = stderr.lines().filter(|line| line.contains("CONSOLE")).collect();
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        console.join("\n"),
    )
}

/// Looks at the report in a frame as wide as a phone or a desk, and says what is wrong with it.
const LOOK: &str = r##"<!DOCTYPE html><meta charset="utf-8"><body><script>
const found = [];
let left = 2;
for (const width of [390, 1280]) {
  const frame = document.createElement("iframe");
  frame.style.width = width + "px"; frame.style.height = "2000px"; frame.style.border = "0";
  frame.onload = () => {
    const page = frame.contentDocument, root = page.documentElement;
    if (root.scrollWidth > width) found.push(`${width}: the page is ${root.scrollWidth} wide`);
    for (const link of page.querySelectorAll('a[href^="#"]'))
      if (!page.getElementById(link.getAttribute("href").slice(1))) found.push("no " + link.getAttribute("href"));
    for (const svg of page.querySelectorAll("svg")) {
      const box = svg.getBoundingClientRect();
      if (box.width < 300 || box.height < 150 || box.right > width) found.push(`${width}: a figure is ${box.width}×${box.height}`);
    }
    for (const text of page.querySelectorAll("p, li, td, th, dd, summary")) {
      const size = parseFloat(frame.contentWindow.getComputedStyle(text).fontSize);
      if (size < 12) found.push(`${width}: text of ${size} px`);
    }
    const nav = page.querySelector("nav a");
    nav.click();
    found.push(`${width}: ${page.querySelectorAll("svg").length} figures, ${page.querySelectorAll("tbody tr").length} rows`);
    if (--left === 0) document.body.innerText = "FOUND " + found.sort((a, b) => parseInt(a) - parseInt(b)).join(" | ") + " END";
  };
  frame.src = "report.html";
  document.body.append(frame);
}
</script>"##;

#[test]
fn a_browser_shows_it_on_a_desk_and_on_a_phone() {
    let Some(browser) = tools::browser() else {
        return;
    };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let profile = tempfile::tempdir().expect("a temporary directory");
    let parts = Parts::new();
    write_all(directory.path(), &parts.report(), &Templates::embedded()).expect("writes");
    let look = directory.path().join("look.html");
    std::fs::write(&look, LOOK).expect("writable");
    let (dom, console) = browse(browser, profile.path(), &["--dump-dom"], &look);
    assert_eq!(console, "", "the console is quiet");
    let found = dom
        .split("FOUND ")
        .nth(1)
        .and_then(|rest| rest.split(" END").next());
    let figures = parts.drawings.len();
    let rows = parts.tables.iter().map(|table| table.rows.len()).sum::<usize>() + parts.timings.len();
    let all_well = format!("390: {figures} figures, {rows} rows | 1280: {figures} figures, {rows} rows");
    assert_eq!(found, Some(all_well.as_str()), "{dom}");
    // For eyes: GRADSTUDY_KEEP_HTML=folder keeps the report and its pictures.
    if let Ok(kept) = std::env::var("GRADSTUDY_KEEP_HTML") {
        let page = directory.path().join("report.html");
        for (name, size, dark) in [
            ("desk", "1280,5200", false),
            ("phone", "390,9000", false),
            ("dark", "1280,5200", true),
        ] {
            let picture = format!("--screenshot={kept}/{name}.png");
            let window = format!("--window-size={size}");
            let mut arguments = vec![picture.as_str(), window.as_str(), "--hide-scrollbars"];
            if dark {
                arguments.push("--blink-settings=preferredColorScheme=0");
            }
            browse(browser, profile.path(), &arguments, &page);
        }
        browse(
            browser,
            profile.path(),
            &[&format!("--print-to-pdf={kept}/print.pdf")],
            &page,
        );
        std::fs::copy(&page, Path::new(&kept).join("report.html")).expect("copies");
    }
}
