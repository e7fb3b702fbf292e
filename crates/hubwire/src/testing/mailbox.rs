//! What a client has received, and what its test has not looked at yet.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt::Write;

use hubwire_protocol::{
    Arguments, Close, HubProtocol, Invocation, InvocationId, Outcome, Raw, StreamItem,
};

/// Calls that are kept for failures to show, beside those that nobody has taken.
const KEPT: usize = 100;
/// Characters of a call that a failure shows.
const SHOWN: usize = 200;

/// What a client has received.
#[derive(Default)]
pub(super) struct Mailbox {
    /// In the order in which they came.
    arrivals: VecDeque<Arrival>,
    responders: HashMap<String, Respond>,
    /// Calls that the test lets run beside what follows.
    started: HashSet<String>,
    outcomes: HashMap<String, Outcome>,
    items: HashMap<String, VecDeque<Raw>>,
    close: Option<Close>,
}

/// Answers a question with a message, or says why the test cannot.
pub(super) type Respond = Box<dyn FnMut(HubProtocol, &str, &Arguments) -> Result<Vec<u8>, String>>;

/// A call from the hub.
struct Arrival {
    target: String,
    arguments: Arguments,
    /// Where an answer is wanted.
    question: Option<InvocationId>,
    fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Answered,
    Taken,
    Waiting,
}

/// A question for which there is an answer.
pub(super) struct Due {
    pub(super) target: String,
    pub(super) id: InvocationId,
    pub(super) arguments: Arguments,
    pub(super) respond: Respond,
}

/// Which calls are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Question,
    Send,
}

impl Arrival {
    fn kind(&self) -> Kind {
        if self.question.is_some() { Kind::Question } else { Kind::Send }
    }

    fn show(&self) -> String {
        let arguments: Vec<_> =
            (0..self.arguments.len()).filter_map(|index| self.arguments.get(index)).collect();
        let arguments: Vec<_> = arguments.iter().map(show_value).collect();
        let call = format!("{}({})", self.target, arguments.join(", "));
        match call.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}…", &call[..end]),
            None => call,
        }
    }
}

/// A value as its protocol writes it, where that is text.
fn show_value(value: &Raw) -> String {
    match value.protocol() {
        HubProtocol::Json => String::from_utf8_lossy(value.as_bytes()).into_owned(),
        _ => format!("{value:?}"),
    }
}

impl Mailbox {
    /// Takes a call, and gives it back with its answer if there is one.
    pub(super) fn call(&mut self, invocation: Invocation) -> Option<Due> {
        let Invocation { invocation_id, target, arguments, .. } = invocation;
        let target = target.to_string();
        let responder = invocation_id.clone().and_then(|id| {
            self.responders.remove(&target).map(|respond| Due {
                target: target.clone(),
                id,
                arguments: arguments.clone(),
                respond,
            })
        });
        let fate = if responder.is_some() { Fate::Answered } else { Fate::Waiting };
        if self.arrivals.len() >= KEPT
            && self.arrivals.front().is_some_and(|first| first.fate != Fate::Waiting)
        {
            self.arrivals.pop_front();
        }
        self.arrivals.push_back(Arrival { target, arguments, question: invocation_id, fate });
        responder
    }

    /// Answers all further questions of that name.
    pub(super) fn answer_with(&mut self, target: &str, respond: Respond) {
        // One that was set while this one ran is newer.
        self.responders.entry(target.to_owned()).or_insert(respond);
    }

    pub(super) fn replace_answer(&mut self, target: &str, respond: Respond) {
        self.responders.insert(target.to_owned(), respond);
    }

    pub(super) fn item(&mut self, item: StreamItem) {
        self.items.entry(item.invocation_id.as_str().to_owned()).or_default().push_back(item.item);
    }

    pub(super) fn start(&mut self, id: &str) {
        self.started.insert(id.to_owned());
    }

    pub(super) fn started(&self) -> usize {
        self.started.len()
    }

