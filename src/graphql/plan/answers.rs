//! The cache of answers that plans have written. An answer is valid as long as the tenant stays at its revision.
//!
//! Only answers that depend on nothing but one tenant's rows are cached ([`QueryPlan::tenant`]). The viewer is looked
//! up first, together with the tenant's revision, in the same transaction as everything that a plan reads. So a cached
//! answer is the one that the plan would write. A tenant's key is never reused for another tenant, and its revision
//! only increases, whoever writes to the database.
//!
//! [`QueryPlan::tenant`]: super::QueryPlan::tenant

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use lru::LruCache;
use prometheus_client::metrics::gauge::Gauge;

use crate::domain::TenantId;
use crate::graphql::documents::DocumentHash;
use crate::store::Ask;

/// The key of a cached answer, within a tenant.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Question {
    /// The hash of the document's text.
    pub document: DocumentHash,
    /// The name of the operation.
    pub operation: Option<String>,
    /// The values of the variables, as JSON.
    pub variables: String,
}

impl Question {
    fn bytes(&self) -> usize {
        self.operation.as_ref().map_or(0, String::len) + self.variables.len()
    }
}

/// A cached answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Its `data`, as JSON.
    pub data: Bytes,
    /// Its cost.
    pub cost: u64,
}

/// The cached answers, up to a number of bytes. When they exceed it, the tenant with the most bytes loses its least
/// recently used answer: a tenant cannot displace another one that uses less.
pub struct Answers {
    most: usize,
    kept: Mutex<KeptAnswers>,
    bytes: Gauge,
    /// The reads that plans sent to a remote database, to be read ahead the next time.
    asked: Mutex<AskedBefore>,
}

type AskedBefore = LruCache<(TenantId, Question), Arc<[Ask]>>;

/// The maximum number of plans whose reads are remembered: at most 16 KiB each, and as much for the key.
const READ_AHEAD: NonZeroUsize = NonZeroUsize::new(500).unwrap();

#[derive(Default)]
struct KeptAnswers {
    tenants: HashMap<TenantId, TenantAnswers>,
    bytes: usize,
}

/// The answers of one tenant at one revision.
struct TenantAnswers {
    revision: i64,
    answers: LruCache<Question, Answer>,
    bytes: usize,
}

/// The maximum size in bytes of a key whose reads are remembered.
const LONGEST_QUESTION: usize = 16 * 1024;
/// What an answer takes besides its own bytes and those of its key.
const OVERHEAD: usize = 256;
/// No answer takes more than this fraction of the cache.
const PART: usize = 8;

fn bytes_of(question: &Question, answer: &Answer) -> usize {
    OVERHEAD + question.bytes() + answer.data.len()
}

impl Answers {
    /// A cache for at most `most` bytes.
    pub fn new(most: usize) -> Self {
        let asked = Mutex::new(LruCache::new(READ_AHEAD));
        Self { most, kept: Mutex::default(), bytes: Gauge::default(), asked }
    }

    /// Whether the cache is on.
    pub fn keep_some(&self) -> bool {
        self.most > 0
    }

    /// The metric of the cached bytes.
    pub fn gauge(&self) -> Gauge {
        self.bytes.clone()
    }

    fn kept(&self) -> MutexGuard<'_, KeptAnswers> {
        // A poisoned lock only means that another thread panicked; at worst a byte count is off.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reads of a plan for a key, as it sent them the last time.
    pub fn asked(&self, tenant: TenantId, question: &Question) -> Option<Arc<[Ask]>> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.get(&(tenant, question.clone())).cloned()
    }

    /// Remembers the reads of a plan for a key.
    pub fn remember(&self, tenant: TenantId, question: &Question, asks: Arc<[Ask]>) {
        if question.bytes() > LONGEST_QUESTION {
            return;
        }
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.put((tenant, question.clone()), asks);
    }

    /// The answer for a tenant at this revision.
    pub fn get(&self, (tenant, revision): (TenantId, i64), question: &Question) -> Option<Answer> {
        let mut kept = self.kept();
        let of_tenant = kept.tenants.get_mut(&tenant).filter(|of_tenant| of_tenant.revision == revision)?;
        of_tenant.answers.get(question).cloned()
    }

    /// Caches an answer for a tenant at this revision, unless it is too long. Answers of earlier revisions are dropped.
    pub fn put(&self, (tenant, revision): (TenantId, i64), question: Question, answer: Answer) {
        let bytes = bytes_of(&question, &answer);
        if bytes > self.most / PART {
            return;
        }
        let kept = &mut *self.kept();
        let new = || TenantAnswers { revision, answers: LruCache::unbounded(), bytes: 0 };
        let of_tenant = kept.tenants.entry(tenant).or_insert_with(new);
        if of_tenant.revision > revision {
            // The answer was read before the last change, and arrives late.
            return;
        }
        if of_tenant.revision < revision {
            kept.bytes -= of_tenant.bytes;
            *of_tenant = new();
        }
        if let Some((question, replaced)) = of_tenant.answers.push(question, answer) {
            let replaced = bytes_of(&question, &replaced);
            (of_tenant.bytes, kept.bytes) = (of_tenant.bytes - replaced, kept.bytes - replaced);
        }
        (of_tenant.bytes, kept.bytes) = (of_tenant.bytes + bytes, kept.bytes + bytes);
        kept.make_room(self.most);
        self.bytes.set(kept.bytes as i64);
    }
}

