//! ResNet18 for small images (He et al. 2016, in the form common for CIFAR): a 3×3 stem of stride 1 without
//! max-pooling, four stages of two basic blocks, the mean over all positions, a linear layer. 11 173 962 parameters
//! for 10 classes, 11 220 132 for 100.

use crate::layers::{BatchNorm, Conv2d, GlobalAvgPool, Linear, Relu, Shape};
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};

use super::{Builder, LOGITS, ModelError, ModelKind, Network};

static SIGNATURE: Signature = Signature {
    name: "resnet18",
    summary: "ResNet18 for small images: 3×3 stem, 4 stages of 2 residual blocks, batch normalisation",
    params: &[
        Param {
            name: "width",
            ty: ParamType::Integer { min: 1, max: 1024 },
            default: Default::Text("64"),
            doc: "channels of the first stage; the others have 2, 4 and 8 times as many",
        },
        LOGITS,
    ],
    version: 1,
};

/// See the module's documentation.
pub struct ResNet18;

impl ModelKind for ResNet18 {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn build(&self, args: &Args, input: Shape) -> Result<Network, ModelError> {
        if input[1] < 8 || input[2] < 8 {
            return Err(ModelError::InputTooSmall {
                model: "resnet18",
                input,
                least: 8,
            });
        }
        let width = args.integer("width") as usize;
        let mut net = Builder::new(input);
        conv(&mut net, "conv1", width, 3, 1);
        norm(&mut net, "bn1");
        net.push("relu", Relu { shape: net.shape() });
        for stage in 0..4 {
            for block in 0..2 {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                let name = format!("layer{}.{block}", stage + 1);
                residual(&mut net, &name, width << stage, stride);
            }
        }
        net.push("avgpool", GlobalAvgPool { input: net.shape() });
        let (input, outputs) = (net.shape(), args.integer("logits") as usize);
        net.push("linear", Linear { input, outputs });
        Ok(net.build("ResNet18"))
    }
}

/// A convolution of the last activation, without bias, that keeps the size but for its stride.
fn conv(net: &mut Builder, name: &str, out_channels: usize, kernel: usize, stride: usize) {
    conv_of(net, net.last(), name, out_channels, kernel, stride);
}

fn conv_of(net: &mut Builder, from: usize, name: &str, out_channels: usize, kernel: usize, stride: usize) {
    let layer = Conv2d {
        input: net.shape_of(from),
        out_channels,
        kernel,
        stride,
        padding: kernel / 2,
        bias: false,
        ..Conv2d::default()
    };
    net.push_from(from, name, layer);
}

fn norm(net: &mut Builder, name: &str) {
    net.push(name, BatchNorm { shape: net.shape() });
}

/// relu(bn2(conv2(relu(bn1(conv1 x)))) + shortcut x); the shortcut is x itself or, where the shape changes, a
/// normalised 1×1 convolution of it.
fn residual(net: &mut Builder, name: &str, channels: usize, stride: usize) {
    let x = net.last();
    conv(net, &format!("{name}.conv1"), channels, 3, stride);
    norm(net, &format!("{name}.bn1"));
    net.push(format!("{name}.relu1"), Relu { shape: net.shape() });
    conv(net, &format!("{name}.conv2"), channels, 3, 1);
    if net.shape() == net.shape_of(x) {
        norm(net, &format!("{name}.bn2"));
        net.plus(x);
    } else {
        norm(net, &format!("{name}.bn2"));
        let main = net.last();
        conv_of(net, x, &format!("{name}.shortcut.0"), channels, 1, stride);
        norm(net, &format!("{name}.shortcut.1"));
        net.plus(main);
    }
    net.push(format!("{name}.relu2"), Relu { shape: net.shape() });
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradstudy_base::signature::Value;

    #[test]
    fn has_the_published_parameter_counts() {
        for (logits, count) in [(10, 11_173_962), (100, 11_220_132)] {
            let args = [("width", Value::Integer(64)), ("logits", Value::Integer(logits))];
            let args = Args(args.into_iter().map(|(k, v)| (k.to_string(), v)).collect());
            assert_eq!(
                ResNet18.build(&args, [3, 32, 32]).unwrap().parameter_count(),
                count
            );
        }
    }
}
