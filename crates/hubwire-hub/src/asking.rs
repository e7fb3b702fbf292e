//! Questions to other servers that are not answered yet.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::backplane::{BackplaneError, ServerId};
use crate::notice::Finding;

/// How many seconds servers have for an answer: they give it without waiting for anyone, so one that takes longer is gone or hopelessly behind.
pub(crate) const ANSWER_TICKS: u64 = 5;

/// The answers of those servers that gave one.
pub(crate) type Answers = Vec<(ServerId, Finding)>;

/// The questions that this server has asked.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    next: AtomicU64,
    open: Mutex<HashMap<u64, Open>>,
}

#[derive(Debug)]
struct Open {
    answers: Answers,
    /// How many servers were asked, once that is known.
    asked: Option<usize>,
    /// The tick at which they have had time enough.
    deadline: u64,
    done: oneshot::Sender<Result<Answers, BackplaneError>>,
}

/// A question; forgotten when nobody waits for its answers any more.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    questions: &'a Questions,
    pub(crate) id: u64,
    done: oneshot::Receiver<Result<Answers, BackplaneError>>,
}

impl Questions {
    fn open(&self) -> MutexGuard<'_, HashMap<u64, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that no other question of this server has.
    pub(crate) fn next(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn ask(&self, now: u64) -> Asked<'_> {
        let id = self.next();
        let (sender, done) = oneshot::channel();
        // The second that runs has begun already.
        let deadline = now + ANSWER_TICKS + 1;
        let open = Open { answers: Vec::new(), asked: None, deadline, done: sender };
        self.open().insert(id, open);
        Asked { questions: self, id, done }
    }

    /// Takes the answer of one server; answers that nobody waits for are dropped.
    pub(crate) fn answer(&self, id: u64, from: ServerId, answer: Finding) {
        let mut open = self.open();
        if let Some(question) = open.get_mut(&id)
            && question.answers.iter().all(|(server, _)| *server != from)
        {
            question.answers.push((from, answer));
            if question.is_answered() {
                finish(&mut open, id);
            }
        }
    }

    /// Ends the questions that have waited long enough, of which `lost` servers that were asked may be gone.
    pub(crate) fn expire(&self, now: u64, lost: usize) {
        let due: Vec<_> = self.open().extract_if(|_, question| question.deadline <= now).collect();
        for (_, question) in due {
            // Whoever is gone has no connections: the others have answered for all.
            let missing = question.asked.map(|asked| asked.saturating_sub(question.answers.len()));
            let answers = match missing {
                Some(missing) if missing <= lost => Ok(question.answers),
                Some(_) | None => Err(BackplaneError::TimedOut),
            };
            // Whoever asked may have stopped waiting in this moment.
            drop(question.done.send(answers));
        }
    }
}

impl Open {
    fn is_answered(&self) -> bool {
        self.asked.is_some_and(|asked| self.answers.len() >= asked)
    }
}

fn finish(open: &mut HashMap<u64, Open>, id: u64) {
    if let Some(question) = open.remove(&id) {
        // Whoever asked may have stopped waiting in this moment.
        drop(question.done.send(Ok(question.answers)));
    }
}

impl Asked<'_> {
    /// Waits for as many answers.
    pub(crate) async fn answers(mut self, asked: usize) -> Result<Answers, BackplaneError> {
        {
            let mut open = self.questions.open();
            if let Some(question) = open.get_mut(&self.id) {
                question.asked = Some(asked);
                if question.is_answered() {
                    finish(&mut open, self.id);
                }
            }
        }
        (&mut self.done).await.unwrap_or(Err(BackplaneError::Unavailable))
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.questions.open().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    /// What a question to two servers comes to, of which one answers, while so many servers are lost.
    fn expired(lost: usize) -> Result<Answers, BackplaneError> {
        let questions = Questions::default();
        let asked = questions.ask(0);
        let id = asked.id;
        let mut answers = Box::pin(asked.answers(2));
        assert!(answers.as_mut().now_or_never().is_none());
        questions.answer(id, "a".into(), Finding::Done);
        questions.answer(id, "a".into(), Finding::Done);
        questions.answer(id + 1, "b".into(), Finding::Done);
        questions.expire(ANSWER_TICKS, lost);
        assert!(answers.as_mut().now_or_never().is_none());
        questions.expire(ANSWER_TICKS + 1, lost);
        answers.now_or_never().unwrap()
    }

    #[test]
    fn a_server_that_does_not_answer_fails_the_question_unless_it_is_lost() {
        assert_eq!(expired(0), Err(BackplaneError::TimedOut));
        assert_eq!(expired(1), Ok(vec![("a".into(), Finding::Done)]));
    }

    #[test]
    fn answers_may_come_before_it_is_known_how_many_were_asked() {
        let questions = Questions::default();
        let asked = questions.ask(0);
        questions.answer(asked.id, "a".into(), Finding::Count(1));
        questions.answer(asked.id, "b".into(), Finding::Count(2));
        let answers = asked.answers(2).now_or_never().unwrap().unwrap();
        assert_eq!(answers.len(), 2);
        assert!(questions.open().is_empty());
    }

    #[test]
    fn a_question_that_nobody_waits_for_is_forgotten() {
        let questions = Questions::default();
        drop(questions.ask(0));
        assert!(questions.open().is_empty());
    }
}
