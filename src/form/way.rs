//! The way of a call: where it goes from a list of destinations, and whether it comes back to where it was.

use std::collections::HashSet;

use super::destination::{Destination, DestinationTarget, Destinations};
use super::facts::{Facts, Surroundings};
use crate::domain::{ExtensionNumber, Kind, ObjectId};

impl Destinations {
    /// The position of the step that ends the list, if there is one.
    pub fn end(&self, around: &Surroundings) -> Option<usize> {
        let kind =
            |destination: &Destination| destination.leads_to().and_then(|o| around.known.get(&o)).map(|k| k.kind);
        // Playing a file is the one step that goes on to the next.
        self.0.iter().position(|destination| kind(destination) != Some(Kind::MediaFile))
    }
}

impl Surroundings {
    /// The object that a destination leads to, by its id or by its number.
    pub fn leads_to(&self, destination: &Destination) -> Option<ObjectId> {
        match destination.target() {
            DestinationTarget::Object(object) => Some(*object),
            DestinationTarget::Number(number) => self.holders.get(number.as_str()).map(|holder| holder.object),
            DestinationTarget::Hangup(_) => None,
        }
    }
}

impl Facts {
    /// Whether a destination leads to the object itself, which has this number.
    pub fn leads_back(&self, destination: &Destination, number: Option<&ExtensionNumber>) -> bool {
        let by_number = match (destination.target(), number) {
            (DestinationTarget::Number(to), Some(own)) => to.as_str() == own.as_str(),
            _ => false,
        };
        by_number || (self.own.is_some() && self.leads_to(destination) == self.own)
    }

    /// The way from `first` back to the object itself, when there surely is one: the labels on it.
    pub fn way_back(&self, first: ObjectId) -> Option<Vec<String>> {
        let own = self.own?;
        let (mut seen, mut ways) = (HashSet::from([first]), vec![vec![first]]);
        while let Some(way) = ways.pop() {
            let last = *way.last()?;
            if last == own {
                let labels = std::iter::once(&own).chain(&way).filter_map(|object| self.hops.get(object));
                return Some(labels.map(|hop| hop.label.clone()).collect());
            }
            for next in self.hops.get(&last).into_iter().flat_map(|hop| &hop.next).filter(|next| seen.insert(**next)) {
                ways.push([way.as_slice(), &[*next]].concat());
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
    fn a_way_back_is_told_with_its_stops() {
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
            around: Arc::new(Surroundings { hops, ..Surroundings::default() }),
            ..Facts::default()
        };
        assert_eq!(facts.way_back(id(2)).unwrap(), ["101", "102", "103", "101"]);
        assert_eq!(facts.way_back(id(4)).unwrap(), ["101", "104", "102", "103", "101"]);
        assert_eq!(Facts { own: Some(id(9)), ..facts }.way_back(id(2)), None);
    }
}
