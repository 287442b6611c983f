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
use crate::store::RememberedStatement;

/// The key of a cached answer, within a tenant.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct AnswerKey {
    /// The hash of the document's text.
    pub document: DocumentHash,
    /// The name of the operation.
    pub operation: Option<String>,
    /// The values of the variables, as JSON.
    pub variables: String,
}

impl AnswerKey {
    fn bytes(&self) -> usize {
        self.operation.as_ref().map_or(0, String::len) + self.variables.len()
    }
}

/// A cached answer.
#[derive(Clone, Debug, PartialEq)]
pub struct CachedAnswer {
    /// Its `data`, as JSON.
    pub data: Bytes,
    /// Its cost.
    pub cost: u64,
}

/// The cached answers, up to a number of bytes. When they exceed it, the tenant with the most bytes loses its least
/// recently used answer: a tenant cannot displace another one that uses less.
pub struct AnswerCache {
    max_bytes: usize,
    cached: Mutex<CachedAnswers>,
    bytes: Gauge,
    /// The reads that plans sent to a remote database, to be read ahead the next time.
    reads: Mutex<RememberedReads>,
}

type RememberedReads = LruCache<(TenantId, AnswerKey), Arc<[RememberedStatement]>>;

/// The maximum number of plans whose reads are remembered: at most 16 KiB each, and as much for the key.
const READ_AHEAD: NonZeroUsize = NonZeroUsize::new(500).unwrap();

#[derive(Default)]
struct CachedAnswers {
    tenants: HashMap<TenantId, TenantAnswers>,
    bytes: usize,
}

/// The answers of one tenant at one revision.
struct TenantAnswers {
    revision: i64,
    answers: LruCache<AnswerKey, CachedAnswer>,
    bytes: usize,
}

/// The maximum size in bytes of a key whose reads are remembered.
const LONGEST_KEY: usize = 16 * 1024;
/// What an answer takes besides its own bytes and those of its key.
const OVERHEAD: usize = 256;
/// No answer takes more than this fraction of the cache.
const PART: usize = 8;

fn bytes_of(key: &AnswerKey, answer: &CachedAnswer) -> usize {
    OVERHEAD + key.bytes() + answer.data.len()
}

impl AnswerCache {
    /// A cache for at most `max_bytes` bytes.
    pub fn new(max_bytes: usize) -> Self {
        let reads = Mutex::new(LruCache::new(READ_AHEAD));
        Self { max_bytes, cached: Mutex::default(), bytes: Gauge::default(), reads }
    }

    /// Whether the cache is on.
    pub fn is_on(&self) -> bool {
        self.max_bytes > 0
    }

    /// The metric of the cached bytes.
    pub fn gauge(&self) -> Gauge {
        self.bytes.clone()
    }

    fn cached(&self) -> MutexGuard<'_, CachedAnswers> {
        // A poisoned lock only means that another thread panicked; at worst a byte count is off.
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reads of a plan for a key, as it sent them the last time.
    pub fn reads(&self, tenant: TenantId, key: &AnswerKey) -> Option<Arc<[RememberedStatement]>> {
        let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        reads.get(&(tenant, key.clone())).cloned()
    }

    /// Remembers the reads of a plan for a key.
    pub fn remember(&self, tenant: TenantId, key: &AnswerKey, reads_of_plan: Arc<[RememberedStatement]>) {
        if key.bytes() > LONGEST_KEY {
            return;
        }
        let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        reads.put((tenant, key.clone()), reads_of_plan);
    }

    /// The answer for a tenant at this revision.
    pub fn get(&self, (tenant, revision): (TenantId, i64), key: &AnswerKey) -> Option<CachedAnswer> {
        let mut cached = self.cached();
        let tenant_answers =
            cached.tenants.get_mut(&tenant).filter(|tenant_answers| tenant_answers.revision == revision)?;
        tenant_answers.answers.get(key).cloned()
    }

