//! Cursors: places in a list with a certain order. Like ids, they are opaque for clients.

use crate::domain::opaque;
use crate::store::{ObjectRow, OrderDirection, OrderField, SortKey, SortPosition};

/// A place in a list.
#[derive(Clone, Debug)]
pub struct Cursor(pub(super) SortPosition);

/// The plain text of a cursor, such as `NUMBER.ASC.17.108`: the order, the object and its sort key.
fn plain_text((field, direction): (OrderField, OrderDirection), SortPosition { key, id }: &SortPosition) -> String {
    let key = match key {
        SortKey::Text(text) => text.clone(),
        SortKey::Time(time) => time.to_string(),
    };
    format!("{}.{}.{id}.{key}", field.word(), direction.word())
}

impl Cursor {
    /// The cursor of an object in a list with this order.
    pub(super) fn text(order: (OrderField, OrderDirection), row: &ObjectRow) -> String {
        opaque::write(plain_text(order, &order.0.position(row)))
    }

    /// The place of a cursor; `None` for a text that is not a cursor of a list with this order.
    pub(super) fn parse(order: (OrderField, OrderDirection), cursor: &str) -> Option<Self> {
        let plain = opaque::read(cursor)?;
        let mut parts = plain.splitn(4, '.').skip(2);
        let id: i64 = parts.next()?.parse().ok()?;
        let text = parts.next()?;
        let key = match order.0 {
            OrderField::Number | OrderField::Name => SortKey::Text(text.to_owned()),
            OrderField::CreatedAt | OrderField::ChangedAt => SortKey::Time(text.parse().ok()?),
        };
        let place = SortPosition { key, id };
        // A cursor has only one valid form, and no sort key contains NUL.
        (id > 0 && !text.contains('\0') && plain_text(order, &place) == plain).then_some(Self(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{DateTime, Kind, ObjectId, TenantId};
    use crate::service::find::Find;
    use proptest::prelude::*;

    const FIELDS: [OrderField; 4] =
        [OrderField::Number, OrderField::Name, OrderField::CreatedAt, OrderField::ChangedAt];

    proptest! {
        #[test]
        fn a_cursor_leads_back_in_its_own_order_only(name in any::<String>(), id in 1..i64::MAX, at in any::<i64>()) {
            let row = ObjectRow {
                id: ObjectId { tenant: TenantId(1), local: id },
                kind: Kind::Did,
                number: Some("108".into()),
                name,
                description: String::new(),
                enabled: true,
                version: 1,
                created_at: DateTime(at),
                changed_at: DateTime(at),
            };
            for field in FIELDS {
                for direction in [OrderDirection::Asc, OrderDirection::Desc] {
                    let find = Find::all(Kind::Did).in_order(field, direction);
                    let cursor = find.cursor(&row);
                    prop_assert_eq!(find.place(&cursor).unwrap().0, field.position(&row));
                    for other in FIELDS {
                        let other = Find::all(Kind::Did).in_order(other, direction);
                        prop_assert_eq!(other.place(&cursor).is_some(), other.order == find.order);
                    }
                }
            }
        }

        #[test]
        fn nothing_else_is_a_cursor(text in any::<String>()) {
            prop_assert!(Find::all(Kind::Did).place(&text).is_none());
        }
    }
}
