//! Colours that colour-blind readers can tell apart: those of Okabe and Ito, *Color Universal Design* (2008),
//! without their yellow, which white paper swallows, and with a brown.

/// Red, green, blue.
pub type Rgb = (u8, u8, u8);

/// In the order of the conditions.
pub const COLORS: [Rgb; 8] = [
    (0x00, 0x72, 0xB2),
    (0xD5, 0x5E, 0x00),
    (0x00, 0x9E, 0x73),
    (0xCC, 0x79, 0xA7),
    (0xE6, 0x9F, 0x00),
    (0x56, 0xB4, 0xE9),
    (0x00, 0x00, 0x00),
    (0x7A, 0x3B, 0x1E),
];

/// Text and axes.
pub(super) const INK: Rgb = (0x1A, 0x1A, 0x1A);
/// Ticks.
pub(super) const TICK: Rgb = (0x4D, 0x4D, 0x4D);
/// Grid lines at labelled ticks.
pub(super) const GRID: Rgb = (0xDC, 0xDC, 0xDC);
/// Grid lines at minor ticks.
pub(super) const FINE_GRID: Rgb = (0xF1, 0xF1, 0xF1);
pub(super) const PAPER: Rgb = (0xFF, 0xFF, 0xFF);

/// The colour of condition `index`. After the eighth the colours come again, with other markers: there are
/// seven of those, so the first 56 conditions all differ.
pub fn color(index: usize) -> Rgb {
    COLORS[index % COLORS.len()]
}

/// The same colour, darker, for a fitted line over the points that it is fitted to.
pub(super) fn darker((r, g, b): Rgb) -> Rgb {
    let scale = |part: u8| (u16::from(part) * 11 / 20) as u8;
    (scale(r), scale(g), scale(b))
}

/// Such as `0072B2`.
pub(super) fn hex((r, g, b): Rgb) -> String {
    format!("{r:02X}{g:02X}{b:02X}")
}
