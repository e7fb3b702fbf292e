//! What each type of value is in each protocol: the shared vectors of values, which docs/data-types.md is about.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    fs,
    path::Path,
};

use base64::prelude::{BASE64_STANDARD, Engine};
use hubwire_protocol::{Binary, HubProtocol, Raw, Timestamp};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A plain enum: the name of its variant.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
enum Color {
    Red,
}

/// An enum that goes as its number.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(into = "u8", try_from = "u8")]
enum Level {
    Low = 1,
    High = 2,
}

impl From<Level> for u8 {
    fn from(level: Level) -> Self {
        level as Self
    }
}

impl TryFrom<u8> for Level {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        match number {
            1 => Ok(Self::Low),
            2 => Ok(Self::High),
            _ => Err(format!("{number} is no level")),
        }
    }
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
enum Shape {
    Circle { radius: f64 },
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Tagged {
    Circle { radius: f64 },
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Declared {
    user_name: String,
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Camel {
    user_name: String,
}

/// Takes what .NET sends in either protocol, and sends what it reads in either.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct DotNet {
    #[serde(alias = "userName")]
    user_name: String,
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Moment(#[serde(with = "time::serde::rfc3339")] time::OffsetDateTime);

/// A value as the server writes it, and as JavaScript does where that is another form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    why: String,
    json: String,
    messagepack: String,
    /// What the official client writes; null where it cannot.
    #[serde(default, rename = "javascript")]
    client: Option<BTreeMap<String, Option<String>>>,
}

impl Vector {
    /// What the server writes in the protocols of this build.
    fn server(&self) -> impl Iterator<Item = (HubProtocol, &str)> {
        [("json", &*self.json), ("messagepack", &*self.messagepack)].into_iter().filter_map(spoken)
    }

    /// What JavaScript writes where that is another form.
    fn client(&self) -> impl Iterator<Item = (HubProtocol, &str)> {
        let forms = self.client.iter().flatten();
        forms.filter_map(|(protocol, form)| spoken((protocol, form.as_deref()?)))
    }
}

/// Without its feature a protocol has no name.
fn spoken<'f>((protocol, form): (&str, &'f str)) -> Option<(HubProtocol, &'f str)> {
    Some((HubProtocol::from_name(protocol)?, form))
}

struct Vectors {
    all: Vec<Vector>,
    checked: BTreeSet<String>,
}

impl Vectors {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/values.json");
        let text = fs::read(path).expect("the vectors lie in the repository");
        let all = serde_json::from_slice(&text).expect("the vectors are well formed");
        Self { all, checked: BTreeSet::new() }
    }

    /// `value` is written as the vector has it, and read from that and from what JavaScript writes.
    #[track_caller]
    fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(
        &mut self,
        name: &str,
        value: &T,
    ) {
        let vector = self.all.iter().find(|vector| vector.name == name).expect(name);
        let about = format!("{name}: {}", vector.why);
        for (protocol, form) in vector.server() {
            let written = Raw::new(protocol, value).expect(&about);
            assert_eq!(written, raw(protocol, form), "{about}");
        }
        for (protocol, form) in vector.server().chain(vector.client()) {
            let read: T = raw(protocol, form).decode().expect(&about);
            assert_eq!(&read, value, "{about}, from {form}");
        }
        self.checked.insert(name.to_owned());
    }
}

/// A value in the notation of the vectors: JSON is text, and the rest is base64.
fn raw(protocol: HubProtocol, form: &str) -> Raw {
    let bytes = match protocol {
        HubProtocol::Json => form.as_bytes().to_vec(),
        _ => BASE64_STANDARD.decode(form).expect("base64 is well formed"),
    };
    // As the item of a stream, which stays undecoded.
    let message = match protocol {
        HubProtocol::Json => {
            [&b"{\"type\":2,\"invocationId\":\"1\",\"item\":"[..], &bytes, b"}"].concat()
        }
        _ => [&b"\x94\x02\x80\xa11"[..], &bytes].concat(),
    };
    match protocol.parse(&message.into()) {
        Ok(hubwire_protocol::HubMessage::StreamItem(item)) => item.item,
        other => panic!("{form} is no value of {protocol}: {other:?}"),
    }
}

