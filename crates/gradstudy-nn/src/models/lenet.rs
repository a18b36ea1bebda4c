//! LeNet as the paper and PyTorch's tutorial have it: two 5×5 convolutions without padding, each followed by ReLU
//! and 2×2 max-pooling, then 120–84–logits. 44 426 parameters on MNIST, 62 006 on CIFAR-10. With `padding: 2` the
//! first convolution keeps the image's size, as LeNet-5 did: 61 706 parameters on MNIST.

use crate::layers::{Conv2d, Linear, MaxPool2d, Relu, Shape};
use gradstudy_base::signature::{Args, Default, Param, ParamType, Signature};

use super::{Builder, LOGITS, ModelError, ModelKind, Network, setting};

static SIGNATURE: Signature = Signature {
    name: "lenet",
    summary: "LeNet: conv 6@5×5, pool, conv 16@5×5, pool, 120, 84, logits; ReLU",
    params: &[
        LOGITS,
        Param {
            name: "padding",
            ty: ParamType::Integer { min: 0, max: 4 },
            default: Default::Text("0"),
            doc: "zeros around the image in the first convolution; 2 keeps its size",
        },
    ],
    version: 1,
};

/// See the module's documentation.
pub struct LeNet;

impl ModelKind for LeNet {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn build(&self, args: &Args, input: Shape) -> Result<Network, ModelError> {
        let padding = setting(args, "padding", 0);
        let [_, height, width] = input;
        let least = 16 - 2 * padding;
        if height < least || width < least {
            return Err(ModelError::InputTooSmall {
                model: "lenet",
                input,
                least,
            });
        }
        let mut net = Builder::new(input);
        // Pooling before ReLU: the same function and gradient as ReLU before pooling, for a quarter of the work.
        for (i, (out_channels, padding)) in [(6, padding), (16, 0)].into_iter().enumerate() {
            let conv = Conv2d {
                input: net.shape(),
                out_channels,
                kernel: 5,
                stride: 1,
                padding,
                bias: true,
                ..Conv2d::default()
            };
            net.push(format!("conv{}", i + 1), conv);
            let pool = MaxPool2d {
                input: net.shape(),
                window: 2,
            };
            net.push(format!("pool{}", i + 1), pool);
            net.push(format!("relu{}", i + 1), Relu { shape: net.shape() });
        }
        for (i, outputs) in [120, 84, args.integer("logits") as usize].into_iter().enumerate() {
            if i > 0 {
                net.push(format!("relu{}", i + 2), Relu { shape: net.shape() });
            }
            let input = net.shape();
            net.push(format!("fc{}", i + 1), Linear { input, outputs });
        }
        Ok(net.build("LeNet"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradstudy_base::signature::Value;

    fn lenet(input: Shape) -> Network {
        let args = Args([("logits".to_string(), Value::Integer(10))].into_iter().collect());
        LeNet.build(&args, input).unwrap()
    }

    #[test]
    fn padding_makes_lenet_5() {
        let args = [("logits", Value::Integer(10)), ("padding", Value::Integer(2))];
        let args = Args(args.into_iter().map(|(k, v)| (k.to_string(), v)).collect());
        let network = LeNet.build(&args, [1, 28, 28]).unwrap();
        assert_eq!(network.parameter_count(), 61_706);
    }

    #[test]
    fn has_the_paper_s_parameter_counts() {
        assert_eq!(lenet([1, 28, 28]).parameter_count(), 44_426);
        assert_eq!(lenet([3, 32, 32]).parameter_count(), 62_006);
    }

    #[test]
    fn names_its_parameters_as_pytorch_does() {
        let names: Vec<_> = lenet([1, 28, 28])
            .parameters()
            .into_iter()
            .map(|p| p.name)
            .collect();
        let layers = ["conv1", "conv2", "fc1", "fc2", "fc3"];
        let expected: Vec<_> = layers
            .iter()
            .flat_map(|l| [format!("{l}.weight"), format!("{l}.bias")])
            .collect();
        assert_eq!(names, expected);
    }
}
