//! Writing an answer down.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response as Answer;

use super::etag::Tag;
use crate::graphql::{Cost, Limits, Reply};
use crate::http::door::fair::Bill;
use crate::http::media::Media;
use crate::http::refusal::Refusal;
use crate::http::watch::{RequestRecord, Stage};

/// The answer to a client that has it already.
pub(super) fn not_modified(tag: &Tag, seen: &mut RequestRecord) -> Answer {
    seen.executed(&Reply::default());
    tag.not_modified()
}

/// An answer that was executed: what it has cost is settled.
pub(super) fn settled(
    (reply, cost): (Reply, Cost),
    (bill, seen): (&mut Bill, &mut RequestRecord),
) -> Result<Reply, Refusal> {
    bill.settle(cost.actual);
    seen.cost = Some(cost);
    seen.done(Stage::Execute);
    if !reply.was_executed() {
        return Err(Refusal::of_document(reply.into_errors()));
    }
    seen.executed(&reply);
    Ok(reply)
}

/// An answer with its media type, and its tag where it has one.
pub(super) fn answer_of(reply: &Reply, tag: Option<&Tag>, media: Media, limits: &Limits) -> Answer {
    let mut answer = Answer::new(Body::from(reply.to_json(limits)));
    answer.headers_mut().insert(CONTENT_TYPE, media.content_type());
    if let Some(tag) = tag {
        tag.mark(&mut answer);
    }
    answer
}
