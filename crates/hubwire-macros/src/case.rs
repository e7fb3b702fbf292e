//! How Rust names become names on the wire.

/// The value of `rename_all`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum RenameAll {
    /// `sendMessage`.
    CamelCase,
    /// As written.
    None,
    /// `SendMessage`: what .NET hubs use, and with them nearly every client in existence.
    #[default]
    PascalCase,
    /// `send_message`.
    SnakeCase,
}

impl RenameAll {
    /// What may be written, in the order in which messages list it: the default first.
    pub(crate) const VALUES: [(&str, Self); 4] = [
        ("PascalCase", Self::PascalCase),
        ("camelCase", Self::CamelCase),
        ("snake_case", Self::SnakeCase),
        ("none", Self::None),
    ];

    /// The name on the wire of `rust_name`, which comes without `r#`.
    ///
    /// A name without a letter or digit (`__`) stays as it is: there is nothing to rename.
    pub(crate) fn apply(self, rust_name: &str) -> String {
        let words = words(rust_name);
        if words.is_empty() {
            return rust_name.to_owned();
        }
        match self {
            Self::CamelCase => {
                let rest: String = words[1..].iter().map(|word| capitalized(word)).collect();
                words[0].to_lowercase() + &rest
            }
            Self::None => rust_name.to_owned(),
            Self::PascalCase => words.iter().map(|word| capitalized(word)).collect(),
            Self::SnakeCase => words.join("_").to_lowercase(),
        }
    }
}

/// Splits at underscores, and where a capital follows what is none, so that a name that is
/// already in another case comes out right.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for letter in name.chars() {
        let starts_word =
            letter.is_uppercase() && word.ends_with(|last: char| !last.is_uppercase());
        if (letter == '_' || starts_word) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter != '_' {
            word.push(letter);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The first letter in upper case, the others as they are: an abbreviation stays one.
fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::RenameAll;

    #[track_caller]
    fn check(rust_name: &str, pascal: &str, camel: &str, snake: &str) {
        assert_eq!(RenameAll::PascalCase.apply(rust_name), pascal);
        assert_eq!(RenameAll::CamelCase.apply(rust_name), camel);
        assert_eq!(RenameAll::SnakeCase.apply(rust_name), snake);
        assert_eq!(RenameAll::None.apply(rust_name), rust_name);
    }

    #[test]
    fn words_are_joined() {
        check("send_message", "SendMessage", "sendMessage", "send_message");
        check("add", "Add", "add", "add");
        check("a_b_c", "ABC", "aBC", "a_b_c");
    }

    #[test]
    fn underscores_around_and_doubled_ones_vanish() {
        check("_private", "Private", "private", "private");
        check("type_", "Type", "type", "type");
        check("__send__message__", "SendMessage", "sendMessage", "send_message");
    }

    #[test]
    fn digits_stay_in_their_word() {
        check("get_2fa", "Get2fa", "get2fa", "get_2fa");
        check("sha256_sum", "Sha256Sum", "sha256Sum", "sha256_sum");
        check("item_2", "Item2", "item2", "item_2");
        check("_2", "2", "2", "2");
    }

    #[test]
    fn other_cases_are_understood() {
        check("sendMessage", "SendMessage", "sendMessage", "send_message");
        check("SendMessage", "SendMessage", "sendMessage", "send_message");
        check("getHTTP", "GetHTTP", "getHTTP", "get_http");
    }

    #[test]
    fn other_alphabets_have_cases_too() {
        check("grüße_älteste", "GrüßeÄlteste", "grüßeÄlteste", "grüße_älteste");
        check("送信", "送信", "送信", "送信");
    }

    #[test]
    fn a_name_of_underscores_stays() {
        check("__", "__", "__", "__");
    }
}
