//! Training augmentation: a random horizontal flip and a random crop of the zero-padded image, as torchvision's
//! `RandomCrop(size, padding=4)` and `RandomHorizontalFlip()` before normalisation: what comes in from beside the
//! image is what the raw value 0 becomes. Only the training loop may use it: gradients are recorded of the
//! examples as they are.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::Dataset;
use gradstudy_base::seed;
use gradstudy_base::signature::Call;

/// What is done to training images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Augment {
    /// Whether images are mirrored half of the time.
    pub flip: bool,
    /// Pixels added on each side before cropping; 0 for no cropping.
    pub padding: usize,
}

impl Augment {
    /// As a study says it (`study::augment`).
    pub fn from_calls(calls: &[Call]) -> Self {
        let mut augment = Augment::default();
        for call in calls {
            match call.name.as_str() {
                "flip" => augment.flip = true,
                _ => augment.padding = call.args.integer("padding") as usize,
            }
        }
        augment
    }

    /// Whether images stay as they are.
    pub fn is_identity(self) -> bool {
        self == Augment::default()
    }

    /// Draws row, column and flip, each uniformly.
    pub fn draw(self, rng: &mut impl Rng) -> Augmentation {
        let mut below = |bound: u64| ((u128::from(rng.next_u64()) * u128::from(bound)) >> 64) as usize;
        let places = 2 * self.padding as u64 + 1;
        Augmentation {
            padding: self.padding,
            row: below(places),
            column: below(places),
            flip: below(2) == 1 && self.flip,
        }
    }

    /// Fills `to` with augmented copies of the examples `indices` of `data`, drawn for this epoch. The same whatever
    /// the number of threads. `zero` as in [`Augmentation::apply`].
    pub fn fill(
        self,
        data: &Dataset,
        indices: &[u32],
        zero: &[f32],
        seed: u64,
        epoch: usize,
        to: &mut Dataset,
    ) {
        let size = data.example_size();
        to.labels.clear();
        to.labels
            .extend(indices.iter().map(|&index| data.labels[index as usize]));
        to.images.resize(indices.len() * size, 0.0);
        let images = to.images.par_chunks_exact_mut(size).zip(indices);
        images.for_each(|(image, &index)| {
            let drawn = self.draw(&mut rng(seed, epoch, index as usize));
            drawn.apply(data.image(index as usize), data.shape, zero, image);
        });
    }
}

/// One draw of the augmentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Augmentation {
    /// Pixels added on each side.
    pub padding: usize,
    /// Row and column of the padded image at which the crop begins, 0 to 2·`padding`; `padding` is the middle.
    pub row: usize,
    pub column: usize,
    /// Whether the crop is mirrored, left for right.
    pub flip: bool,
}

impl Augmentation {
    /// Writes the augmented copy of `image` (C×H×W, `shape`) to `output`, which is as long. `zero`: the normalised
    /// value of the raw value 0 in each channel
    /// ([`NormalizationNote::zero`](super::NormalizationNote::zero)). Panics if lengths do not fit.
    pub fn apply(self, image: &[f32], shape: [usize; 3], zero: &[f32], output: &mut [f32]) {
        let [channels, height, width] = shape;
        assert_eq!(
            (image.len(), output.len(), zero.len()),
            (channels * height * width, channels * height * width, channels)
        );
        let planes = image.chunks_exact(height * width).zip(zero);
        for (to, (from, zero)) in output.chunks_exact_mut(height * width).zip(planes) {
            for (row, to) in to.chunks_exact_mut(width).enumerate() {
                let source = (row + self.row)
                    .checked_sub(self.padding)
                    .filter(|&row| row < height);
                match source {
                    None => to.fill(*zero),
                    Some(row) => self.apply_row(&from[row * width..(row + 1) * width], *zero, to),
                }
            }
        }
    }

    fn apply_row(self, from: &[f32], zero: f32, to: &mut [f32]) {
        // The part of the crop that lies within the image.
        let start = self.padding.saturating_sub(self.column).min(to.len());
        let first = self.column.saturating_sub(self.padding).min(from.len());
        let count = (to.len() - start).min(from.len() - first);
        to.fill(zero);
        to[start..start + count].copy_from_slice(&from[first..first + count]);
        if self.flip {
            to.reverse();
        }
    }
}