impl KeptAnswers {
    fn make_room(&mut self, most: usize) {
        while self.bytes > most {
            let largest = self.tenants.iter_mut().max_by_key(|(_, of_tenant)| of_tenant.bytes);
            let Some((tenant, of_tenant)) = largest.map(|(tenant, of_tenant)| (*tenant, of_tenant)) else { return };
            let gone = of_tenant.answers.pop_lru().map_or(0, |(question, answer)| bytes_of(&question, &answer));
            (of_tenant.bytes, self.bytes) = (of_tenant.bytes - gone, self.bytes - gone);
            if of_tenant.answers.is_empty() {
                self.tenants.remove(&tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(variables: usize) -> Question {
        Question { document: DocumentHash::of("{a}"), operation: None, variables: variables.to_string() }
    }

    fn answer(bytes: usize) -> Answer {
        Answer { data: vec![b' '; bytes].into(), cost: 1 }
    }

    /// Which of these tenants have an answer for a key.
    fn have(answers: &Answers, variables: usize) -> Vec<i64> {
        let has = |tenant: &i64| answers.get((TenantId(*tenant), 1), &question(variables)).is_some();
        (1..9).filter(has).collect()
    }

    #[test]
    fn an_answer_holds_for_its_question_tenant_and_revision() {
        let answers = Answers::new(1 << 20);
        let of = |revision| (TenantId(1), revision);
        answers.put(of(5), question(1), answer(100));
        assert_eq!(answers.get(of(5), &question(1)), Some(answer(100)));
        let otherwise = Question { operation: Some("a".into()), ..question(1) };
        assert_eq!(answers.get(of(5), &otherwise), None);
        assert_eq!(answers.get((TenantId(2), 5), &question(1)), None);
        assert_eq!((answers.get(of(4), &question(1)), answers.get(of(6), &question(1))), (None, None));
        answers.put(of(4), question(2), answer(100));
        assert_eq!(answers.get(of(4), &question(2)), None, "what was read before the last change comes late");
        answers.put(of(6), question(2), answer(100));
        assert_eq!(answers.get(of(5), &question(1)), None);
        let one = bytes_of(&question(2), &answer(100));
        assert_eq!(answers.kept().bytes, one, "what no longer holds takes no room");
        answers.put(of(6), question(2), answer(100));
        assert_eq!(answers.kept().bytes, one, "the same again takes the same place");
    }

    #[test]
    fn the_bytes_are_bounded_and_who_has_most_makes_room() {
        let answers = Answers::new(100_000);
        answers.put((TenantId(1), 1), question(0), answer(1000));
        for variables in 0..1000 {
            answers.put((TenantId(2), 1), question(variables), answer(1000));
            assert!(answers.kept().bytes <= 100_000);
        }
        assert_eq!((have(&answers, 0), have(&answers, 999)), (vec![1], vec![2]), "the oldest of the greedy one went");
        answers.put((TenantId(3), 1), question(0), answer(12_000));
        assert_eq!(have(&answers, 0), [1, 3]);
        answers.put((TenantId(4), 1), question(0), answer(13_000));
        assert_eq!(have(&answers, 0), [1, 3], "one that takes more than an eighth of all is not kept");
        let none = Answers::new(0);
        none.put((TenantId(1), 1), question(0), answer(0));
        assert!(none.kept().bytes == 0 && !none.keep_some());
    }
}
