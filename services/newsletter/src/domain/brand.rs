//! How the pages show whose they are, and what stays legible on the colour of a brand.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Whose pages these are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brand {
    /// The name.
    pub name: String,
    /// The colour; a neutral one without.
    pub color: Option<Color>,
}

/// A colour of the screen (sRGB): red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Color([u8; 3]);

/// A text that is no colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be # and six hex digits, for example #1a2b3c")]
pub struct NotAColor;

impl Color {
    /// Black.
    pub const BLACK: Self = Self([0, 0, 0]);
    /// White.
    pub const WHITE: Self = Self([255, 255, 255]);
    /// Of pages without a brand.
    pub const NEUTRAL: Self = Self([0x2f, 0x4b, 0x66]);

    /// Black or white, whichever is read better on this colour: their contrast is never below 4.5, which WCAG 2.2 asks of text.
    pub fn text(self) -> Self {
        if self.contrast(Self::BLACK) >= self.contrast(Self::WHITE) { Self::BLACK } else { Self::WHITE }
    }

    /// The contrast ratio of two colours, from 1 to 21 (WCAG 2.2).
    pub fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// The relative luminance, from 0 to 1 (WCAG 2.2).
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl FromStr for Color {
    type Err = NotAColor;
    fn from_str(text: &str) -> Result<Self, NotAColor> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).ok_or(NotAColor)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl TryFrom<String> for Color {
    type Error = NotAColor;
    fn try_from(text: String) -> Result<Self, NotAColor> {
        text.parse()
    }
}

impl From<Color> for String {
    fn from(color: Color) -> Self {
        color.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn color(text: &str) -> Color {
        text.parse().expect("a colour")
    }

    #[test]
    fn colors_are_told_from_other_texts() {
        assert_eq!(color("#1A2b3C").to_string(), "#1a2b3c");
        for wrong in ["", "#", "1a2b3c", "#1a2b3", "#1a2b3c4", "#1a2b3g", "# a2b3c", "#+a2b3c", "red", "#ääa", "#1a2b3c;}"] {
            assert_eq!(wrong.parse::<Color>(), Err(NotAColor), "{wrong}");
        }
    }

    #[test]
    fn the_contrast_is_that_of_wcag() {
        // Ratios as the tools of others give them, to two digits.
        let table = [
            ("#000000", "#ffffff", 21.0),
            ("#777777", "#ffffff", 4.48),
            ("#767676", "#ffffff", 4.54),
            ("#ff0000", "#ffffff", 4.00),
            ("#ff0000", "#000000", 5.25),
            ("#0000ff", "#ffffff", 8.59),
            ("#00ff00", "#000000", 15.30),
            ("#1a2b3c", "#ffffff", 14.44),
            ("#ffffff", "#ffffff", 1.0),
        ];
        for (one, other, ratio) in table {
            let contrast = color(one).contrast(color(other));
            assert!((contrast - ratio).abs() < 0.01, "{one} on {other}: {contrast}, not {ratio}");
            assert!((contrast - color(other).contrast(color(one))).abs() < 1e-9);
        }
    }

    #[test]
    fn text_is_black_or_white_whichever_is_read_better() {
        let table = [
            ("#ffffff", Color::BLACK),
            ("#000000", Color::WHITE),
            ("#ffdd00", Color::BLACK),
            ("#00ff00", Color::BLACK),
            ("#ff0000", Color::BLACK),
            ("#0000ff", Color::WHITE),
            ("#1a2b3c", Color::WHITE),
            ("#808080", Color::BLACK),
            ("#6d6d6d", Color::WHITE),
            ("#c2185b", Color::WHITE),
            ("#2f4b66", Color::WHITE),
        ];
        for (background, text) in table {
            assert_eq!(color(background).text(), text, "{background}");
        }
    }

    proptest! {
        #[test]
        fn text_is_legible_on_every_color(parts in any::<[u8; 3]>()) {
            let color = Color(parts);
            prop_assert!(color.contrast(color.text()) >= 4.5, "{color}");
            prop_assert_eq!(color.to_string().parse(), Ok(color));
        }
    }
}
