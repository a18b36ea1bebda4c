//! Files and templates of strangers.

use std::fs;

use crate::support::Gradstudy;

const STUDY: &str = r#"
study "Faults" { seeds: 0  allow: [W0103] }
data  d = fashion_mnist_5k(subset: 300)
model m = fcn(depth: 1, width: 3)
record g = gradients(of: m, on: d, batch: 3, iterations: 40)
test tails = power_law(g, tail: top(20), along: [dimension])
table one { of: [tails] rows: [sg_type] columns: [d_ks] }
"#;

/// A pipe that nobody writes to, and a device without an end, are no files.
#[cfg(target_os = "linux")]
#[test]
fn only_regular_files_are_read() {
    let gradstudy = Gradstudy::new(STUDY);
    let pipe = gradstudy.path().join("pipe.study");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    for ending in ["npy", "csv", "pt", "parquet", "arrow", "safetensors"] {
        std::os::unix::fs::symlink("/dev/zero", gradstudy.path().join(format!("zero.{ending}"))).unwrap();
        let said = gradstudy.run(&["test", &format!("zero.{ending}")]);
        assert_eq!(said.code, Some(2), "{ending}: {}", said.stderr);
        assert!(
            said.stderr.contains("no regular file"),
            "{ending}: {}",
            said.stderr
        );
    }
    let said = gradstudy.run(&["check", "pipe.study"]);
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("pipe.study"), "{}", said.stderr);
    let study = STUDY.replace(
        "model m = fcn(depth: 1, width: 3)",
        "model m = fcn(depth: 1, width: 3, weights: \"pipe.study\")",
    );
    fs::write(gradstudy.path().join("weights.study"), study).unwrap();
    let said = gradstudy.run(&["plan", "weights.study"]);
    assert_eq!(said.code, Some(2), "{}", said.stdout);
}

#[test]
fn templates_end_stay_small_and_stay_inside() {
    let gradstudy = Gradstudy::new(STUDY);
    gradstudy.run(&["run", "test.study"]).success();
    let folder = gradstudy.path().join("mine");
    fs::create_dir(&folder).unwrap();
    fs::write(gradstudy.path().join("secret"), "secret").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("../secret", folder.join("link")).unwrap();
    let nested =
        |begin: &str, end: &str| format!("{{{{ {}1{} }}}}", begin.repeat(20_000), end.repeat(20_000));
    let cases = [
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}".to_string(), "recursion"),
        (
            "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(9) %}{% endfor %}{% endfor %}{% endfor %}".to_string(),
            "fuel",
        ),
        (
            format!("{{% for a in range(99999) %}}{{% for b in range(99) %}}{}{{% endfor %}}{{% endfor %}}", "x".repeat(999)),
            "512 MiB",
        ),
        (nested("(", ")"), "recursion"),
        (nested("not ", ""), ""),
        (nested("- ", ""), ""),
        (format!("{{{{ 1{} }}}}", " + 1".repeat(20_000)), ""),
        (format!("{{{{ 'a'{} }}}}", "|upper".repeat(20_000)), ""),
        ("{% include 'link' %}".to_string(), "link"),
        ("{% include '../secret' %}".to_string(), "secret"),
        ("x".repeat(300_000), "256 KiB"),
    ];
    for (template, reason) in cases {
        fs::write(folder.join("table.md.jinja"), &template).unwrap();
        let said = gradstudy.run(&["report", "test@latest", "--templates", "mine", "--to", "out"]);
        let case = format!("{:.60}: {}", template, said.stderr);
        // An expression that is deep and right is rendered.
        match reason.is_empty() {
            true => assert!(matches!(said.code, Some(0 | 2)), "{case}"),
            false => assert_eq!(said.code, Some(2), "{case}"),
        }
        assert!(said.stderr.contains(reason), "{case}");
        let made = fs::read_to_string(gradstudy.path().join("out/one.md")).unwrap_or_default();
        assert!(!made.contains("secret"), "{case}");
    }
}

/// A `.tar` archive of one member, with a header of `kind`.
#[cfg(unix)]
fn tar_of(name: &str, kind: u8, content: &[u8]) -> Vec<u8> {
    let mut header = [0u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar  \0");
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let padding = vec![0; content.len().next_multiple_of(512) - content.len()];
    [&header, content, &padding, &[0; 1024]].concat()
}

/// Files that are small, or say that they are, and would take all memory: an error within the limit, which `--limit` raises.
#[cfg(target_os = "linux")]
#[test]
fn what_takes_more_than_the_limit_is_an_error() {
    let gradstudy = Gradstudy::new("");
    let folder = gradstudy.path().to_path_buf();
    // Pickles that are nested or have no end of objects, where CIFAR's batches should be.
    let batches = folder.join("data/cifar-10");
    fs::create_dir_all(&batches).unwrap();
    let deep = [&b"\x80\x02"[..], &vec![b']'; 300_000], &vec![b'a'; 299_999], b"."].concat();
    let tuples = [&b"\x80\x02N"[..], &vec![0x85; 300_000], b"."].concat();
    let many = [&b"\x80\x02"[..], &vec![b'N'; 300_000], b"."].concat();
    let study = "study \"S\" { seeds: 0  allow: [W0101] }\ndata d = cifar10(subset: 100)\nmodel m = lenet\n\
                 record g = gradients(of: m, on: d, batch: 1, iterations: 5)\n\
                 test t = power_law(g, tail: top(20), along: [dimension])\ntable x { of: t rows: [model] columns: [d_ks] }\n";
    fs::write(folder.join("cifar.study"), study).unwrap();
    let run = |limit: &str| {
        let arguments = ["run", "cifar.study", "--data-dir", "data", "--limit", limit];
        gradstudy.run(&arguments)
    };
    for (pickle, reason) in [
        (&deep, "no dictionary"),
        (&tuples, "no dictionary"),
        (&many, "more than 81920 objects"),
    ] {
        for name in [
            "data_batch_1",
            "data_batch_2",
            "data_batch_3",
            "data_batch_4",
            "data_batch_5",
        ] {
            fs::write(batches.join(name), pickle).unwrap();
        }
        let said = run(if reason.contains("81920") { "10MiB" } else { "1GiB" });
        assert_eq!(said.code, Some(1), "{}", said.stderr);
        let words = said.stderr.replace('│', "");
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(reason), "{words}");
    }
    fs::remove_dir_all(&batches).unwrap();
    fs::create_dir_all(&batches).unwrap();
    // A name of 8 MiB, and a member that nobody asked for.
    for (kind, limit, reason) in [
        (b'L', "1GiB", "has no member"),
        (b'0', "1MiB", "unpacks to more than 1 MiB"),
    ] {
        let archive = tar_of("a name", kind, &vec![b'a'; 8 << 20]);
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut packed, &archive).unwrap();
        fs::write(batches.join("cifar-10-binary.tar.gz"), packed.finish().unwrap()).unwrap();
        let said = run(limit);
        assert_eq!(said.code, Some(1), "{}", said.stderr);
        let words = said.stderr.replace('│', "");
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(reason), "{words}");
    }
    // One line without an end.
    fs::write(folder.join("line.csv"), "1,".repeat(2 << 20)).unwrap();
    let said = gradstudy.run(&["test", "line.csv", "--limit", "16MiB"]);
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    assert!(said.stderr.contains("longer than 1 MiB"), "{}", said.stderr);
    assert!(said.stderr.contains("--limit"), "{}", said.stderr);
}
