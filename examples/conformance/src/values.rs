//! Values whose form depends on the hub protocol, in one place.

/// Bytes: base64 in JSON, `bin` in MessagePack.
pub use hubwire::Binary;
/// Whatever a client sends.
pub use hubwire::Raw as Any;
/// A moment: ISO 8601 in JSON (`2000-01-01T00:00:00Z`), MessagePack's own timestamp there.
pub use hubwire::Timestamp as DateTime;
