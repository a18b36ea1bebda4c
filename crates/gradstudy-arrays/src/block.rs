//! Samples of a matrix that are in memory together, as their bytes lie in the file.

use std::ops::Range;

use rayon::prelude::*;

use super::matrix::{Along, Matrix, Order};
use super::{ArraysError, Element};

/// Bytes of one read of numbers that lie together.
const READ: usize = 8 << 20;
/// Pieces of a line smaller than this are read with what lies between them.
const PIECE: usize = 512;

/// Some samples of a matrix.
#[derive(Debug)]
pub struct Block {
    bytes: Vec<u8>,
    element: Element,
    big_endian: bool,
    samples: usize,
    /// Numbers of a sample.
    length: usize,
    /// Whether a sample's numbers lie together; else those of one place in all samples do.
    together: bool,
}

impl Block {
    /// How many samples are in it.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Numbers of each sample.
    pub fn length(&self) -> usize {
        self.length
    }

    /// The numbers of the samples `range`, counted from the first of the block, one sample after the other, in place of
    /// what `values` held. Neighbours are found faster together than alone.
    pub fn values(&self, range: Range<usize>, values: &mut Vec<f64>) {
        let size = self.element.size();
        values.clear();
        if self.together {
            let of = &self.bytes[range.start * self.length * size..range.end * self.length * size];
            self.element.read(of, self.big_endian, |x| values.push(x));
            return;
        }
        values.resize(range.len() * self.length, 0.0);
        for place in 0..self.length {
            let start = place * self.samples;
            let of = &self.bytes[(start + range.start) * size..(start + range.end) * size];
            let mut at = place;
            self.element.read(of, self.big_endian, |x| {
                values[at] = x;
                at += self.length;
            });
        }
    }
}

impl Matrix {
    /// Bytes in memory of `samples` samples as a [`Block`].
    pub fn block_bytes(&self, along: Along, samples: usize) -> u64 {
        let (_, length) = self.samples(along);
        (samples as u64).saturating_mul(length as u64 * self.element.size() as u64)
    }

    /// Whether the numbers of a sample lie together, so that a block of few samples is read as fast as one of many.
    pub fn lie_together(&self, along: Along) -> bool {
        match along {
            Along::All => true,
            Along::Rows => self.order == Order::Rows,
            Along::Columns => self.order == Order::Columns,
        }
    }

    /// Reads the samples `range`, on all threads.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn block(&self, along: Along, range: Range<usize>) -> Result<Block, ArraysError> {
        let size = self.element.size();
        let (count, length) = self.samples(along);
        let together = self.lie_together(along);
        let mut bytes = vec![0; range.len() * length * size];
        // The whole matrix lies together in either order.
        if together || range.len() == count {
            let start = if together { range.start * length * size } else { 0 };
            let read = |(i, part): (usize, &mut [u8])| self.bytes.read((start + i * READ) as u64, part);
            bytes.par_chunks_mut(READ).enumerate().try_for_each(read)?;
        } else if !bytes.is_empty() {
            self.pieces(&range, count, &mut bytes)?;
        }
        Ok(Block {
            bytes,
            element: self.element,
            big_endian: self.big_endian,
            samples: range.len(),
            length,
            together,
        })
    }

    /// The numbers `range` of each line of `count` numbers, line by line.
    fn pieces(&self, range: &Range<usize>, count: usize, bytes: &mut [u8]) -> Result<(), ArraysError> {
        let size = self.element.size();
        let (line, piece) = (count * size, range.len() * size);
        // Small pieces by themselves would cost a system call each; most of a line is read as fast as the whole.
        let whole = piece < PIECE && line < 64 * PIECE || piece > line / 2;
        let lines = (READ / line).max(1);
        let read = |(i, part): (usize, &mut [u8])| {
            let start = (i * lines * line + range.start * size) as u64;
            let number = part.len() / piece;
            if !whole {
                let mut pieces = part.chunks_exact_mut(piece).enumerate();
                return pieces.try_for_each(|(j, to)| self.bytes.read(start + (j * line) as u64, to));
            }
            // From the first piece's first number to the last one's last.
            let mut all = vec![0; (number - 1) * line + piece];
            self.bytes.read(start, &mut all)?;
            for (j, to) in part.chunks_exact_mut(piece).enumerate() {
                to.copy_from_slice(&all[j * line..][..piece]);
            }
            Ok(())
        };
        bytes.par_chunks_mut(lines * piece).enumerate().try_for_each(read)
    }

    /// The samples `range`, one after the other, in place of what `values` held.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn read(&self, along: Along, range: Range<usize>, values: &mut Vec<f64>) -> Result<(), ArraysError> {
        let samples = range.len();
        self.block(along, range)?.values(0..samples, values);
        Ok(())
    }
}
