//! Weights as people have them: prefixes, wrappers, half precision, checkpoints (tests/reference/pytorch, by PyTorch).

use gradstudy::models::weights::{LoadedWeights, WeightsError, load};

use super::*;
use crate::support::Gradstudy;

fn file(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/pytorch");
    folder.join(name).display().to_string()
}

fn fcn(batchnorm: bool) -> Network {
    let settings =
        format!(r#"{{"depth": 1, "width": 6, "batchnorm": {batchnorm}, "activation": "tanh", "logits": 3}}"#);
    build("fcn", &settings, [4, 1, 1])
}

fn loaded(name: &str) -> LoadedWeights {
    load(&fcn(name.starts_with("net_bn")), &file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What an error says, without the folder, and its help.
fn error(name: &str) -> (String, String) {
    use miette::Diagnostic;
    let error: WeightsError = load(&fcn(false), &file(name)).unwrap_err();
    let help = error.help().map(|help| help.to_string()).unwrap_or_default();
    let folder = file("");
    (error.to_string().replace(&folder, ""), help.replace(&folder, ""))
}

#[test]
fn prefixes_and_wrappers_are_found_out_and_told() {
    let plain = loaded("net_plain.pt");
    assert_eq!(plain.notes, Vec::<String>::new());
    let wrapped = |wrapper: &str| {
        vec![
            format!("taken from \"{wrapper}\""),
            "epoch, optimizer left out".to_string(),
        ]
    };
    let stripped = |prefix: &str| vec![format!("prefix \"{prefix}\" stripped from 4 names")];
    let mut cases = vec![
        ("net_module.pt", stripped("module.")),
        ("net_orig_mod.pt", stripped("_orig_mod.")),
        ("net_module_orig_mod.pt", stripped("module._orig_mod.")),
        ("net_orig_mod_module.pt", stripped("_orig_mod.module.")),
        ("net_fsdp.pt", stripped("_fsdp_wrapped_module.")),
        ("net_backbone.pt", stripped("backbone.")),
        ("net_prefixed.safetensors", stripped("module._orig_mod.")),
        (
            "net_compiled_layers.pt",
            vec!["\"_orig_mod.\" taken out of 4 names".to_string()],
        ),
        ("net_in_net.pt", wrapped("net")),
        ("net_in_model.pt", wrapped("model")),
        ("net_in_state_dict.pt", wrapped("state_dict")),
        ("net_in_model_state_dict.pt", wrapped("model_state_dict")),
        ("net_in_network.pt", wrapped("network")),
        ("net_in_weights.pt", wrapped("weights")),
        ("net_in_params.pt", wrapped("params")),
        ("net_in_anything.pt", wrapped("anything")),
        ("net_parameters.pt", vec![]),
        ("net_transposed.pt", vec![]),
        ("net_shared.pt", vec![]),
        ("net_whole.pt", vec![]),
        ("net_legacy_whole.pt", vec![]),
    ];
    let texts = |notes: &[&str]| notes.iter().map(|note| note.to_string()).collect::<Vec<_>>();
    cases.push((
        "net_lightning.pt",
        texts(&[
            "taken from \"state_dict\"",
            "prefix \"model.\" stripped from 4 names",
            "epoch, global_step, pytorch-lightning_version, state_dict.criterion, loops, callbacks, optimizer_states, \
             lr_schedulers and 2 more left out",
        ]),
    ));
    cases.push((
        "net_both_module.pt",
        texts(&[
            "taken from \"model\"",
            "prefix \"module.\" stripped from 4 names",
            "optimizer, epoch left out",
        ]),
    ));
    cases.push((
        "net_only_ema.pt",
        texts(&["taken from \"ema.module\"", "ema.decay, epoch left out"]),
    ));
    cases.push((
        "net_averaged.pt",
        texts(&["prefix \"module.\" stripped from 4 names", "n_averaged left out"]),
    ));
    cases.push((
        "net_legacy.pt",
        texts(&[
            "taken from \"state_dict\"",
            "prefix \"module.\" stripped from 4 names",
        ]),
    ));
    // The student has the network's shapes, the teacher only its names.
    cases.push((
        "net_teacher.pt",
        texts(&["taken from \"student\"", "teacher left out"]),
    ));
    for (name, notes) in cases {
        let it = loaded(name);
        assert_eq!(it.notes, notes, "{name}");
        assert_eq!(it.values, plain.values, "{name}");
    }
    let bn = loaded("net_bn_plain.pt");
    let wrapped = loaded("net_bn_module.pt");
    assert_eq!(wrapped.values, bn.values);
    assert_eq!(wrapped.notes[1], "prefix \"module.\" stripped from 8 names");
    assert!(
        bn.values[fcn(true).parameter_count()..]
            .iter()
            .all(|v| *v != 0.0 && *v != 1.0)
    );
}

#[test]
fn other_precisions_are_converted_and_told() {
    let plain = loaded("net_plain.pt");
    for (name, bits, notes) in [
        ("net_half.pt", 11, "float16 converted to float32"),
        ("net_bfloat16.pt", 8, "bfloat16 converted to float32"),
        ("net_bfloat16.safetensors", 8, "bfloat16 converted to float32"),
        ("net_double.pt", 24, "float64 rounded to float32"),
        ("net_mixed.pt", 11, "float16 of 2 tensors converted to float32"),
    ] {
        let it = loaded(name);
        assert_eq!(it.notes, [notes], "{name}");
        let mut largest: f64 = 0.0;
        for (value, exact) in it.values.iter().zip(&plain.values) {
            let (value, exact) = (f64::from(*value), f64::from(*exact));
            largest = largest.max((value - exact).abs() / exact.abs());
        }
        assert!(largest <= 2f64.powi(-bits), "{name}: {largest}");
        // Rounded to the nearest, not cut off or read as something else: some number is off by nearly half a unit.
        if bits < 24 {
            assert!(largest > 2f64.powi(-bits - 2), "{name}: {largest}");
        }
    }
    let half = loaded("net_bn_half.pt");
    assert_eq!(half.notes, ["float16 converted to float32"]);
}

#[test]
fn two_candidates_are_told_apart_by_a_key() {
    let plain = loaded("net_plain.pt").values;
    let doubled: Vec<f32> = plain.iter().map(|value| 2.0 * value).collect();
    let (said, help) = error("net_model_and_ema.pt");
    insta::assert_snapshot!(said, @r#"`net_model_and_ema.pt` holds weights of FCN 2 times: "model", "ema.module""#);
    insta::assert_snapshot!(help, @r#"say which are meant: `weights: "net_model_and_ema.pt:model"` or `weights: "net_model_and_ema.pt:ema.module"`"#);
    for (name, values) in [
        ("net_model_and_ema.pt:model", &plain),
        ("net_model_and_ema.pt:ema", &doubled),
        ("net_model_and_ema.pt:ema.module", &doubled),
        ("net_model_and_ema.safetensors:ema", &doubled),
        ("net_root_and_ema.pt:", &plain),
        ("net_root_and_ema.pt:ema", &doubled),
    ] {
        assert_eq!(&loaded(name).values, values, "{name}");
    }
    assert_eq!(
        loaded("net_model_and_ema.pt:ema").notes,
        [
            "taken from \"ema\"",
            "prefix \"module.\" stripped from 4 names",
            "model, epoch left out"
        ]
    );
    let (said, help) = error("net_model_and_ema.pt:emma");
    insta::assert_snapshot!(said, @"`net_model_and_ema.pt` holds no weights of FCN under `emma`");
    insta::assert_snapshot!(help, @r#"it holds them under "model", "ema.module""#);
    insta::assert_snapshot!(error("net_root_and_ema.pt").1, @r#"say which are meant: `weights: "net_root_and_ema.pt:"` or `weights: "net_root_and_ema.pt:ema"`"#);
}

#[test]
fn real_mismatches_name_what_is_missing_too_much_or_misshapen() {
    let said = |name: &str| error(name).0;
    insta::assert_snapshot!(said("net_missing.pt"), @"`net_missing.pt` has no tensor `state_dict.module.fc2.weight`, `state_dict.module.fc2.bias`, which FCN needs");
    insta::assert_snapshot!(said("net_extra.pt"), @"`net_extra.pt` has a tensor `state_dict.module.fc3.weight` that FCN does not know");
    insta::assert_snapshot!(said("net_shape.pt"), @"`net_shape.pt` has `module.fc1.weight` of shape [6, 5], the model has [6, 4], and `module.fc2.bias` of shape [4], the model has [3]");
    insta::assert_snapshot!(said("net_pruned.pt"), @"`net_pruned.pt` has no tensor `fc1.weight`, which FCN needs; it has a tensor `fc1.weight_orig` that FCN does not know");
    insta::assert_snapshot!(said("net_other.pt"), @"`net_other.pt` has no tensor of FCN: it has `conv1.weight`, `conv1.bias`");
    insta::assert_snapshot!(said("net_integers.pt"), @"`fc1.weight` in `net_integers.pt` holds int8");
    insta::assert_snapshot!(said("refused_script.pt"), @"`refused_script.pt` is not a state dict that can be read: it is a TorchScript archive: save `model.state_dict()` with `torch.save`");
    insta::assert_snapshot!(said("refused_no_tensor.pt"), @"`refused_no_tensor.pt` holds no tensor, FCN needs `fc1.weight`, `fc1.bias`, `fc2.weight`, `fc2.bias`");
}

#[test]
fn a_damaged_checkpoint_is_never_read() {
    let whole = std::fs::read(file("net_plain.pt")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.pt");
    let network = fcn(false);
    let good = weights::read(&network, Path::new(&file("net_plain.pt"))).unwrap();
    for cut in (0..whole.len()).step_by(61) {
        std::fs::write(&path, &whole[..cut]).unwrap();
        assert!(weights::read(&network, &path).is_err(), "cut at {cut}");
    }
    // A flipped bit is an error, or in what says nothing of the numbers.
    for place in (0..whole.len()).step_by(13) {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x10;
        std::fs::write(&path, &bytes).unwrap();
        if let Ok(values) = weights::read(&network, &path) {
            assert_eq!(values, good, "flipped at {place}");
        }
    }
}

#[test]
fn check_plan_and_run_say_what_was_done_to_the_weights() {
    let study = "study \"W\" { seeds: 0 }\ndata d = csv(\"four.csv\", label: \"kind\")\n\
        model m = fcn(depth: 1, width: 6, batchnorm: false, activation: tanh, logits: 3) { weights: \"w.pt\" }\n\
        record g = gradients(of: m, on: d, iterations: 60)\ntest t = normality(g, points: 20)\n\
        table r { of: t  rows: [sg_type]  columns: [p_value] }\n";
    let gradstudy = Gradstudy::new(study);
    let rows: String = (0..30)
        .map(|i| format!("{},{},{},{},{}\n", i % 7, i % 5, i * i % 11, i % 3 + i % 2, i % 3))
        .collect();
    std::fs::write(gradstudy.path().join("four.csv"), format!("a,b,c,d,kind\n{rows}")).unwrap();
    let weights = |name: &str| std::fs::copy(file(name), gradstudy.path().join("w.pt")).unwrap();
    weights("net_both_module.pt");
    let line = "taken from \"model\"; prefix \"module.\" stripped from 4 names; optimizer, epoch left out";
    let flat = |text: &str| text.replace("\n  │ ", " ");
    let said = gradstudy.run(&["check", "test.study"]).success();
    for expected in ["W0106", &format!("w.pt: {line}"), "test.study:3"] {
        assert!(flat(&said.stderr).contains(expected), "{}", said.stderr);
    }
    let said = gradstudy.run(&["plan", "test.study", "--steps"]).success();
    assert!(
        said.stdout.contains(&format!("FCN from w.pt ({line})")),
        "{}",
        said.stdout
    );
    // Documents of a run and what it measured, without the ids of steps, which follow from the file's bytes.
    let run = |folder: &str| {
        let said = gradstudy
            .run(&["run", "test.study", "--reports-dir", folder])
            .success();
        let text = |name: &str| {
            let files = walkdir::WalkDir::new(gradstudy.path().join(folder)).into_iter();
            let mut files = files.map(|entry| entry.unwrap().into_path());
            std::fs::read_to_string(files.find(|path| path.ends_with(name)).unwrap()).unwrap()
        };
        let results = text("results.yaml");
        let lines = results.lines().filter(|line| !line.starts_with("  step: "));
        (
            said.stderr,
            text("manifest.yaml"),
            lines.collect::<Vec<_>>().join("\n"),
        )
    };
    let (_, manifest, wrapped) = run("wrapped");
    let manifest: serde_yaml::Value = serde_yaml::from_str(&manifest).unwrap();
    let warnings = manifest["warnings"].as_sequence().unwrap();
    assert!(
        warnings
            .iter()
            .any(|warning| warning.as_str().unwrap().contains(line)),
        "{warnings:?}"
    );
    weights("net_plain.pt");
    let (said, _, plain) = run("plain");
    assert!(!said.contains("W0106"), "{said}");
    assert_eq!(plain, wrapped);
    weights("net_half.pt");
    assert_ne!(run("half").2, plain);
    // A choice between two is part of the step.
    weights("net_model_and_ema.pt");
    let said = gradstudy.run(&["check", "test.study"]);
    assert_eq!(said.code, Some(2));
    assert!(flat(&said.stderr).contains("E0515"), "{}", said.stderr);
    for (key, same) in [("model", true), ("ema", false)] {
        let study = study.replace("w.pt", &format!("w.pt:{key}"));
        std::fs::write(gradstudy.path().join("test.study"), study).unwrap();
        assert_eq!(run(key).2 == plain, same, "{key}");
    }
}

/// State dicts that DataParallel, torch.compile and `.half()` left: `tests/cases/files`.
#[test]
fn weights_of_wrapped_and_of_half_networks_are_those_of_the_plain_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/files");
    let of = |name: &str| {
        let path = folder.join(name).display().to_string();
        load(&fcn(false), &path).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let plain = of("c21_plain.pt");
    assert_eq!(plain.notes, Vec::<String>::new());
    for (name, prefix) in [
        ("c21_dataparallel.pt", "module."),
        ("c21_orig_mod.pt", "_orig_mod."),
    ] {
        let it = of(name);
        assert_eq!(it.values, plain.values, "{name}");
        assert_eq!(it.notes, [format!("prefix \"{prefix}\" stripped from 4 names")]);
    }
    let half = of("c22_half.pt");
    assert!(half.notes[0].contains("float16"), "{:?}", half.notes);
    assert_eq!(half.values.len(), plain.values.len());
}
