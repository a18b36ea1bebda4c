//! How a power-law test was made, as a sentence for the note under a table.

use gradstudy_base::signature::Args;

/// The sentence for checked arguments.
pub(super) fn of(args: &Args) -> String {
    let alpha = args.number("alpha");
    let tail = args.call("tail");
    let rule = tail_rule(args);
    let ecdf = match args.text("ecdf") {
        "two_sided" => "both sides of each step of the empirical distribution",
        _ => "the left empirical distribution i/K, i = 0…K−1",
    };
    let fitted = args.text("critical") == "fitted";
    let critical = match (fitted, alpha == 0.05) {
        (true, _) => "the simulated critical distance of a power law whose exponent is fitted".to_string(),
        (false, true) => "d_c = 1.36/√K".to_string(),
        (false, false) => "d_c = √(−ln(α/2)/2)/√K".to_string(),
    };
    let caution = match (fitted, tail.name.as_str()) {
        (false, "scan") => {
            ", which takes no account of the fitted exponent and the chosen x_min: at 5 % d_ks itself would have to \
             stay below about 0.78/√K"
        }
        (true, "scan") => {
            ", which takes no account of the chosen x_min: at 5 % d_ks itself would have to stay below about 0.78/√K"
        }
        (false, _) => ", which takes no account of the fitted exponent",
        (true, _) => "",
    };
    let bootstrap = match (args.integer("bootstrap"), tail.name.as_str()) {
        (0, _) => String::new(),
        (replicates, "top" | "minimum") => format!(
            " Bootstrap p-values (small speaks against the power law): {replicates} replicates of each tail size, \
             shared by all samples."
        ),
        (replicates, _) => format!(
            " Bootstrap p-values (small speaks against the power law): at most {replicates} semi-parametric replicates \
             of each sample, ended at 50 exceedances."
        ),
    };
    let less = if fitted {
        format!("d_ks is below {critical}")
    } else {
        format!("d_ks < {critical}")
    };
    format!(
        "Power law: maximum-likelihood fit to {rule}; KS distance against {ecdf}; not rejected when {less} (α = \
         {alpha}){caution}.{bootstrap}"
    )
}

/// The values of the tail, in words.
pub(crate) fn tail_rule(args: &Args) -> String {
    let tail = args.call("tail");
    match tail.name.as_str() {
        "top" => format!("the {} largest absolute values", tail.args.integer("k")),
        "at" => format!("the absolute values from {} on", tail.args.number("value")),
        "quantile" => format!(
            "the absolute values above their {} quantile",
            tail.args.number("q")
        ),
        "scan" => format!(
            "the absolute values from the x_min of least KS distance on (every distinct value tried, at least {} \
             points kept)",
            tail.args.integer("at_least")
        ),
        _ => "all non-zero absolute values".to_string(),
    }
}
