//! Parking lots: slots in which calls wait until somebody picks them up.

use super::{Detail, Named, WithDefault};
use crate::domain::{Code, ExtensionNumber, Id, Kind, Problem, Seconds, kind};
use crate::form::{Checked, Facts, SlotRange, section};

section! {
    "parking_lot", "ParkingLotInput";
    /// A parking lot: numbered slots in which calls wait until somebody picks them up. No object can have the number of
    /// a slot.
    pub struct ParkingLot {
        /// The number of the first slot: 2 to 10 digits. Required. The slots of two lots cannot overlap.
        pub first_slot: ExtensionNumber,
        /// The number of the last slot: as many digits as `firstSlot`, and not lower. Required.
        pub last_slot: ExtensionNumber,
        /// How long a call stays parked before it returns to whoever parked it: 10 to 3600 seconds, 45 by default.
        pub timeout_seconds: WithDefault<Seconds<10, 3600>, 45>,
        /// The music that parked callers hear; null uses the tenant's default class.
        pub music_on_hold_id: Option<Id<kind::MusicOnHold>>,
        /// Whether this is the tenant's default lot; only one can be. Off by default.
        pub is_default: bool,
    }
}

impl ParkingLot {
    /// Whether a number is one of the slots. Strings of digits with the same length sort like their numbers.
    pub fn contains(&self, number: &ExtensionNumber) -> bool {
        let (first, last, number) = (self.first_slot.as_str(), self.last_slot.as_str(), number.as_str());
        number.len() == first.len() && (first..=last).contains(&number)
    }
}

impl Detail for ParkingLot {
    const KIND: Kind = Kind::ParkingLot;
    type Common = Named;
    const UNIQUE: &'static [&'static [&'static str]] = &[&["is_default"]];

    fn check(&self, report: &mut dyn FnMut(Problem)) {
        let (first, last) = (self.first_slot.as_str(), self.last_slot.as_str());
        if first.len() != last.len() || first > last {
            let rule = format!("must have as many digits as firstSlot, which is {first}, and not be lower");
            report(Problem::new(Code::Contradiction, rule).value(last).under("lastSlot"));
        }
    }

    fn check_in_tenant(&self, facts: &Facts, checked: &mut Checked) {
        let (first, last) = (self.first_slot.as_str(), self.last_slot.as_str());
        let overlaps = |lot: &&SlotRange| {
            Some(lot.lot) != facts.own && lot.first.len() == first.len() && *lot.first <= *last && *first <= *lot.last
        };
        if let Some(SlotRange { lot, name, first: from, last: to }) = facts.lots.iter().find(overlaps) {
            let rule = format!("starts a range that overlaps the slots {from} to {to} of the parking lot {name}");
            checked.errors.push(Problem::new(Code::Taken, rule).value(first).related(*lot).under("firstSlot"));
        }
    }

    fn reserves(&self) -> Option<(&ExtensionNumber, &ExtensionNumber)> {
        Some((&self.first_slot, &self.last_slot))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form;

    fn lot(first: &str, last: &str) -> ParkingLot {
        let sent = [("firstSlot", first), ("lastSlot", last)].into();
        form::build(&sent, &mut |p| panic!("{p:?}")).unwrap()
    }

    #[test]
    fn slots_are_a_range_of_numbers_of_one_length() {
        let inside = |text: &str| {
            lot("800", "810").contains(&ExtensionNumber::read(text).unwrap())
        };
        assert!(inside("800") && inside("805") && inside("810"));
        assert!(!inside("799") && !inside("811") && !inside("8005") && !inside("80"));
        for (first, last, problems) in [("800", "800", 0), ("800", "799", 1), ("99", "100", 1)] {
            let mut count = 0;
            lot(first, last).check(&mut |_| count += 1);
            assert_eq!(count, problems, "{first} to {last}");
        }
    }
}
