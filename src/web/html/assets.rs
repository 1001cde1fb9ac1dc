//! Stylesheets: one for all cities, and a small one with the city's own colour.

/// The media type of the stylesheets.
pub(crate) const CSS: &str = "text/css; charset=utf-8";

/// The stylesheet, served at `/assets/omadata.css` as `text/css; charset=utf-8`.
pub(crate) const STYLESHEET: &str = include_str!("assets/omadata.css");

/// The pages' icon, served at `/assets/icon.svg` as `image/svg+xml`: two linked rings, no city's mark.
pub(crate) const ICON: &str = include_str!("assets/icon.svg");

/// The script that asks the browser for a passkey, served at `/assets/passkey.js` as `text/javascript`.
pub(crate) const PASSKEY_SCRIPT: &str = include_str!("assets/passkey.js");

/// Why a city's colour is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a colour is written as # and six hexadecimal digits, for example #0b4f8a")]
pub struct ColourError;

/// Minimum contrast of text (WCAG 2.2, success criterion 1.4.3).
const TEXT_CONTRAST: f64 = 4.5;

/// The backgrounds of text in the city's colour.
const LIGHT: Colour = Colour { red: 0xff, green: 0xff, blue: 0xff };
const LIGHT_SOFT: Colour = Colour { red: 0xf4, green: 0xf5, blue: 0xf3 };
const DARK: Colour = Colour { red: 0x1c, green: 0x22, blue: 0x2a };
const BLACK: Colour = Colour { red: 0, green: 0, blue: 0 };

/// The city's stylesheet, served at `/assets/city.css`: custom properties computed from its primary colour (`#0b4f8a`).
///
/// The colour itself is used in the header. For text it is darkened (or lightened on dark pages) as far as the contrast
/// requires, so that no colour makes a page unreadable.
///
/// # Errors
/// [`ColourError`] when the colour is not `#rrggbb`.
pub(crate) fn city_css(primary: &str) -> Result<String, ColourError> {
    let brand = Colour::parse(primary)?;
    let on_light = brand.moved_until(BLACK, |colour| {
        colour.contrast(LIGHT) >= TEXT_CONTRAST && colour.contrast(LIGHT_SOFT) >= TEXT_CONTRAST
    });
    let on_dark = brand.moved_until(LIGHT, |colour| colour.contrast(DARK) >= TEXT_CONTRAST);
    let (on_light, on_dark) = (on_light.css(), on_dark.css());
    Ok(format!(
        ":root{{--brand:{};--accent:{on_light};--on-accent:#ffffff}}\n\
         @media (prefers-color-scheme:dark){{:root{{--accent:{on_dark};--on-accent:#10151b}}}}\n\
         @media print{{:root{{--accent:#000000;--on-accent:#ffffff}}}}\n",
        brand.css()
    ))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Colour {
    red: u8,
    green: u8,
    blue: u8,
}

impl Colour {
    fn parse(text: &str) -> Result<Self, ColourError> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or(ColourError)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(ColourError);
        }
        let part =
            |range| digits.get(range).and_then(|pair| u8::from_str_radix(pair, 16).ok()).ok_or(ColourError);
        Ok(Self { red: part(0..2)?, green: part(2..4)?, blue: part(4..6)? })
    }

    fn css(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }

    /// Relative luminance (WCAG 2.2).
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }

    /// Contrast ratio (WCAG 2.2), 1 to 21.
    fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// A mixture: `steps` of 20 parts of the other colour.
    fn mixed(self, other: Self, steps: u16) -> Self {
        let part = |own: u8, other: u8| {
            let sum = u16::from(own) * (20_u16.saturating_sub(steps)) + u16::from(other) * steps;
            u8::try_from(sum / 20).unwrap_or(u8::MAX)
        };
        Self {
            red: part(self.red, other.red),
            green: part(self.green, other.green),
            blue: part(self.blue, other.blue),
        }
    }

    /// The colour nearest to this one, in the direction of `end`, with enough contrast; `end` itself at the last.
    fn moved_until(self, end: Self, good: impl Fn(Self) -> bool) -> Self {
        (0..=20).map(|steps| self.mixed(end, steps)).find(|colour| good(*colour)).unwrap_or(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_of_a_coarse_grid_stays_readable() {
        for red in (0..=255).step_by(51) {
            for green in (0..=255).step_by(51) {
                for blue in (0..=255).step_by(51) {
                    let css = city_css(&format!("#{red:02x}{green:02x}{blue:02x}")).unwrap();
                    let accents: Vec<Colour> = css
                        .match_indices("--accent:")
                        .map(|(at, name)| Colour::parse(&css[at + name.len()..at + name.len() + 7]).unwrap())
                        .collect();
                    assert!(accents[0].contrast(LIGHT_SOFT) >= TEXT_CONTRAST);
                    assert!(accents[1].contrast(DARK) >= TEXT_CONTRAST);
                    let on_accent = Colour { red: 0x10, green: 0x15, blue: 0x1b };
                    assert!(accents[1].contrast(on_accent) >= TEXT_CONTRAST);
                }
            }
        }
    }

    #[test]
    fn a_dark_brand_colour_is_used_as_it_is() {
        assert!(city_css("#0b4f8a").unwrap().contains("--accent:#0b4f8a"));
    }

    #[test]
    fn only_plain_colours_pass() {
        for bad in ["", "blue", "#fff", "#0b4f8a;", "#0b4f8g", "0b4f8a0", "#+b4f8a", "#ää4f8"] {
            assert_eq!(city_css(bad), Err(ColourError), "{bad}");
        }
    }

    #[test]
    fn the_stylesheet_loads_nothing_from_elsewhere() {
        for word in ["http:", "https:", "//", "@import", "@font-face"] {
            assert!(!STYLESHEET.contains(word), "{word}");
        }
    }
}
