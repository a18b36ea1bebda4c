//! The words for training augmentation: what each takes. What each does is the `data` module's concern.

use gradstudy_base::signature::{Default, Param, ParamType, Signature};

/// Every form of augmentation.
pub static AUGMENTATIONS: &[&Signature] = &[&FLIP, &CROP];

/// Mirroring.
pub static FLIP: Signature = Signature {
    name: "flip",
    summary: "each image is mirrored, left for right, with probability 1/2",
    params: &[],
    version: 1,
};

/// Shifting.
pub static CROP: Signature = Signature {
    name: "crop",
    summary: "each image is a part of itself with black around it, of the image's size, all places equally likely",
    params: &[Param {
        name: "padding",
        ty: ParamType::Integer { min: 1, max: 1024 },
        default: Default::Text("4"),
        doc: "black pixels on each side before cropping",
    }],
    version: 1,
};
