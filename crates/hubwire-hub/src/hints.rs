//! What a warning can add that the programmer would otherwise search for.

use hubwire_protocol::Raw;
use serde_json::Value;

/// A hint when serde misses a field that is there under a name of other case or underscores.
pub(crate) fn renamed_field(error: &str, argument: &Raw) -> Option<String> {
    let wanted = between(error, "missing field `", '`')?;
    let value: Value = argument.decode().ok()?;
    let sent = find_field(&value, wanted)?;
    let style = if sent.contains('_') {
        "snake_case"
    } else if sent.starts_with(char::is_uppercase) {
        "PascalCase"
    } else {
        "camelCase"
    };
    Some(format!(
        "the client sent `{sent}`, the type wants `{wanted}`: put #[serde(rename_all = \"{style}\")] on it"
    ))
}

fn between<'a>(text: &'a str, before: &str, after: char) -> Option<&'a str> {
    let rest = &text[text.find(before)? + before.len()..];
    rest.split(after).next()
}

/// The name of a field that is `wanted` but for case and underscores, at any depth that serde_json parses.
fn find_field<'a>(value: &'a Value, wanted: &str) -> Option<&'a str> {
    match value {
        Value::Object(fields) => fields
            .keys()
            .find(|name| name.as_str() != wanted && is_alike(name, wanted))
            .map(String::as_str)
            .or_else(|| fields.values().find_map(|value| find_field(value, wanted))),
        Value::Array(items) => items.iter().find_map(|item| find_field(item, wanted)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn is_alike(a: &str, b: &str) -> bool {
    let plain = |name: &str| name.replace(['_', '-'], "").to_lowercase();
    plain(a) == plain(b)
}

#[cfg(test)]
mod tests {
    use hubwire_protocol::HubProtocol;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(error: &str, sent: &Value, hint: Option<&str>) {
        let argument = Raw::new(HubProtocol::Json, sent).unwrap();
        let found = renamed_field(error, &argument);
        assert_eq!(
            found.as_deref().map(|found| found.contains(hint.unwrap_or("?"))),
            hint.map(|_| true),
            "{found:?}"
        );
    }

    #[test]
    fn a_field_of_another_case_is_found() {
        let missing = "missing field `user_name` at line 1 column 2";
        check(missing, &json!({"userName": 1}), Some("rename_all = \"camelCase\""));
        check(missing, &json!([{"a": {"UserName": 1}}]), Some("rename_all = \"PascalCase\""));
        check("missing field `userName`", &json!({"user_name": 1}), Some("snake_case"));
    }

    #[test]
    fn a_field_that_is_not_there_has_no_hint() {
        check("missing field `user_name`", &json!({"name": 1}), None);
        check("missing field `user_name`", &json!(1), None);
        check("invalid type: null", &json!({"userName": 1}), None);
    }
}