    /// Caches an answer for a tenant at this revision, unless it is too long. Answers of earlier revisions are dropped.
    pub fn put(&self, (tenant, revision): (TenantId, i64), key: AnswerKey, answer: CachedAnswer) {
        let bytes = bytes_of(&key, &answer);
        if bytes > self.max_bytes / PART {
            return;
        }
        let cached = &mut *self.cached();
        let new = || TenantAnswers { revision, answers: LruCache::unbounded(), bytes: 0 };
        let tenant_answers = cached.tenants.entry(tenant).or_insert_with(new);
        if tenant_answers.revision > revision {
            // The answer was read before the last change, and arrives late.
            return;
        }
        if tenant_answers.revision < revision {
            cached.bytes -= tenant_answers.bytes;
            *tenant_answers = new();
        }
        if let Some((key, replaced)) = tenant_answers.answers.push(key, answer) {
            let replaced = bytes_of(&key, &replaced);
            (tenant_answers.bytes, cached.bytes) = (tenant_answers.bytes - replaced, cached.bytes - replaced);
        }
        (tenant_answers.bytes, cached.bytes) = (tenant_answers.bytes + bytes, cached.bytes + bytes);
        cached.make_room(self.max_bytes);
        self.bytes.set(cached.bytes as i64);
    }
}

impl CachedAnswers {
    fn make_room(&mut self, max_bytes: usize) {
        while self.bytes > max_bytes {
            let largest = self.tenants.iter_mut().max_by_key(|(_, tenant_answers)| tenant_answers.bytes);
            let Some((tenant, tenant_answers)) = largest.map(|(tenant, tenant_answers)| (*tenant, tenant_answers))
            else {
                return;
            };
            let gone = tenant_answers.answers.pop_lru().map_or(0, |(key, answer)| bytes_of(&key, &answer));
            (tenant_answers.bytes, self.bytes) = (tenant_answers.bytes - gone, self.bytes - gone);
            if tenant_answers.answers.is_empty() {
                self.tenants.remove(&tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(variables: usize) -> AnswerKey {
        AnswerKey { document: DocumentHash::of("{a}"), operation: None, variables: variables.to_string() }
    }

    fn answer(bytes: usize) -> CachedAnswer {
        CachedAnswer { data: vec![b' '; bytes].into(), cost: 1 }
    }

    /// Which of these tenants have an answer for a key.
    fn have(answers: &AnswerCache, variables: usize) -> Vec<i64> {
        let has = |tenant: &i64| answers.get((TenantId(*tenant), 1), &key(variables)).is_some();
        (1..9).filter(has).collect()
    }

    #[test]
    fn an_answer_is_valid_for_its_key_tenant_and_revision() {
        let answers = AnswerCache::new(1 << 20);
        let of = |revision| (TenantId(1), revision);
        answers.put(of(5), key(1), answer(100));
        assert_eq!(answers.get(of(5), &key(1)), Some(answer(100)));
        let otherwise = AnswerKey { operation: Some("a".into()), ..key(1) };
        assert_eq!(answers.get(of(5), &otherwise), None);
        assert_eq!(answers.get((TenantId(2), 5), &key(1)), None);
        assert_eq!((answers.get(of(4), &key(1)), answers.get(of(6), &key(1))), (None, None));
        answers.put(of(4), key(2), answer(100));
        assert_eq!(answers.get(of(4), &key(2)), None, "an answer from before the last change is dropped");
        answers.put(of(6), key(2), answer(100));
        assert_eq!(answers.get(of(5), &key(1)), None);
        let one = bytes_of(&key(2), &answer(100));
        assert_eq!(answers.cached().bytes, one, "outdated answers take no space");
        answers.put(of(6), key(2), answer(100));
        assert_eq!(answers.cached().bytes, one, "replacing an entry takes no more space");
    }

    #[test]
    fn the_bytes_are_bounded_and_the_largest_tenant_makes_room() {
        let answers = AnswerCache::new(100_000);
        answers.put((TenantId(1), 1), key(0), answer(1000));
        for variables in 0..1000 {
            answers.put((TenantId(2), 1), key(variables), answer(1000));
            assert!(answers.cached().bytes <= 100_000);
        }
        assert_eq!(
            (have(&answers, 0), have(&answers, 999)),
            (vec![1], vec![2]),
            "the largest tenant lost its oldest answers"
        );
        answers.put((TenantId(3), 1), key(0), answer(12_000));
        assert_eq!(have(&answers, 0), [1, 3]);
        answers.put((TenantId(4), 1), key(0), answer(13_000));
        assert_eq!(have(&answers, 0), [1, 3], "an answer of more than an eighth of the cache is not kept");
        let none = AnswerCache::new(0);
        none.put((TenantId(1), 1), key(0), answer(0));
        assert!(none.cached().bytes == 0 && !none.is_on());
    }
}
