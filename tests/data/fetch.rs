//! Downloads from a server that truncates, corrupts, stalls and otherwise misbehaves.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gradstudy::data::fetch::{DownloadObserver, FetchError, FetchOptions, Outcome, Silent, fetch};
use gradstudy::data::idx_set::{IdxSet, IdxSplit};
use gradstudy::data::{Form, Origin, Source, SourceFile, dataset};

use super::help;
use super::http_server::{HttpServer, Reply};
use super::tiny_set::{IMAGES, LABELS, SIGNATURE, Tiny, pack, url_path};

/// No waiting between attempts, and these servers only.
pub(super) fn options(mirrors: &[&HttpServer]) -> FetchOptions {
    FetchOptions {
        mirrors: Some(mirrors.iter().map(|server| server.base.clone()).collect()),
        connect_timeout: Duration::from_secs(10),
        stall_timeout: Duration::from_secs(10),
        attempts: 3,
        backoff: Duration::from_millis(1),
        lock_timeout: Duration::from_millis(300),
        proxy_from_environment: false,
    }
}

#[test]
fn fetches_and_then_has_nothing_to_do() {
    let tiny = Tiny::new();
    let server = tiny.serve();
    let done = tiny.fetch(&[&server]).unwrap();
    let url = format!("{}{}", server.base, url_path(IMAGES));
    assert_eq!(
        done[0],
        (
            tiny.path(&format!("{IMAGES}.gz")),
            Outcome::Downloaded { url, replaced: false }
        )
    );
    tiny.assert_complete();
    let again = tiny.fetch(&[&server]).unwrap();
    assert!(again.iter().all(|(_, outcome)| *outcome == Outcome::AlreadyThere));
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn replaces_a_damaged_file() {
    let tiny = Tiny::new();
    tiny.load_with(&format!("{IMAGES}.gz"), b"damaged").unwrap_err();
    let done = tiny.fetch(&[&tiny.serve()]).unwrap();
    assert!(matches!(done[0].1, Outcome::Downloaded { replaced: true, .. }));
    assert_eq!(done[1].1, Outcome::AlreadyThere);
    tiny.assert_complete();
}

#[test]
fn resumes_after_a_closed_connection() {
    let tiny = Tiny::large(300_000);
    let server = tiny.serve();
    server.script(
        &url_path(IMAGES),
        [Reply::CloseAfter(100_000), Reply::CloseAfter(50_000)],
    );
    tiny.fetch(&[&server]).unwrap();
    tiny.assert_complete();
    let ranges: Vec<Option<String>> = server
        .requests()
        .into_iter()
        .map(|request| request.range)
        .collect();
    let expected = [
        None,
        Some("bytes=100000-".to_string()),
        Some("bytes=150000-".to_string()),
        None,
    ];
    assert_eq!(ranges, expected);
    assert_eq!(server.requests()[1].if_range.as_deref(), Some("\"first\""));
}

#[test]
fn gives_up_a_stalled_connection_and_resumes() {
    let tiny = Tiny::large(300_000);
    let server = tiny.serve();
    server.script(&url_path(IMAGES), [Reply::StallAfter(100_000)]);
    let start = Instant::now();
    let impatient = FetchOptions {
        stall_timeout: Duration::from_millis(200),
        ..options(&[&server])
    };
    fetch(tiny.kind, tiny.root.path(), &Silent, &impatient).unwrap();
    tiny.assert_complete();
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "the stall was waited out"
    );
    assert!(server.requests()[1].range.is_some());
}

#[test]
fn starts_over_when_the_server_cannot_resume() {
    for second in [Reply::IgnoreRange, Reply::Status(416), Reply::WrongRange] {
        let tiny = Tiny::large(300_000);
        let server = tiny.serve();
        server.script(&url_path(IMAGES), [Reply::CloseAfter(100_000), second]);
        tiny.fetch(&[&server]).unwrap();
        tiny.assert_complete();
    }
}

#[test]
fn starts_over_when_the_file_has_changed_on_the_server() {
    let tiny = Tiny::large(300_000);
    let server = tiny.serve();
    fs::write(tiny.path(&format!("{IMAGES}.gz.part")), [7; 5000]).unwrap();
    let url = format!("{}{}", server.base, url_path(IMAGES));
    fs::write(
        tiny.path(&format!("{IMAGES}.gz.part.etag")),
        format!("{url}\n\"first\""),
    )
    .unwrap();
    server.set_etag(&url_path(IMAGES), "\"second\"");
    tiny.fetch(&[&server]).unwrap();
    tiny.assert_complete();
    let images = server
        .requests()
        .into_iter()
        .filter(|request| request.path == url_path(IMAGES))
        .count();
    assert_eq!(images, 1, "the changed file came whole, in one answer");
}

