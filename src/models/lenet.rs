//! LeNet as the paper and PyTorch's tutorial have it: two 5×5 convolutions without padding, each followed by ReLU
//! and 2×2 max-pooling, then 120–84–logits. 44 426 parameters on MNIST, 62 006 on CIFAR-10.

use crate::layers::{Conv2d, Layer, Linear, MaxPool2d, Relu, Shape};
use crate::signature::{Args, Default, Param, ParamType, Signature};

use super::{ModelError, ModelKind, Network};

static SIGNATURE: Signature = Signature {
    name: "lenet",
    summary: "LeNet: conv 6@5×5, pool, conv 16@5×5, pool, 120, 84, logits; ReLU",
    params: &[Param {
        name: "logits",
        ty: ParamType::Integer { min: 2, max: 100_000 },
        default: Default::Text("10"),
        doc: "outputs of the last layer; at least the number of classes",
    }],
    version: 1,
};

/// See the module's documentation.
pub struct LeNet;

impl ModelKind for LeNet {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn build(&self, args: &Args, input: Shape) -> Result<Network, ModelError> {
        let [_, height, width] = input;
        if height < 16 || width < 16 {
            return Err(ModelError::InputTooSmall {
                model: "lenet",
                input,
                least: 16,
            });
        }
        let conv1 = Conv2d {
            input,
            out_channels: 6,
            kernel: 5,
            padding: 0,
        };
        // Pooling before ReLU: the same function and gradient as ReLU before pooling, for a quarter of the work.
        let pool1 = MaxPool2d {
            input: conv1.output(),
            window: 2,
        };
        let relu1 = Relu {
            shape: pool1.output(),
        };
        let conv2 = Conv2d {
            input: relu1.output(),
            out_channels: 16,
            kernel: 5,
            padding: 0,
        };
        let pool2 = MaxPool2d {
            input: conv2.output(),
            window: 2,
        };
        let relu2 = Relu {
            shape: pool2.output(),
        };
        let fc1 = Linear {
            input: relu2.output(),
            outputs: 120,
        };
        let relu3 = Relu { shape: fc1.output() };
        let fc2 = Linear {
            input: relu3.output(),
            outputs: 84,
        };
        let relu4 = Relu { shape: fc2.output() };
        let fc3 = Linear {
            input: relu4.output(),
            outputs: args.integer("logits") as usize,
        };
        let layers: Vec<(&'static str, Box<dyn Layer>)> = vec![
            ("conv1", Box::new(conv1)),
            ("pool1", Box::new(pool1)),
            ("relu1", Box::new(relu1)),
            ("conv2", Box::new(conv2)),
            ("pool2", Box::new(pool2)),
            ("relu2", Box::new(relu2)),
            ("fc1", Box::new(fc1)),
            ("relu3", Box::new(relu3)),
            ("fc2", Box::new(fc2)),
            ("relu4", Box::new(relu4)),
            ("fc3", Box::new(fc3)),
        ];
        Ok(Network::new("LeNet", input, layers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::Value;

    fn lenet(input: Shape) -> Network {
        let args = Args([("logits".to_string(), Value::Integer(10))].into_iter().collect());
        LeNet.build(&args, input).unwrap()
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
