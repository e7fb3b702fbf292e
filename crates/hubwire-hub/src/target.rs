//! What is called on clients, and how it may go out.

use hubwire_transport::Message;

/// The name of a client's method, and whether a call of it may be compressed.
///
/// ```
/// # use hubwire_hub::{ClientProxy, Many, Target};
/// # fn example(user: ClientProxy<Many>) {
/// user.send("Greet", &("ada",));
/// user.send(Target::uncompressed("ResetCode"), &("ada", 281_455)); // a secret beside what others chose
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    pub(crate) name: &'a str,
    pub(crate) compression: Compressed,
}

/// Whether messages may be compressed where a socket agreed on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compressed {
    /// They may.
    Allowed,
    /// They must not: their compressed length would tell of a secret that they hold (CRIME, BREACH).
    Never,
}

impl<'a> Target<'a> {
    /// A method whose calls are never compressed: [`Message::uncompressed`].
    pub const fn uncompressed(name: &'a str) -> Self {
        Self { name, compression: Compressed::Never }
    }
}

impl<'a> From<&'a str> for Target<'a> {
    fn from(name: &'a str) -> Self {
        Self { name, compression: Compressed::Allowed }
    }
}

impl<'a> From<&'a String> for Target<'a> {
    fn from(name: &'a String) -> Self {
        name.as_str().into()
    }
}

impl Compressed {
    pub(crate) fn apply(self, message: Message) -> Message {
        match self {
            Self::Allowed => message,
            Self::Never => message.uncompressed(),
        }
    }
}
