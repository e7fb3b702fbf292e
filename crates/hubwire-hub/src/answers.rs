//! How calls are answered.

use crate::call::CallHead;
use crate::context::CallerContext;
use crate::definition::{HubDefinition, Method, MethodKind};
use crate::encode::counted;
use crate::error::{HubError, HubResult, with_sources};
use crate::filter::{Answered, Reply};
use crate::meter;
use crate::texts::{self, Detail};

impl<H: HubDefinition> CallerContext<H> {
    /// Answers a call with what came of it.
    pub(crate) fn answer(
        &self,
        head: &CallHead,
        method: Option<&Method<H>>,
        outcome: HubResult<Reply>,
    ) {
        let answered = outcome.and_then(|Reply(reply)| {
            let is_stream = method.is_some_and(|method| method.kind == MethodKind::Stream);
            match reply {
                Answered::Value(value) if !is_stream => self.answer_value(head, method, &value),
                // A filter's value in the place of a stream has no place in its end.
                Answered::Items | Answered::Value(_) => {
                    self.answer_end(head);
                    Ok(())
                }
            }
        });
        if let Err(error) = answered {
            self.answer_failure(head, method, &error);
        }
    }

    /// Answers with a value.
    pub(crate) fn answer_value<T: serde::Serialize>(
        &self,
        head: &CallHead,
        method: Option<&Method<H>>,
        value: &T,
    ) -> HubResult<()> {
        let Some(id) = &head.invocation_id else { return Ok(()) };
        let protocol = self.member().protocol;
        let message = counted(protocol, |out| protocol.write_result(out, id.as_str(), value))?;
        let message = match method {
            Some(method) => method.compression.apply(message),
            None => message,
        };
        if head.begin_answer() {
            self.member().connection.send(message);
        }
        Ok(())
    }

    /// Answers that a stream has come to its end.
    pub(crate) fn answer_end(&self, head: &CallHead) {
        let Some(id) = &head.invocation_id else { return };
        if !head.begin_answer() {
            return;
        }
        let member = self.member();
        let message = member.message(|protocol, out| protocol.write_completed(out, id.as_str()));
        member.connection.send(message.counted());
    }

    fn answer_failure(&self, head: &CallHead, method: Option<&Method<H>>, error: &HubError) {
        if let Some(refusal) = error.as_refusal() {
            return self.answer_error(head, &refusal.sentence, refusal.detail.as_ref());
        }
        self.log_failure(method, error);
        let sentence = texts::invocation_failed(&head.target);
        self.answer_error(head, &sentence, Some(&error.into()));
    }

    pub(crate) fn log_failure(&self, method: Option<&Method<H>>, error: &HubError) {
        let method = method.map(|method| method.rust_name);
        let hub = self.hub().name();
        match error.as_internal() {
            Some(internal) => {
                tracing::error!(hub, method, error = with_sources(internal), "method failed");
            }
            None => tracing::debug!(hub, method, %error, "method refused"),
        }
    }

    /// Answers that the caller may not call this.
    pub(crate) fn answer_unauthorized(&self, head: &CallHead, method: Option<&Method<H>>) {
        let hub = self.hub().name();
        let method = method.map(|method| method.rust_name);
        tracing::warn!(hub, method, user = ?self.user_id(), "unauthorized call");
        self.answer_error(head, &texts::unauthorized(&head.target), None);
    }

    /// Answers a call with an error, if the client wants an answer.
    pub(crate) fn answer_error(&self, head: &CallHead, sentence: &str, detail: Option<&Detail>) {
        if !head.begin_answer() {
            return;
        }
        meter::failed(self.hub().name(), || {
            self.hub().inner().methods.find(&head.target).map(|method| method.name)
        });
        let Some(id) = &head.invocation_id else { return };
        let detailed_errors = self.hub().core().options.enable_detailed_errors;
        let text = texts::with_detail(sentence, detail, detailed_errors);
        let message = self.member().message(|protocol, out| {
            protocol.write_error(out, id.as_str(), &text);
        });
        self.member().connection.send(message.counted());
    }
}