#[test]
fn a_partial_file_that_does_not_fit_costs_one_more_download() {
    let tiny = Tiny::large(300_000);
    let server = tiny.serve();
    for junk in [vec![7; 5000], vec![7; 400_000], vec![7; pack(&tiny.images).len()]] {
        fs::write(tiny.path(&format!("{IMAGES}.gz.part")), junk).unwrap();
        tiny.fetch(&[&server]).unwrap();
        tiny.assert_complete();
        fs::remove_file(tiny.path(&format!("{IMAGES}.gz"))).unwrap();
    }
}

#[test]
fn recovers_from_server_errors_and_turns_to_the_next_mirror() {
    let tiny = Tiny::new();
    let server = tiny.serve();
    server.script(&url_path(IMAGES), [Reply::Status(500), Reply::Status(503)]);
    tiny.fetch(&[&server]).unwrap();
    tiny.assert_complete();

    for bad in [
        Reply::Status(404),
        Reply::Corrupt,
        Reply::Longer(3),
        Reply::LongerUnstated(3),
    ] {
        let tiny = Tiny::new();
        let (first, second) = (tiny.serve(), tiny.serve());
        first.script(&url_path(IMAGES), [bad]);
        let done = tiny.fetch(&[&first, &second]).unwrap();
        assert!(matches!(&done[0].1, Outcome::Downloaded { url, .. } if url.starts_with(&second.base)));
        tiny.assert_complete();
    }
}

