//! The names of channels.

use hubwire_hub::Topic;

/// The channels of one hub: `prefix:hub:` and then what the topic is about.
#[derive(Debug)]
pub(crate) struct Channels(String);

impl Channels {
    pub(crate) fn new(prefix: &str, hub: &str) -> Self {
        // What follows the hub's name may hold colons of its own; the name must not, or two hubs could share a channel.
        let hub = hub.replace('%', "%25").replace(':', "%3A");
        Self(format!("{prefix}:{hub}:"))
    }

    /// The channel of a topic.
    pub(crate) fn of(&self, topic: &Topic) -> String {
        let (kind, name) = match topic {
            Topic::All => return format!("{}all", self.0),
            Topic::Servers => return format!("{}servers", self.0),
            Topic::Connection(id) => ("connection", id.as_str()),
            Topic::Group(name) => ("group", name.as_str()),
            Topic::Server(id) => ("server", id.as_str()),
            Topic::User(id) => ("user", id.as_str()),
        };
        format!("{}{kind}:{name}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_of_different_hubs_have_different_channels() {
        let chat = Channels::new("hubwire", "Chat");
        assert_eq!(chat.of(&Topic::All), "hubwire:Chat:all");
        assert_eq!(chat.of(&Topic::Servers), "hubwire:Chat:servers");
        assert_eq!(chat.of(&Topic::Group("a:b".to_owned())), "hubwire:Chat:group:a:b");
        assert_eq!(chat.of(&Topic::User("ada".into())), "hubwire:Chat:user:ada");
        assert_eq!(chat.of(&Topic::Connection("x".into())), "hubwire:Chat:connection:x");
        assert_eq!(chat.of(&Topic::Server("x".into())), "hubwire:Chat:server:x");
        let nested = Channels::new("hubwire", "Chat:group:a");
        assert_eq!(nested.of(&Topic::All), "hubwire:Chat%3Agroup%3Aa:all");
    }
}
