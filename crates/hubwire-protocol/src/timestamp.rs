//! Points in time: text in JSON, MessagePack's own timestamp there, a `Date` in JavaScript that reads the latter.

use std::{
    fmt,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};

use crate::forms::{Forms, serialize};

/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, in seconds since 1970: what .NET and ISO 8601 agree on.
const RANGE: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

const DAY: i64 = 86_400;
const SECOND: u32 = 1_000_000_000;

/// A point in time, to the nanosecond, in the years 1 to 9999.
///
/// In JSON it is text, `"2000-01-01T00:00:00Z"`; in MessagePack it is the timestamp that MessagePack defines, which the
/// official clients give as a `Date` (JavaScript) and a `DateTime` (.NET). Both forms are read in both.
/// Text without an offset is taken for UTC, as .NET's MessagePack does.
///
/// ```
/// use hubwire_protocol::Timestamp;
/// use std::time::SystemTime;
///
/// let moon: Timestamp = "1969-07-20T20:17:40Z".parse()?;
/// assert_eq!(moon.unix_seconds(), -14_182_940);
/// assert_eq!("1969-07-20T15:17:40-05:00".parse(), Ok(moon));
/// let now = Timestamp::try_from(SystemTime::now())?;
/// assert!(now > moon);
/// # Ok::<(), hubwire_protocol::TimestampError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp {
    seconds: i64,
    nanoseconds: u32,
}

impl Timestamp {
    /// The beginning of 1970.
    pub const UNIX_EPOCH: Self = Self { seconds: 0, nanoseconds: 0 };

    /// `seconds` since the beginning of 1970, negative before, and `nanoseconds` after that second.
    ///
    /// # Errors
    ///
    /// Outside of the years 1 to 9999, and from a whole second of nanoseconds on.
    pub fn from_unix(seconds: i64, nanoseconds: u32) -> Result<Self, TimestampError> {
        if RANGE.contains(&seconds) && nanoseconds < SECOND {
            Ok(Self { seconds, nanoseconds })
        } else {
            Err(TimestampError::OutOfRange)
        }
    }

    /// Whole seconds since the beginning of 1970, rounded down.
    pub fn unix_seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds after [`unix_seconds`](Self::unix_seconds), below a thousand million.
    pub fn subsec_nanoseconds(self) -> u32 {
        self.nanoseconds
    }
}

#[cfg(feature = "messagepack")]
impl Timestamp {
    /// The content of MessagePack's timestamp in any of its three forms.
    pub(crate) fn from_messagepack(bytes: &[u8]) -> Option<Self> {
        let (seconds, nanoseconds) = if let Ok(seconds) = bytes.try_into() {
            (u32::from_be_bytes(seconds).into(), 0)
        } else if let Ok(both) = bytes.try_into() {
            let both = u64::from_be_bytes(both);
            ((both & 0x3_ffff_ffff) as i64, (both >> 34) as u32)
        } else {
            let (nanoseconds, seconds) = bytes.split_first_chunk()?;
            (i64::from_be_bytes(seconds.try_into().ok()?), u32::from_be_bytes(*nanoseconds))
        };
        Self::from_unix(seconds, nanoseconds).ok()
    }

    /// The shortest of the three forms, with its head.
    fn to_messagepack(self) -> Vec<u8> {
        let tag = crate::messagepack::TIMESTAMP as u8;
        let Self { seconds, nanoseconds } = self;
        match (u32::try_from(seconds), nanoseconds) {
            (Ok(seconds), 0) => [&[0xd6, tag][..], &seconds.to_be_bytes()].concat(),
            _ if (0..1 << 34).contains(&seconds) => {
                let both = u64::from(nanoseconds) << 34 | seconds as u64;
                [&[0xd7, tag][..], &both.to_be_bytes()].concat()
            }
            _ => {
                [&[0xc7, 12, tag][..], &nanoseconds.to_be_bytes(), &seconds.to_be_bytes()].concat()
            }
        }
    }
}

impl fmt::Display for Timestamp {
    /// ISO 8601 in UTC, with no more digits of a fraction than there are, in groups of three.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.seconds.div_euclid(DAY));
        let second = self.seconds.rem_euclid(DAY);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match self.nanoseconds {
            0 => {}
            n if n % 1_000_000 == 0 => write!(f, ".{:03}", n / 1_000_000)?,
            n if n % 1_000 == 0 => write!(f, ".{:06}", n / 1_000)?,
            n => write!(f, ".{n:09}")?,
        }
        f.write_str("Z")
    }
}

