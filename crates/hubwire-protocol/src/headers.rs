use bytestring::ByteString;

/// The headers of a message: named texts, in order, each name once, names compared exactly.
///
/// They travel inside the hub message and have nothing to do with HTTP's.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Headers(Vec<(ByteString, ByteString)>);

impl Headers {
    /// No headers; does not allocate.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The value under `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find_map(|(held, value)| (held == name).then_some(value))
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Adds a header at the end; one with the same name keeps its place and takes the new value.
    pub fn push(&mut self, name: impl Into<ByteString>, value: impl Into<ByteString>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(held, _)| *held == name) {
            Some((_, held)) => *held = value,
            None => self.0.push((name, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Headers;

    #[test]
    fn a_name_stands_once_and_keeps_its_place() {
        let mut headers = Headers::new();
        assert!(headers.is_empty());
        headers.push("a", "1");
        headers.push("b", "2");
        headers.push("a", "3");
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("a", "3"), ("b", "2")]);
        assert_eq!(headers.len(), 2);
        assert_eq!(headers.get("b"), Some("2"));
        assert_eq!(headers.get("A"), None);
    }
}