#[test]
fn every_value_has_its_form() {
    let mut vectors = Vectors::read();
    plain(&mut vectors);
    named(&mut vectors);
    special(&mut vectors);
    let names: BTreeSet<_> = vectors.all.iter().map(|vector| vector.name.clone()).collect();
    assert_eq!(vectors.checked, names);
}

fn plain(vectors: &mut Vectors) {
    vectors.check("null", &None::<u8>);
    vectors.check("null", &());
    vectors.check("some", &Some(7));
    vectors.check("boolean", &true);
    vectors.check("text", &"Grüße".to_owned());
    vectors.check("letter", &'ß');
    vectors.check("integer", &42_u8);
    vectors.check("integer", &42_i64);
    vectors.check("negative", &-42);
    vectors.check("integer-wide", &9_007_199_254_740_993_i64);
    vectors.check("integer-widest", &u64::MAX);
    vectors.check("double", &1.5);
    vectors.check("double-whole", &2.0);
    vectors.check("list", &vec![1, 2]);
    vectors.check("list", &(1, 2_u64));
    vectors.check("list", &vec![1_u8, 2]);
    vectors.check("map", &BTreeMap::from([("a".to_owned(), 1)]));
    vectors.check("map-integer-keys", &BTreeMap::from([(7, "a".to_owned())]));
}

fn named(vectors: &mut Vectors) {
    let user_name = "Ada".to_owned();
    vectors.check("object-declared", &Declared { user_name: user_name.clone() });
    vectors.check("object-camel", &Camel { user_name: user_name.clone() });
    vectors.check("object-pascal", &DotNet { user_name });
    vectors.check("enum-name", &Color::Red);
    vectors.check("enum-number", &Level::High);
    vectors.check("enum-content", &Shape::Circle { radius: 1.5 });
    vectors.check("enum-tagged", &Tagged::Circle { radius: 1.5 });
}

fn special(vectors: &mut Vectors) {
    vectors.check("bytes", &Binary::from(vec![1, 2, 255]));
    let whole: Timestamp = "2000-01-01T00:00:00Z".parse().expect("it is one");
    let half: Timestamp = "2000-01-01T00:00:00.500Z".parse().expect("it is one");
    vectors.check("timestamp", &whole);
    vectors.check("timestamp-fraction", &half);
    let id: uuid::Uuid = "67e55044-10b1-426f-9247-bb680e5fe0c8".parse().expect("it is one");
    vectors.check("uuid", &id);
    vectors.check("text-timestamp", &chrono::DateTime::UNIX_EPOCH);
    vectors.check("text-timestamp", &Moment(time::OffsetDateTime::UNIX_EPOCH));
}

#[test]
fn what_dotnet_sends_is_read_in_either_protocol() {
    for protocol in HubProtocol::ALL {
        for sent in [("userName", "Ada"), ("UserName", "Ada")] {
            let sent = Raw::new(*protocol, &BTreeMap::from([sent])).expect("it has a form");
            let read: DotNet = sent.decode().expect("it is one of the two");
            assert_eq!(read, DotNet { user_name: "Ada".to_owned() });
        }
    }
}

#[test]
fn crates_for_time_read_what_timestamps_are_written_as() {
    for protocol in HubProtocol::ALL {
        let half: Timestamp = "2000-01-01T00:00:00.500Z".parse().expect("it is one");
        let sent = Raw::new(*protocol, &half).expect("it has a form");
        let read: chrono::DateTime<chrono::Utc> = sent.decode().expect("it is one");
        assert_eq!(read.timestamp_millis(), 946_684_800_500);
        let Moment(read) = sent.decode().expect("it is one");
        assert_eq!(read.unix_timestamp_nanos(), 946_684_800_500_000_000);
    }
}

#[test]
fn raw_values_pass_as_they_came() {
    for vector in Vectors::read().all {
        for (protocol, form) in vector.server() {
            let sent = raw(protocol, form);
            let passed: Raw = sent.decode().expect("anything is a raw value");
            let list = Raw::new(protocol, &[&passed]).expect("it has a form");
            let [received] = list.decode::<[Raw; 1]>().expect("it is a list of one");
            assert_eq!(received, sent);
        }
    }
}
