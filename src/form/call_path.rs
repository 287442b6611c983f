//! The path of a call: where it goes from a list of destinations, and whether it returns to an object.

use std::collections::HashSet;

use super::destination::{Destination, DestinationTarget, Destinations};
use super::facts::{Facts, TenantFacts};
use crate::domain::{ExtensionNumber, Kind, ObjectId};

impl Destinations {
    /// The position of the step that ends the list, if there is one.
    pub fn last_step(&self, tenant: &TenantFacts) -> Option<usize> {
        let kind =
            |destination: &Destination| destination.object().and_then(|o| tenant.referenced.get(&o)).map(|k| k.kind);
        // Only a media file continues with the next step after it has been played.
        self.0.iter().position(|destination| kind(destination) != Some(Kind::MediaFile))
    }
}

impl TenantFacts {
    /// The object that a destination goes to, by id or by number.
    pub fn target_object(&self, destination: &Destination) -> Option<ObjectId> {
        match destination.target() {
            DestinationTarget::Object(object) => Some(*object),
            DestinationTarget::Number(number) => self.holders.get(number.as_str()).map(|holder| holder.object),
            DestinationTarget::Hangup(_) => None,
        }
    }
}

impl Facts {
    /// Whether a destination leads back to the object that is checked, which has this number.
    pub fn leads_back(&self, destination: &Destination, number: Option<&ExtensionNumber>) -> bool {
        let by_number = match (destination.target(), number) {
            (DestinationTarget::Number(to), Some(own)) => to.as_str() == own.as_str(),
            _ => false,
        };
        by_number || (self.own.is_some() && self.target_object(destination) == self.own)
    }

    /// The path from `first` back to the object that is checked, if calls certainly take one: the labels of the objects
    /// on it.
    pub fn path_back_to_self(&self, first: ObjectId) -> Option<Vec<String>> {
        let own = self.own?;
        let (mut visited, mut paths) = (HashSet::from([first]), vec![vec![first]]);
        while let Some(path) = paths.pop() {
            let last = *path.last()?;
            if last == own {
                let labels = std::iter::once(&own).chain(&path).filter_map(|object| self.hops.get(object));
                return Some(labels.map(|hop| hop.label.clone()).collect());
            }
            for next in self.hops.get(&last).into_iter().flat_map(|hop| &hop.next).filter(|next| visited.insert(**next))
            {
                paths.push([path.as_slice(), &[*next]].concat());
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::TenantId;
    use crate::form::Hop;
    use std::collections::HashMap;
    use std::sync::Arc;

    #[test]
    fn a_loop_is_reported_with_all_its_objects() {
        let id = |local| ObjectId { tenant: TenantId(1), local };
        let hop = |label: &str, next: &[i64]| Hop { label: label.into(), next: next.iter().map(|n| id(*n)).collect() };
        let hops = HashMap::from([
            (id(1), hop("101", &[])),
            (id(2), hop("102", &[4, 3])),
            (id(3), hop("103", &[1])),
            (id(4), hop("104", &[2])),
        ]);
        let facts = Facts {
            own: Some(id(1)),
            tenant: Arc::new(TenantFacts { hops, ..TenantFacts::default() }),
            ..Facts::default()
        };
        assert_eq!(facts.path_back_to_self(id(2)).unwrap(), ["101", "102", "103", "101"]);
        assert_eq!(facts.path_back_to_self(id(4)).unwrap(), ["101", "104", "102", "103", "101"]);
        assert_eq!(Facts { own: Some(id(9)), ..facts }.path_back_to_self(id(2)), None);
    }
}
