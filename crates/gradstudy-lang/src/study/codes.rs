//! Every code a study can be answered with. Codes are stable: a number is never used for something else.
//!
//! E01 text · E02 statements and names · E03 settings and values · E04 grids · E05 what does not fit together ·
//! W01 doubts. One table in one file: what `gradstudy explain` tells is read here as it stands.

/// One code's page for `gradstudy explain`.
#[derive(Debug)]
pub struct Code {
    pub code: &'static str,
    pub title: &'static str,
    /// Why it is a mistake and what to do.
    pub explanation: &'static str,
    /// A few lines that are answered with this code.
    pub example: &'static str,
}

/// The page of `code`, whatever its case and however many zeros its number begins with.
pub fn find(code: &str) -> Option<&'static Code> {
    let parts = |code: &str| -> Option<(char, u32)> {
        let mut rest = code.trim().chars();
        Some((rest.next()?.to_ascii_uppercase(), rest.as_str().parse().ok()?))
    };
    let asked = parts(code)?;
    CODES.iter().find(|entry| parts(entry.code) == Some(asked))
}

const fn code(
    code: &'static str,
    title: &'static str,
    explanation: &'static str,
    example: &'static str,
) -> Code {
    Code {
        code,
        title,
        explanation,
        example,
    }
}

/// In the order of the codes.
pub static CODES: &[Code] = &[
    code(
        "E0101",
        "unexpected text",
        "The text does not have the shape `keyword name = value { key: value }` at this place. The message names \
         what could stand there. Other statements of the file are still checked.",
        "data m = mnist(normalize = global)",
    ),
    code(
        "E0102",
        "text without its closing quote",
        "A text in double quotes ends on the line on which it begins. Inside it, write `\\\"` for a quotation mark.",
        "study \"Table 1",
    ),
    code(
        "E0103",
        "malformed number",
        "Numbers look like 5000, 44_426, 0.1, 5e-4 and 40%; nothing may follow them without a space.",
        "study \"a\" { seeds: 3x }",
    ),
    code(
        "E0104",
        "number too large",
        "Whole numbers must fit in 64 bits and real ones in double precision.",
        "study \"a\" { seeds: 99999999999999999999 }",
    ),
    code(
        "E0105",
        "bracket never closed",
        "A `{`, `(` or `[` is still open where the statement ends. The first label shows where it was opened.",
        "study \"a\" { seeds: 0",
    ),
    code(
        "E0106",
        "brackets nested too deep",
        "No study needs brackets more than 64 deep; this is most likely a file that is no study.",
        "data m = [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    ),
    code(
        "E0107",
        "a word of the language as a name",
        "`at`, `with` and `in` stand between values, `true` and `false` are values: where such a name stood, it would be \
         read as that. Take another name.",
        "data at = mnist",
    ),
    code(
        "E0201",
        "unknown statement",
        "The first word of a statement is one of the known keywords.",
        "dataset m = mnist",
    ),
    code(
        "E0203",
        "statement of the wrong shape",
        "Each statement has fixed parts: a name or a title, `=` and a call or `in` and levels, a block or none.",
        "data m",
    ),
    code(
        "E0204",
        "name defined twice",
        "All statements of a study share one set of names, so that a name means one thing.",
        "data a = mnist\nmodel a = lenet",
    ),
    code(
        "E0205",
        "second study in a file",
        "A file is one study with one title and one list of seeds.",
        "study \"a\"\nstudy \"b\"",
    ),
    code(
        "E0206",
        "nothing to assert",
        "Asserts stand in the block of a model and speak of its `parameters`, or of data and speak of its `examples` or \
         `classes`.",
        "model m = lenet { assert layers == 5 }",
    ),
    code(
        "E0207",
        "used file that cannot be read",
        "`use` takes the path of a `.study` file, relative to the folder of the file that uses it.",
        "use \"no such file.study\"",
    ),
    code(
        "E0208",
        "file that uses itself",
        "A file cannot use itself, at once or through the files that it uses.",
        "use \"this.study\"",
    ),
    code(
        "E0209",
        "like nothing",
        "`like(name, key: value)` repeats the definition of another statement of the same kind, with some settings \
         changed.",
        "data m = mnist\ndata n = like(missing, subset: 100)",
    ),
    code(
        "E0210",
        "study that cannot be included",
        "An included study is checked by itself and its names begin with its file's name, so files of one name cannot \
         both be included, nor can one that includes others; tables and figures of all of them need different names.",
        "include \"table1.study\"\ninclude \"table1.study\"",
    ),
    code(
        "E0301",
        "unknown built-in",
        "There is no dataset, model, optimizer, recording, test or form of a setting with this name.",
        "data m = minst",
    ),
    code(
        "E0302",
        "unknown setting",
        "The built-in and its statement have no setting with this key. Settings are never ignored.",
        "data m = mnist(normalise: global)",
    ),
    code(
        "E0303",
        "setting given twice",
        "A setting may stand in the parentheses or in the block, once.",
        "model m = lenet(logits: 10) { logits: 100 }",
    ),
    code(
        "E0304",
        "setting missing",
        "The setting has no default and must be written.",
        "record g = gradients",
    ),
    code(
        "E0305",
        "too many values without a key",
        "Values without a key bind to the settings in order; there are more of them than settings.",
        "model m = lenet(10, 20)",
    ),
    code(
        "E0306",
        "value without a key after one with a key",
        "Values without a key come first; after one with a key the order no longer says what they mean.",
        "data d = mnist\nrecord g = gradients(on: d, m)\nmodel m = lenet",
    ),
    code(
        "E0307",
        "value of the wrong type",
        "The setting takes another kind of value.",
        "model m = lenet(logits: \"ten\")",
    ),
    code(
        "E0308",
        "value out of range",
        "The setting takes values between bounds.",
        "model m = lenet(logits: 0)",
    ),
    code(
        "E0309",
        "unknown word",
        "The setting takes one of a fixed set of words.",
        "data m = mnist(normalize: globl)",
    ),
    code(
        "E0310",
        "unknown name",
        "No statement of the study defines this name.",
        "data d = mnist\nrecord g = gradients(of: lenet, on: d)",
    ),
    code(
        "E0311",
        "name of the wrong kind",
        "The name is defined, but by another kind of statement than the setting asks for.",
        "data d = mnist\nrecord g = gradients(of: d, on: d)",
    ),
    code(
        "E0312",
        "training that continues itself",
        "Following `of` from training to training leads back to where it began; one must begin with a model.",
        "data d = mnist\ntrain a = sgd(lr: 0.1) { of: a  on: d  epochs: 1  batch: 1 }",
    ),
    code(
        "E0313",
        "misplaced `with`",
        "`with` puts label noise on data, as in `on: mnist with symmetric(40%)`; nothing else takes it.",
        "data d = mnist\nmodel m = lenet with symmetric(40%)\nrecord g = gradients(of: m with clean, on: d)",
    ),
    code(
        "E0314",
        "label in a plain list",
        "Only the levels of a factor and the layers of a network have labels.",
        "study \"a\" { seeds: [first: 0] }",
    ),
    code(
        "E0315",
        "entry given twice",
        "The list is a set: the same seed, column or test twice would count or show the same thing twice.",
        "study \"a\" { seeds: [0, 0] }",
    ),
    code(
        "E0316",
        "label of a layer",
        "Labels of a network's layers are PyTorch's module names: words of letters, digits and `_`, or whole numbers in \
         quotes, each once in a list. `_` stands before a list, `repeat` or `residual` that gives no name of its own.",
        "data d = mnist\nmodel m = network([fc: linear(20), relu, fc: linear(10)])",
    ),
    code(
        "E0317",
        "value that grows too large",
        "What `let`s stand for is put in where their names are; lists of lists of them grow fast. A value holds at most \
         50 000 parts, nested at most 100 deep.",
        "let a = [0,0,0,0,0,0,0,0,0,0]\nlet b = [a,a,a,a,a,a,a,a,a,a]\nlet c = [b,b,b,b,b,b,b,b,b,b]\nlet d = [c,c,c,c,c,c,c,c,c,c]\nlet e = [d,d,d,d,d,d,d,d,d,d]",
    ),
    code(
        "E0401",
        "grid too large",
        "The factors that some statement depends on, or a table that shows several, span more than 10 000 cases together.",
        "data d = fashion_mnist_5k\nmodel m = lenet\nvary a in 1..200\nvary b in 1..200\nrecord g = gradients(of: m, on: d, batch: a, iterations: b)",
    ),
    code(
        "E0402",
        "empty list",
        "A factor without levels leaves a grid without a case; seeds, rows, columns and tests need at least one entry.",
        "vary a in []",
    ),
    code(
        "E0403",
        "levels with the same label",
        "Labels tell the rows of a table apart.",
        "vary batch in [1, 10, 1]",
    ),
    code(
        "E0404",
        "factors of different length along each other",
        "A factor `along` another takes its first level with the other's first, its second with the second: both \
         need equally many.",
        "vary batch in [1, 10]\nvary rate in [0.1, 0.2, 0.3] { along: batch }",
    ),
    code(
        "E0405",
        "factor along one that goes along itself",
        "All factors that go together name the same one, which is crossed with the others.",
        "vary a in [1, 2]\nvary b in [1, 2] { along: a }\nvary c in [1, 2] { along: b }",
    ),
    code(
        "E0406",
        "malformed case",
        "A level that is a case changes settings of statements: `case(g.batch: 100, g.clip: 0.1)`, each named as \
         `name.key` and once; `case` alone changes nothing. If one level of a factor is a case, all are.",
        "data d = mnist\nmodel m = lenet\nvary setting in [plain: case, large: case(batch: 100)]\nrecord g = gradients(of: m, on: d)",
    ),
    code(
        "E0501",
        "assert does not hold",
        "The model has another number of parameters than the study asserts, so it is not the model meant.",
        "model m = lenet { assert parameters == 1 }",
    ),
    code(
        "E0502",
        "minibatch larger than the data",
        "A minibatch is drawn from the data's training examples.",
        "data d = mnist\nmodel m = lenet\nrecord g = gradients(of: m, on: d, batch: 60_001)",
    ),
    code(
        "E0503",
        "tail larger than the sample",
        "The power-law test takes the `top(K)` of each sample, or a scanned tail of `at_least` K values; with fewer than K values in a sample none can be tested.",
        "data d = mnist\nmodel m = lenet\nrecord g = gradients(of: m, on: d, iterations: 500)\ntest t = power_law(g, tail: top(1000))",
    ),
    code(
        "E0504",
        "more points than the sample has",
        "The normality test draws `points` values of each sample without replacement.",
        "data d = mnist\nmodel m = lenet\nrecord g = gradients(of: m, on: d, iterations: 50)\ntest t = normality(g, points: 100)",
    ),
    code(
        "E0505",
        "model does not fit the data",
        "The shape of the data's examples, or their number of classes, is not one that the model takes.",
        "data d = letters\nmodel m = lenet\nrecord g = gradients(of: m, on: d)",
    ),
    code(
        "E0506",
        "numbers of that paper table are not known",
        "`mirrors: table(n)` puts the paper's printed numbers beside ours; only some tables can be mirrored.",
        "data d = mnist\nmodel m = lenet\nrecord g = gradients(of: m, on: d)\ntest t = normality(g)\ntable r { of: t  rows: sg_type  columns: p_value  mirrors: table(9) }",
    ),
    code(
        "E0507",
        "milestones out of order",
        "The learning rate drops at milestones that rise and lie within the training.",
        "data d = mnist\nmodel m = lenet\ntrain p = sgd(lr: 0.1) { of: m  on: d  epochs: 10  batch: 8  decay: 0.1 at [80%, 40%] }",
    ),
    code(
        "E0508",
        "data that cannot be used",
        "A setting asks for what the data set does not have (a class, a split, more examples than there are), or one \
         of your own files is missing or has a mistake, which the message places in it. Your own files are read for \
         every check; published data sets are not, a missing one is found when the study is planned.",
        "data d = csv(file: \"not-there.csv\", label: \"kind\")",
    ),
    code(
        "E0509",
        "more eigenvalues than there are",
        "The covariance of T gradients of n numbers has at most min(n, T − 1) eigenvalues above zero, the second moment \
         min(n, T); a Hessian has n. One gradient has n magnitudes, one parameter's history T.",
        "data d = mnist\nmodel m = lenet\nrecord g = gradients(of: m, on: d, iterations: 100)\nspectrum c = covariance(g, top: 100)",
    ),
    code(
        "E0510",
        "direction of a spectrum",
        "A test along dimensions or iterations looks at the columns or rows of a recording. A spectrum is one sample.",
        "data d = mnist\nmodel m = lenet\nrecord g = gradients(of: m, on: d)\nspectrum c = covariance(g, top: 100)\ntest t = power_law(c, tail: top(50), along: dimension)",
    ),
    code(
        "E0511",
        "no such layers",
        "`layers` is a glob over the names of a model's parameter tensors (`*` any characters, `?` one); it matches none.",
        "data d = mnist\nmodel m = lenet\nrecord g = gradients(of: m, on: d, layers: \"dense*\")",
    ),
    code(
        "E0512",
        "what numbers of a file do not have",
        "A record of `file(…)` is numbers: there is no network behind it whose layers could be chosen, and no data whose \
         full-batch gradient could be the centre.",
        "record g = file(\"not-there.npy\")\nspectrum c = covariance(g, centre: full_batch)",
    ),
    code(
        "E0513",
        "curvature that cannot be computed",
        "A Hessian, Gauss-Newton or Fisher spectrum needs a rule for the second derivative of every layer, and batch \
         normalisation by minibatches needs `samples` to be a whole number of them.",
        "data d = mnist\nmodel m = lenet(logits: 13)\nspectrum h = hessian(of: m, on: d, top: 5)",
    ),
    code(
        "E0514",
        "one sample under batch normalisation",
        "A minibatch of one sample has no variance: batch normalisation by the minibatch's own statistics would make \
         everything 0. A recording may go by `batch_norm: running` statistics instead.",
        "data d = mnist\nmodel m = lenet(logits: 14)\nrecord g = gradients(of: m, on: d, batch: 1)",
    ),
    code(
        "E0515",
        "weights of another network",
        "A file of `weights` has to hold every tensor of the model on its data under PyTorch's name, in its shape and \
         finite, and no other beside them. What wrappers put before the names is stripped where all of them are found so \
         (W0106). A file that holds them several times, such as under `model` and `ema`, needs \"FILE:KEY\".",
        "data d = mnist\nmodel m = lenet { weights: \"not-there.safetensors\" }\nrecord g = gradients(of: m, on: d)",
    ),
    code(
        "E0516",
        "network that cannot be made",
        "A layer does not fit the shape of what comes before it, the two sides of a `residual` differ, two modules have one \
         name, there are more than 10 000 layers or no parameter, or the network does not end with logits. The place is that \
         of the layer, and the message shows the shape there.",
        "data d = mnist\nmodel m = network([conv2d(6, kernel: 5), max_pool2d(30), linear(10)])",
    ),
    code(
        "E0531",
        "settings that exclude each other",
        "Each of the settings would decide the same thing: `decay` and `schedule` the learning rate, `clip` and \
         `clip_value` how gradients are clipped. Nesterov's variant of momentum needs a momentum, and the full-batch \
         gradient is no centre of a recording that is clipped or goes through an optimizer. `layers` is chosen once, by a \
         recording or by its spectrum.",
        "data d = mnist\nmodel m = lenet\ntrain p = sgd(lr: 0.1) { of: m  on: d  epochs: 10  batch: 8  decay: 0.1 at 50%  schedule: cosine }",
    ),
    code(
        "E0532",
        "warm-up that does not fit the training",
        "A warm-up ends before the training does, and before the learning rate first drops; one that moves with each \
         epoch lasts at least one; `from` says where one begins.",
        "data d = mnist\nmodel m = lenet\ntrain p = sgd(lr: 0.1) { of: m  on: d  epochs: 10  batch: 8  schedule: cosine(warmup: 10) }",
    ),
    code(
        "E0533",
        "augmentation that the data do not allow",
        "Images are flipped and cropped as they are before normalisation, so that what lies beside an image is black. \
         Features are no images, and data normalised for each position have no one number for black.",
        "data d = mnist(normalize: per_pixel)\nmodel m = lenet\ntrain p = sgd(lr: 0.1) { of: m  on: d  epochs: 10  batch: 8  augment: flip }",
    ),
    code(
        "E0551",
        "statistic that a figure's tests do not give",
        "`show` takes columns that the tests of `of` give with their settings: a test of normality has no `d_ks`, a power \
         law no `bootstrap_p` unless `bootstrap` asks for replicates, and many samples have a rate in place of a verdict. \
         Each of the tests gives something that is shown. `angles` draws tests of eigenvectors and eigenspaces alone.",
        "data d = mnist\nmodel m = lenet\nrecord g = gradients(of: m, on: d)\ntest t = normality(g)\nfigure f = rates(t, show: d_ks)",
    ),
    code(
        "E0552",
        "statistics without a common axis",
        "A figure has one vertical axis: what it shows is all of one quantity, such as rates in percent, distances, or \
         p-values.",
        "data d = mnist\nmodel m = lenet\nrecord g = gradients(of: m, on: d)\ntest t = power_law(g)\nfigure f = rates(t, show: [d_ks, power_law_rate])",
    ),
    code(
        "E0553",
        "horizontal axis that cannot be drawn",
        "Every test of the figure has a level of the factor on its axis, that factor names no curve, and only an axis of \
         numbers has a scale: labels such as `adam` stand side by side.",
        "data d = mnist\nmodel m = lenet\nrecord g = gradients(of: m, on: d)\ntest t = power_law(g)\nfigure f = rates(t, against: batch, curves: [batch])",
    ),
    code(
        "E0601",
        "malformed --set",
        "`--set` takes `name.key=value`, the value written as in a study. Only the command line can give this.",
        "",
    ),
    code(
        "E0602",
        "setting of a profile or --set that leads nowhere",
        "The path is `name.key`, where `name` is a statement of the study (or `study` itself); a factor or a `let` \
         is set by its name alone.",
        "profile quick { g.iterations: 10 }",
    ),
    code(
        "E0603",
        "unknown profile",
        "`--profile` takes the name of a `profile` statement. Only the command line can give this.",
        "",
    ),
    code(
        "W0101",
        "definition not used",
        "Nothing refers to the statement, so it is not run. What nothing is made of later in the study (its last recording, \
         training, spectrum or model, and a recording with `keep: true`) is there to be exported, and not told of.",
        "data m = mnist",
    ),
    code(
        "W0102",
        "factor not used",
        "No statement uses the factor, so all its levels give the same cases.",
        "vary batch in [1, 10]",
    ),
    code(
        "W0103",
        "small tail",
        "With fewer than about 50 points the KS test hardly rejects anything: passing it says little.",
        "data d = mnist\nmodel m = lenet\nrecord g = gradients(of: m, on: d)\ntest t = power_law(g, tail: top(20))",
    ),
    code(
        "W0104",
        "tests without a table",
        "The study's tests are run, but its report will show none of them.",
        "data d = mnist\nmodel m = lenet\nrecord g = gradients(of: m, on: d)\ntest t = normality(g)",
    ),
    code(
        "W0105",
        "scanned tail judged by d_c",
        "`scan` chooses the x_min that makes d_ks least, and d_c knows nothing of it: under a power law the 5 % point of \
         a scanned d_ks is about 0.78/√n_tail, not 1.36/√n_tail. Of 1000 half-Gaussian, half-Laplace or lognormal \
         values, d_c lets 96 % to 99 % of samples pass as a power law. Take the exponent, x_min and n_tail of a scan, \
         not its verdict; for a verdict, `top` (the paper's rule) takes no choice from the sample.",
        "data d = mnist\nmodel m = lenet\nrecord g = gradients(of: m, on: d)\ntest t = power_law(g, tail: scan)",
    ),
    code(
        "W0106",
        "weights that were changed on the way",
        "The file of `weights` is no plain state dict of float32. The message says what was done: a prefix of names \
         that a wrapper had put there (`module.` by DataParallel, `_orig_mod.` by torch.compile) was stripped, half or \
         double precision converted, an optimizer's state or other modules left out.",
        "data d = mnist\nmodel m = lenet { weights: \"half.pt\" }\nrecord g = gradients(of: m, on: d)",
    ),
    code(
        "W0107",
        "a file of yours, and how it was read",
        "What the file is could be told from its content: a first row of numbers that are names, a first column that is \
         an index, columns of words. The message says what was decided or left out. The settings `header`, `index`, \
         `separator` and `decimal` say it in the study; what is left out for holding no numbers can be left out of the file.",
        "",
    ),
    code(
        "W0108",
        "a path from the working directory",
        "Paths in a study are relative to the folder of the study (of a file that it uses: to that file's folder), wherever \
         gradstudy is started. This one leads nowhere from there, but somewhere from the working directory, as it did in \
         earlier versions. It is taken; the message says what to write, so that the study runs from anywhere.",
        "",
    ),
];
