use proptest::prelude::*;
use serde_json::value::RawValue;

use super::read_object;
use crate::{ParseError, limits::MAX_DEPTH};

/// The values of `{"x":…}`, as they are written.
fn read(object: &str) -> Result<Vec<&str>, ParseError> {
    let mut values = Vec::new();
    read_object(object, |_, value| {
        values.push(value.any()?);
        Ok(())
    })?;
    Ok(values)
}

fn nested(levels: usize, inner: &str) -> String {
    format!("{{\"x\":{}{inner}{}}}", "[".repeat(levels), "]".repeat(levels))
}

#[test]
fn the_last_level_passes_and_the_next_does_not() {
    for inner in ["", "\"[[[\"", "[],{},[]", r#""\"[\\""#, "{\"a\":{}}"] {
        let inside = match inner {
            "[],{},[]" => 1,
            "{\"a\":{}}" => 2,
            _ => 0,
        };
        let levels = MAX_DEPTH - 1 - inside;
        assert!(read(&nested(levels, inner)).is_ok(), "{inner}");
        let limit = MAX_DEPTH;
        assert_eq!(read(&nested(levels + 1, inner)), Err(ParseError::TooDeep { limit }), "{inner}");
    }
}

#[test]
fn values_are_slices_without_what_is_around_them() {
    let values = read("\n{ \"a\" : [ 1 , {\"b\": \"\\\"\"} ] ,\"c\":-1.5e+3\t}\r\n");
    assert_eq!(values, Ok(vec!["[ 1 , {\"b\": \"\\\"\"} ]", "-1.5e+3"]));
    assert_eq!(read("{}"), Ok(vec![]));
}

/// Pieces that make JSON often enough, and nearly JSON for the rest.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{", "}", "[", "]", ",", ":", "\"a\":", "\"", "\"b\"", "\\", "\\u00", "\\ud800", "\\n",
        "1", "0", "-", ".5", "e1", "E+", "true", "false", "null", "tru", " ", "\n", "\t", "\u{1}",
        "ä", "\u{7f}",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_is_a_value_is_what_serde_json_takes_for_one(value in pieces()) {
        let object = format!("{{\"x\":{value}}}");
        let expected = serde_json::from_str::<std::collections::BTreeMap<String, &RawValue>>(&object);
        prop_assert_eq!(read(&object).is_ok(), expected.is_ok(), "{}", object);
    }

    #[test]
    fn what_is_a_text_is_what_serde_json_takes_for_one(content in pieces()) {
        let object = format!("{{\"x\":\"{content}\"}}");
        let mut text = None;
        let result = read_object(&object, |_, value| {
            text = Some(value.text("x")?.into_string());
            Ok(())
        });
        let expected: Option<String> = serde_json::from_str(&format!("\"{content}\"")).ok();
        // Content that closes its own quotes may make further properties.
        if expected.is_some() {
            prop_assert_eq!(result, Ok(()));
            prop_assert_eq!(text, expected);
        }
    }
}
