//! A type as text, for messages about arguments.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Type;

/// `ty` spaced as rustfmt would, which token streams do not promise.
pub(crate) fn type_text(ty: &Type) -> String {
    let mut text = String::new();
    write(ty.to_token_stream(), &mut text);
    text
}

fn write(tokens: TokenStream, text: &mut String) {
    let mut after_joint = false;
    for token in tokens {
        let joined = after_joint;
        after_joint =
            matches!(&token, TokenTree::Punct(punct) if punct.spacing() == Spacing::Joint);
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                    Delimiter::Parenthesis => ("(", ")"),
                };
                text.push_str(open);
                write(group.stream(), text);
                text.push_str(close);
            }
            TokenTree::Ident(ident) => word(&ident.to_string(), text),
            TokenTree::Literal(literal) => word(&literal.to_string(), text),
            TokenTree::Punct(punct) => match punct.as_char() {
                // A lifetime is an apostrophe joined to an ident.
                '\'' => word("'", text),
                ',' | ';' => text.extend([punct.as_char(), ' ']),
                ':' if !joined && !after_joint => text.push_str(": "),
                '-' if after_joint => text.push_str(" -"),
                '>' if joined && text.ends_with(" -") => text.push_str("> "),
                operator @ ('+' | '=') => text.extend([' ', operator, ' ']),
                other => text.push(other),
            },
        }
    }
    text.truncate(text.trim_end().len());
}

/// Keeps a space between two words, and between a word and the `>` before it.
fn word(word: &str, text: &mut String) {
    if text.ends_with(|last: char| last.is_alphanumeric() || last == '_' || last == '>') {
        text.push(' ');
    }
    text.push_str(word);
}

#[cfg(test)]
mod tests {
    use super::type_text;

    #[track_caller]
    fn check(text: &str) {
        assert_eq!(type_text(&syn::parse_str(text).unwrap()), text);
    }

    #[test]
    fn types_are_spaced_as_they_are_written() {
        check("Message");
        check("Vec<HashMap<String, Option<u8>>>");
        check("std::collections::HashMap<K, V>");
        check("::std::string::String");
        check("(String, u32)");
        check("()");
        check("[u8; 16]");
        check("Box<dyn Fn(u8, i8) -> Vec<u8> + Send + 'static>");
        check("Box<dyn Iterator<Item = u8>>");
        check("<Vec<u8> as IntoIterator>::Item");
        check("ClientStream<i64>");
        check("Cow<'static, str>");
        check("*const u8");
        check("r#type::r#move");
        check("for<'a> fn(&'a str) -> &'a str");
    }
}