/// The generator for example `example` in epoch `epoch`: the same whatever the minibatch and the thread.
pub fn rng(seed: u64, epoch: usize, example: usize) -> ChaCha8Rng {
    seed::rng(
        seed,
        &format!("augmentation of example {example} in epoch {epoch}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: [usize; 3] = [2, 3, 5];

    const BOTH: Augment = Augment {
        flip: true,
        padding: 4,
    };

    fn image() -> Vec<f32> {
        (0..30).map(|value| value as f32).collect()
    }

    fn augmented(row: usize, column: usize, flip: bool) -> Vec<f32> {
        let mut output = vec![f32::NAN; 30];
        let padding = 4;
        Augmentation {
            padding,
            row,
            column,
            flip,
        }
        .apply(&image(), SHAPE, &[-1.0, -2.0], &mut output);
        output
    }

    #[test]
    fn the_middle_is_the_image_and_its_flip_mirrors_rows() {
        assert_eq!(augmented(4, 4, false), image());
        let mirrored: Vec<f32> = image()
            .chunks(5)
            .flat_map(|row| row.iter().rev().copied().collect::<Vec<_>>())
            .collect();
        assert_eq!(augmented(4, 4, true), mirrored);
    }

    #[test]
    fn one_form_leaves_the_other_out() {
        let flip = Augment {
            flip: true,
            padding: 0,
        };
        let crop = Augment {
            flip: false,
            padding: 2,
        };
        let drawn = |of: Augment| (0..200).map(move |example| of.draw(&mut rng(0, 0, example)));
        assert!(drawn(flip).all(|it| (it.row, it.column) == (0, 0)));
        assert!(drawn(flip).any(|it| it.flip) && drawn(flip).any(|it| !it.flip));
        assert!(drawn(crop).all(|it| !it.flip && it.row <= 4 && it.column <= 4));
        assert!(drawn(crop).any(|it| it.row == 4) && drawn(crop).any(|it| it.row == 0));
    }

    #[test]
    fn every_crop_is_the_padded_image_cut_and_mirrored() {
        let [channels, height, width] = SHAPE;
        let padded = |channel: usize, row: usize, column: usize| {
            let inside = (4..4 + height).contains(&row) && (4..4 + width).contains(&column);
            match inside {
                true => image()[(channel * height + row - 4) * width + column - 4],
                false => [-1.0, -2.0][channel],
            }
        };
        for (row, column, flip) in
            (0..9).flat_map(|r| (0..9).flat_map(move |c| [(r, c, false), (r, c, true)]))
        {
            let found = augmented(row, column, flip);
            for (c, h, w) in
                (0..channels).flat_map(|c| (0..height).flat_map(move |h| (0..width).map(move |w| (c, h, w))))
            {
                let from = if flip { width - 1 - w } else { w };
                assert_eq!(
                    found[(c * height + h) * width + w],
                    padded(c, h + row, from + column),
                    "{row} {column} {flip}"
                );
            }
        }
    }

    #[test]
    fn draws_are_uniform_and_follow_the_seed() {
        let mut counts = [[[0u32; 2]; 9]; 9];
        for example in 0..81_000 {
            let drawn = BOTH.draw(&mut rng(3, 1, example));
            counts[drawn.row][drawn.column][usize::from(drawn.flip)] += 1;
        }
        // 500 of each of 162 are expected, with a standard deviation of 22.3.
        assert!(
            counts
                .iter()
                .flatten()
                .flatten()
                .all(|&count| (388..612).contains(&count)),
            "{counts:?}"
        );
        let draw = |seed, epoch, example| BOTH.draw(&mut rng(seed, epoch, example));
        assert_eq!(draw(0, 0, 0), draw(0, 0, 0));
        let several = |of: &dyn Fn(usize) -> Augmentation| (0..8).map(of).collect::<Vec<_>>();
        assert_ne!(several(&|i| draw(0, 0, i)), several(&|i| draw(0, 1, i)));
        assert_ne!(several(&|i| draw(0, 0, i)), several(&|i| draw(1, 0, i)));
    }
}