/// Reads what [`Display`](fmt::Display) writes, any number of digits of a fraction (those beyond nine are cut off), and
/// offsets like `+02:00`.
impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let mut rest = Text(text.as_bytes());
        let (seconds, nanoseconds) = rest.date_time().ok_or(TimestampError::Syntax)?;
        Self::from_unix(seconds, nanoseconds)
    }
}

impl TryFrom<SystemTime> for Timestamp {
    type Error = TimestampError;

    fn try_from(time: SystemTime) -> Result<Self, TimestampError> {
        let (seconds, nanoseconds) = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => (i64::try_from(after.as_secs()), after.subsec_nanos()),
            Err(before) => {
                let before = before.duration();
                let seconds = i64::try_from(before.as_secs()).map(|seconds| -seconds);
                match before.subsec_nanos() {
                    0 => (seconds, 0),
                    nanoseconds => (seconds.map(|seconds| seconds - 1), SECOND - nanoseconds),
                }
            }
        };
        Self::from_unix(seconds.map_err(|_| TimestampError::OutOfRange)?, nanoseconds)
    }
}

impl TryFrom<Timestamp> for SystemTime {
    type Error = TimestampError;

    /// # Errors
    ///
    /// When the system's own clock does not reach that far: on Windows it begins in 1601.
    fn try_from(timestamp: Timestamp) -> Result<Self, TimestampError> {
        let whole = Duration::from_secs(timestamp.seconds.unsigned_abs());
        let second = if timestamp.seconds < 0 {
            UNIX_EPOCH.checked_sub(whole)
        } else {
            UNIX_EPOCH.checked_add(whole)
        };
        second
            .and_then(|second| {
                second.checked_add(Duration::from_nanos(timestamp.nanoseconds.into()))
            })
            .ok_or(TimestampError::OutOfRange)
    }
}

impl Forms for Timestamp {
    fn text<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }

    #[cfg(feature = "messagepack")]
    fn messagepack(&self) -> Result<std::borrow::Cow<'_, [u8]>, crate::MessagePackError> {
        Ok(self.to_messagepack().into())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parsed;

        impl Visitor<'_> for Parsed {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a point in time as ISO 8601 has it")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Parsed)
    }
}

/// Why something is no [`Timestamp`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TimestampError {
    /// It lies outside of the years 1 to 9999, or of what the system's clock can tell.
    #[error("the point in time is out of range")]
    OutOfRange,
    /// The text is no point in time.
    #[error("the text is no point in time like 2000-01-01T00:00:00Z")]
    Syntax,
}

/// What is left of a text.
struct Text<'t>(&'t [u8]);