    pub(super) fn complete(&mut self, id: &str, outcome: Outcome) {
        self.started.remove(id);
        self.outcomes.insert(id.to_owned(), outcome);
    }

    pub(super) fn close(&mut self, close: Close) {
        self.close = Some(close);
    }

    /// How the hub said goodbye, if it did.
    pub(super) fn last_words(&self) -> Option<Close> {
        self.close.clone()
    }

    /// The end of a call, once.
    pub(super) fn take_outcome(&mut self, id: &str) -> Option<Outcome> {
        self.outcomes.remove(id)
    }

    /// Whether a call has ended, and nobody has taken how.
    pub(super) fn has_outcome(&self, id: &str) -> bool {
        self.outcomes.contains_key(id)
    }

    /// The next item of a stream.
    pub(super) fn take_item(&mut self, id: &str) -> Option<Raw> {
        self.items.get_mut(id)?.pop_front()
    }

    /// The first call of that name that nobody has taken.
    pub(super) fn take_call(
        &mut self,
        kind: Kind,
        target: &str,
    ) -> Option<(Arguments, Option<InvocationId>)> {
        let is_it = |arrival: &&mut Arrival| {
            arrival.fate == Fate::Waiting && arrival.kind() == kind && arrival.target == target
        };
        let arrival = self.arrivals.iter_mut().find(is_it)?;
        arrival.fate = Fate::Taken;
        Some((arrival.arguments.clone(), arrival.question.clone()))
    }

    /// Whether a question waits for the test.
    pub(super) fn is_asked(&self) -> bool {
        self.waiting().any(|arrival| arrival.kind() == Kind::Question)
    }

    /// The names of the calls that nobody has taken.
    pub(super) fn names(&self) -> Vec<String> {
        self.waiting().map(|arrival| arrival.target.clone()).collect()
    }

    /// Takes all calls, but for questions.
    pub(super) fn skip(&mut self) {
        for arrival in &mut self.arrivals {
            if arrival.fate == Fate::Waiting && arrival.kind() == Kind::Send {
                arrival.fate = Fate::Taken;
            }
        }
    }

    fn waiting(&self) -> impl Iterator<Item = &Arrival> {
        self.arrivals.iter().filter(|arrival| arrival.fate == Fate::Waiting)
    }

    /// What has come instead of `wanted`, for a failure.
    pub(super) fn report(&self, wanted: &str) -> String {
        let mut report = String::new();
        // A write to a String does not fail.
        let _ = self.write_report(&mut report, wanted);
        report
    }

    fn write_report(&self, report: &mut String, wanted: &str) -> std::fmt::Result {
        if let Some(nearest) = self.nearest(wanted) {
            write!(report, "\nDid you mean `{nearest}`?")?;
        }
        if self.arrivals.is_empty() {
            write!(report, "\nThe hub has called nothing.")?;
        } else {
            write!(report, "\nWhat the hub has called, in order:")?;
        }
        for arrival in &self.arrivals {
            let remark = match (arrival.fate, arrival.kind()) {
                (Fate::Answered, _) => ": answered",
                (Fate::Taken, _) => ": taken by an earlier expectation",
                (Fate::Waiting, Kind::Question) => ": waits for an answer",
                (Fate::Waiting, Kind::Send) => "",
            };
            write!(report, "\n  {}{remark}", arrival.show())?;
        }
        Ok(())
    }

    /// The name that is most like the wanted one and is not it.
    fn nearest(&self, wanted: &str) -> Option<&str> {
        /// Below it two names have little in common.
        const ALIKE: f64 = 0.8;
        let names = self.arrivals.iter().map(|arrival| arrival.target.as_str());
        let alike = |name: &str| strsim::jaro_winkler(&name.to_lowercase(), &wanted.to_lowercase());
        names
            .filter(|name| *name != wanted)
            .map(|name| (alike(name), name))
            .filter(|(alike, _)| *alike >= ALIKE)
            .max_by(|(one, _), (other, _)| one.total_cmp(other))
            .map(|(_, name)| name)
    }
}