#[test]
fn when_no_mirror_is_good_the_error_says_why_for_each() {
    let tiny = Tiny::new();
    let (first, second) = (tiny.serve(), tiny.serve());
    first.script(&url_path(IMAGES), vec![Reply::Status(500); 3]);
    second.script(&url_path(IMAGES), [Reply::Corrupt]);
    let error = tiny.fetch(&[&first, &second]).unwrap_err();
    let text = format!("{error}\n{}", help(&error))
        .replace(&first.base, "FIRST")
        .replace(&second.base, "SECOND")
        .replace(&tiny.root.path().display().to_string(), "ROOT");
    insta::assert_snapshot!(text, @"
    no mirror gave a good images-idx3-ubyte.gz:
      - FIRST/tiny/images-idx3-ubyte.gz: HTTP 500 Internal Server Error (attempt 3 of 3)
      - SECOND/tiny/images-idx3-ubyte.gz: SHA-256 is e0044860400fb9b0848d072be0160456d6e97ba20965128c589f1540574dcd66, expected c4ceb08ae3ad7b223899c10014a7c9f6b9f3df834d14f710bb63ef584d127e0e
    check the network and the proxy settings (HTTPS_PROXY) and run the same command again: it goes on where it stopped; or bring the file from another machine to ROOT/tiny and run `gradstudy data verify tiny`
    ");
    tiny.assert_no_images();
    // What went wrong once is not remembered.
    tiny.fetch(&[&first]).unwrap();
    tiny.assert_complete();
}

#[test]
fn an_unreachable_mirror_is_an_error() {
    let tiny = Tiny::new();
    let nowhere = FetchOptions {
        mirrors: Some(vec!["http://127.0.0.1:1".into()]),
        ..options(&[])
    };
    let error = fetch(tiny.kind, tiny.root.path(), &Silent, &nowhere).unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
    tiny.assert_no_images();
}

/// Stops after a number of bytes, as Ctrl-C would, and notes what it hears.
struct StopAt {
    bytes: u64,
    done: AtomicU64,
    heard: Mutex<Vec<String>>,
}

impl StopAt {
    fn new(bytes: u64) -> Self {
        StopAt {
            bytes,
            done: AtomicU64::new(0),
            heard: Mutex::new(Vec::new()),
        }
    }
}

impl DownloadObserver for StopAt {
    fn start(&self, file: &str, done: u64, bytes: u64) {
        self.heard
            .lock()
            .unwrap()
            .push(format!("start {file} {done} {bytes}"));
    }
    fn progress(&self, _file: &str, done: u64) {
        self.done.store(done, Ordering::Relaxed);
    }
    fn finish(&self, file: &str) {
        self.heard.lock().unwrap().push(format!("finish {file}"));
    }
    fn waiting(&self, _lock: &Path) {
        self.heard.lock().unwrap().push("waiting".to_string());
    }
    fn cancelled(&self) -> bool {
        self.done.load(Ordering::Relaxed) >= self.bytes
    }
}

#[test]
fn a_stopped_fetch_goes_on_where_it_was() {
    let tiny = Tiny::large(3_000_000);
    let server = tiny.serve();
    let stop = StopAt::new(1_000_000);
    let error = fetch(tiny.kind, tiny.root.path(), &stop, &options(&[&server])).unwrap_err();
    let FetchError::Cancelled { done, .. } = error else {
        panic!("{error}")
    };
    assert!(done >= 1_000_000);
    tiny.assert_no_images();

    let watch = StopAt::new(u64::MAX);
    fetch(tiny.kind, tiny.root.path(), &watch, &options(&[&server])).unwrap();
    tiny.assert_complete();
    let heard = watch.heard.into_inner().unwrap();
    assert_eq!(
        heard[0],
        format!("start {IMAGES}.gz {done} {}", pack(&tiny.images).len())
    );
    assert_eq!(heard.iter().filter(|line| line.starts_with("finish")).count(), 2);
}

#[test]
fn two_fetches_do_not_clash() {
    let tiny = Tiny::large(3_000_000);
    let server = tiny.serve();
    std::thread::scope(|scope| {
        let fetches: Vec<_> = (0..3)
            .map(|_| {
                let patient = FetchOptions {
                    lock_timeout: Duration::from_secs(60),
                    ..options(&[&server])
                };
                let tiny = &tiny;
                scope.spawn(move || fetch(tiny.kind, tiny.root.path(), &Silent, &patient))
            })
            .collect();
        fetches
            .into_iter()
            .for_each(|fetch| drop(fetch.join().unwrap().unwrap()));
    });
    tiny.assert_complete();
    assert_eq!(server.requests().len(), 2, "each file was downloaded once");
}

#[test]
fn a_lock_held_too_long_is_an_error() {
    let tiny = Tiny::new();
    let lock = fs::File::create(tiny.path(".fetch.lock")).unwrap();
    lock.lock().unwrap();
    let watch = StopAt::new(u64::MAX);
    let error = fetch(tiny.kind, tiny.root.path(), &watch, &options(&[&tiny.serve()])).unwrap_err();
    assert!(matches!(error, FetchError::Busy { .. }), "{error}");
    assert_eq!(*watch.heard.lock().unwrap(), ["waiting"]);
}

#[test]
fn an_embedded_set_has_nothing_to_fetch() {
    let root = tempfile::tempdir().unwrap();
    let error = fetch(
        dataset("fashion_mnist_5k").unwrap().published().unwrap(),
        root.path(),
        &Silent,
        &options(&[]),
    )
    .unwrap_err();
    insta::assert_snapshot!(error, @"data set `fashion_mnist_5k` is part of gradstudy: there is nothing to fetch");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let tiny = Tiny::new();
    // A file where the folder should be: an error for every user, root included.
    fs::write(tiny.root.path().join("occupied"), "").unwrap();
    let destination = tiny.root.path().join("occupied");
    let error = fetch(tiny.kind, &destination, &Silent, &options(&[&tiny.serve()])).unwrap_err();
    assert!(
        error.to_string().contains(&destination.display().to_string()),
        "{error}"
    );
    assert!(help(&error).contains("--data-dir"), "{}", help(&error));
}

#[test]
fn a_disk_without_room_is_an_error_before_anything_is_downloaded() {
    let tiny = Tiny::new();
    let server = tiny.serve();
    let huge = vec![SourceFile {
        form: Form::Gzip,
        name: IMAGES,
        bytes: u64::MAX / 2,
        sha256: "",
        content: Some(""),
    }]
    .leak();
    let source = Source {
        licence: "none",
        citation: "none",
        origin: Origin::Files {
            folders: &[],
            page: "https://127.0.0.1/",
            files: huge,
            mirrors: &[],
            system_dirs: &[],
        },
    };
    let kind = IdxSet {
        signature: &SIGNATURE,
        display_name: "Huge",
        source,
        size: [2, 3],
        train: IdxSplit {
            images: IMAGES,
            labels: LABELS,
            class_counts: &[1, 1],
        },
        test: None,
        no_test_remedy: "none",
    };
    let error = fetch(&kind, tiny.root.path(), &Silent, &options(&[&server])).unwrap_err();
    assert!(matches!(error, FetchError::DiskFull { .. }), "{error}");
    assert!(server.requests().is_empty());
}