impl Text<'_> {
    /// Seconds since 1970 and nanoseconds.
    fn date_time(&mut self) -> Option<(i64, u32)> {
        let year = self.digits(4)?;
        let month = self.after(b"-")?.digits(2).filter(|month| (1..=12).contains(month))?;
        let day = self.after(b"-")?.digits(2)?;
        let days = days_from_civil(year, month, day);
        // The 31st of a month that has 30 comes back as the first of the next.
        if civil_from_days(days) != (year, month, day) {
            return None;
        }
        let hour = self.after(b"Tt ")?.digits(2).filter(|hour| *hour < 24)?;
        let minute = self.after(b":")?.digits(2).filter(|minute| *minute < 60)?;
        let second = self.after(b":")?.digits(2).filter(|second| *second < 60)?;
        let nanoseconds = if self.after(b".").is_some() { self.fraction()? } else { 0 };
        let offset = self.offset()?;
        let seconds = days * DAY + hour * 3600 + minute * 60 + second - offset;
        self.0.is_empty().then_some((seconds, nanoseconds))
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits.iter().try_fold(0, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0'))
        })
    }

    /// Takes one of these bytes.
    fn after(&mut self, one_of: &[u8]) -> Option<&mut Self> {
        let (first, rest) = self.0.split_first()?;
        one_of.contains(first).then(|| {
            self.0 = rest;
            self
        })
    }

    fn fraction(&mut self) -> Option<u32> {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        let nine = digits.iter().copied().chain(std::iter::repeat(b'0')).take(9);
        let nanoseconds = nine.fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
        (count > 0).then_some(nanoseconds)
    }

    /// Seconds east of Greenwich.
    fn offset(&mut self) -> Option<i64> {
        if self.0.is_empty() || self.after(b"Zz").is_some() {
            return Some(0);
        }
        let sign = if self.after(b"-").is_some() { -1 } else { 1 };
        if sign > 0 {
            self.after(b"+")?;
        }
        let hours = self.digits(2).filter(|hours| *hours < 24)?;
        let minutes = self.after(b":")?.digits(2).filter(|minutes| *minutes < 60)?;
        Some(sign * (hours * 3600 + minutes * 60))
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, in which years begin with March, so that the leap day is the
/// last of its year (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The way back: year, month and day.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use super::{RANGE, Timestamp, TimestampError};

    fn at(seconds: i64, nanoseconds: u32) -> Timestamp {
        Timestamp::from_unix(seconds, nanoseconds).unwrap()
    }

    #[test]
    fn texts_and_times_are_each_other() {
        for (text, timestamp) in [
            ("0001-01-01T00:00:00Z", at(*RANGE.start(), 0)),
            ("1600-02-29T12:00:00Z", at(-11_670_955_200, 0)),
            ("1900-03-01T00:00:00Z", at(-2_203_891_200, 0)),
            ("1969-12-31T23:59:59.999999999Z", at(-1, 999_999_999)),
            ("1970-01-01T00:00:00Z", Timestamp::UNIX_EPOCH),
            ("2000-02-29T23:59:59.500Z", at(951_868_799, 500_000_000)),
            ("2000-03-01T00:00:00.000001Z", at(951_868_800, 1_000)),
            ("2106-02-07T06:28:16Z", at(1 << 32, 0)),
            ("9999-12-31T23:59:59.999999999Z", at(*RANGE.end(), 999_999_999)),
        ] {
            assert_eq!(timestamp.to_string(), text);
            assert_eq!(text.parse(), Ok(timestamp));
        }
    }

    #[test]
    fn every_day_of_five_centuries_has_a_date() {
        let mut before = String::new();
        // The calendar repeats itself every 400 years, and the ends of the range are tested above.
        for day in -100_000..=100_000 {
            let timestamp = at(day * 86_400, 0);
            let text = timestamp.to_string();
            assert!(text > before, "{before} then {text}");
            assert_eq!(text.parse(), Ok(timestamp));
            before = text;
        }
    }

    #[test]
    fn other_spellings_are_read_too() {
        let noon = at(946_728_000, 0);
        for text in [
            "2000-01-01T12:00:00",
            "2000-01-01t12:00:00z",
            "2000-01-01 12:00:00.0000000Z",
            "2000-01-01T14:30:00+02:30",
            "2000-01-01T00:00:00-12:00",
        ] {
            assert_eq!(text.parse(), Ok(noon), "{text}");
        }
        assert_eq!("2000-01-01T12:00:00.12345678999Z".parse(), Ok(at(946_728_000, 123_456_789)));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2000-01-01",
            "2000-01-01T12:00",
            "2000-01-01T24:00:00Z",
            "2000-01-01T12:60:00Z",
            "2000-01-01T12:00:60Z",
            "2000-13-01T12:00:00Z",
            "2000-00-01T12:00:00Z",
            "2000-01-00T12:00:00Z",
            "2001-02-29T12:00:00Z",
            "1900-02-29T12:00:00Z",
            "2000-04-31T12:00:00Z",
            "2000-01-01T12:00:00.Z",
            "2000-01-01T12:00:00Z ",
            "2000-01-01T12:00:00+2:00",
            "2000-01-01T12:00:00+",
            "+2000-01-01T12:00:00Z",
            "20000-01-01T12:00:00Z",
            "-200-01-01T12:00:00Z",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(TimestampError::Syntax), "{text}");
        }
        for text in
            ["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00Z"]
        {
            assert_eq!(text.parse::<Timestamp>(), Err(TimestampError::OutOfRange), "{text}");
        }
        assert_eq!(Timestamp::from_unix(0, 1_000_000_000), Err(TimestampError::OutOfRange));
    }

    #[test]
    fn the_systems_time_is_the_same() {
        for (time, timestamp) in [
            (UNIX_EPOCH, Timestamp::UNIX_EPOCH),
            (UNIX_EPOCH + Duration::new(5, 6), at(5, 6)),
            (UNIX_EPOCH - Duration::new(5, 0), at(-5, 0)),
            (UNIX_EPOCH - Duration::new(5, 1), at(-6, 999_999_999)),
        ] {
            assert_eq!(Timestamp::try_from(time), Ok(timestamp));
            assert_eq!(SystemTime::try_from(timestamp), Ok(time));
        }
        let far = UNIX_EPOCH + Duration::from_secs(300_000_000_000);
        assert_eq!(Timestamp::try_from(far), Err(TimestampError::OutOfRange));
    }
}
