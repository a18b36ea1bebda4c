//! All the text that one study is made of: the file itself, files that it uses, values from the command line.
//!
//! Spans of a study count bytes through all of them, one after the other; [`Sources::locate`] takes a span back
//! to its file.

use super::{Source, Span};

/// Files in the order in which they were added, each at its place in one row of bytes.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<(usize, Source)>,
}

impl Sources {
    /// A study of this one file.
    pub fn of(source: &Source) -> Sources {
        let mut sources = Sources::default();
        sources.add(source.clone());
        sources
    }

    /// Adds a file; returns where its first byte lies. Spans of its text are moved there by [`super::shift`].
    pub fn add(&mut self, source: Source) -> usize {
        // One byte between files keeps the end of one from being the start of the next.
        let base = self
            .files
            .last()
            .map_or(0, |(base, last)| base + last.text.len() + 1);
        self.files.push((base, source));
        base
    }

    /// The file that `span` lies in, and the span within it. Panics if there is no file: a study has one.
    pub fn locate(&self, span: Span) -> (&Source, Span) {
        let after = self.files.partition_point(|(base, _)| *base <= span.start);
        let (base, source) = &self.files[after.saturating_sub(1)];
        let end = source.text.len();
        let local = |at: usize| at.saturating_sub(*base).min(end);
        (
            source,
            Span {
                start: local(span.start),
                end: local(span.end),
            },
        )
    }

    /// The text at `span`.
    pub fn text(&self, span: Span) -> &str {
        let (source, local) = self.locate(span);
        &source.text[local.start..local.end]
    }

    /// The study's own file. Panics like [`Sources::locate`].
    pub fn root(&self) -> &Source {
        &self.files[0].1
    }

    /// Every file with the place of its first byte, the study's own first.
    pub fn placed(&self) -> impl Iterator<Item = (usize, &Source)> {
        self.files.iter().map(|(base, source)| (*base, source))
    }

    /// Every file, the study's own first.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.files.iter().map(|(_, source)| source)
    }
}
