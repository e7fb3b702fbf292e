use std::{
    borrow::Borrow,
    fmt,
    hash::{Hash, Hasher},
    str,
    sync::Arc,
};

/// The longest id that needs no allocation: clients count up in decimal, where 22 digits do not run out.
/// One more byte for the length keeps the whole id at the size of a `String`.
const INLINE: usize = 22;

/// The name of one call or stream on its connection, chosen by the side that starts it.
///
/// Cheap to clone, and independent of the frame it came in: an id often outlives that frame, and must not keep it alive.
#[derive(Clone)]
pub struct InvocationId(Text);

#[derive(Clone)]
enum Text {
    Inline { bytes: [u8; INLINE], len: u8 },
    Shared(Arc<str>),
}

impl InvocationId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Inline { bytes, len } => str::from_utf8(&bytes[..usize::from(*len)])
                .expect("these bytes were copied from a whole str"),
            Text::Shared(text) => text,
        }
    }

    fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Text::Inline { bytes, len } => &bytes[..usize::from(*len)],
            Text::Shared(text) => text.as_bytes(),
        }
    }
}

impl From<&str> for InvocationId {
    fn from(text: &str) -> Self {
        if text.len() > INLINE {
            return Self(Text::Shared(text.into()));
        }
        let mut bytes = [0; INLINE];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Self(Text::Inline { bytes, len: text.len() as u8 })
    }
}

impl AsRef<str> for InvocationId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

/// Lets a map that is keyed by ids be asked with a plain text.
impl Borrow<str> for InvocationId {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for InvocationId {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for InvocationId {}

impl Hash for InvocationId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for InvocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for InvocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::{INLINE, InvocationId};

    #[test]
    fn an_id_is_its_text_whether_short_or_long() {
        for len in [0, 1, INLINE - 1, INLINE, INLINE + 1, 1000] {
            let text = "7".repeat(len);
            let id = InvocationId::from(&*text);
            assert_eq!(id.as_str(), text);
            assert_eq!(id.to_string(), text);
            assert_eq!(id, id.clone());
            assert_ne!(id, InvocationId::from(&*format!("{text}0")));
            assert_eq!(HashMap::from([(id, len)]).get(&*text), Some(&len));
        }
    }

    #[test]
    fn an_id_is_as_small_as_a_string() {
        assert_eq!(size_of::<InvocationId>(), size_of::<String>());
    }
}
