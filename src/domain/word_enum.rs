//! Vocabularies: enums whose variants are strings on the wire, in the store and in logs.

/// A string outside of a vocabulary. Contains no part of the string, which may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a word of the vocabulary {vocabulary}")]
pub struct UnknownWord {
    /// The enum.
    pub vocabulary: &'static str,
}

/// Declares an enum without data together with its strings: `ALL`, `as_str`, `FromStr`, `Display` and serde from one
/// list, so that a variant without a string does not compile.
macro_rules! word_enum {
    (
        $(#[$meta:meta])*
        $visibility:vis enum $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident = $word:literal),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        $visibility enum $name {
            $($(#[$variant_meta])* $variant),+
        }

        #[allow(dead_code, reason = "not every vocabulary is listed or read back")]
        impl $name {
            /// Every variant, in the order of their declaration.
            $visibility const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// The string on the wire, in the store and in logs.
            #[must_use]
            $visibility const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::core::str::FromStr for $name {
            type Err = $crate::domain::word_enum::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::domain::word_enum::UnknownWord { vocabulary: stringify!($name) }),
                }
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <String as ::serde::Deserialize>::deserialize(deserializer)?;
                word.parse().map_err(::serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use word_enum;

#[cfg(test)]
mod tests {
    use super::*;

    word_enum! {
        /// Two of the colours.
        enum Colour {
            Red = "red",
            SeaGreen = "sea_green",
        }
    }

    #[test]
    fn every_word_reads_back_to_its_variant_and_no_other_text_does() {
        for colour in Colour::ALL {
            assert_eq!(colour.as_str().parse(), Ok(colour));
            assert_eq!(colour.to_string(), colour.as_str());
            let json = serde_json::to_string(&colour).unwrap();
            assert_eq!(json, format!("\"{colour}\""));
            assert_eq!(serde_json::from_str::<Colour>(&json).unwrap(), colour);
        }
        for other in ["", "Red", "red ", "sea-green"] {
            assert_eq!(other.parse::<Colour>(), Err(UnknownWord { vocabulary: "Colour" }), "{other:?}");
            assert!(serde_json::from_value::<Colour>(other.into()).is_err(), "{other:?}");
        }
        let error = serde_json::from_str::<Colour>("\"a person's name\"").unwrap_err().to_string();
        assert!(!error.contains("person"), "{error}");
    }
}
