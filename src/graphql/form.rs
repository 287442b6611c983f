//! The form: a virtual extension with its nine sections, and the form that a new one opens with.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};

use super::objects::{self, with_row};
use super::scope::Scope;
use crate::domain::{DateTime, Kind, ObjectId};
use crate::form::{self, each_section};
use crate::store::ObjectRow;

macro_rules! forms {
    ($($name:ident: $Section:ident / $Patch:ident / $Update:ident / $update:ident,)+) => {
        with_row! {
            /// A virtual extension: an internal number in front of several real extensions. Each section of its form is
            /// loaded when it is selected.
            VirtualExtension {
                /// The phone books that list the extension: those that include extensions, while
                /// `callSettings.includeInPhoneBooks` is on.
                async fn phone_books(&self, ctx: &Context<'_>) -> Result<Vec<objects::PhoneBook>> {
                    phone_books(ctx, self.0.id).await
                }

                $(#[doc = concat!("The section `", stringify!($name), "` of the form.")]
                async fn $name(&self, ctx: &Context<'_>) -> Result<Arc<form::$Section>> {
                    Scope::of(ctx)?.section(self.0.id).await
                })+
            }
        }

        /// The form that a new virtual extension opens with: the tenant's defaults. Number, name and login are empty.
        pub struct NewVirtualExtension(pub(super) Arc<ObjectRow>);

        /// The form that a new virtual extension opens with: the tenant's defaults. Number, name and login are empty.
        #[Object]
        impl NewVirtualExtension {
            /// The version of the tenant's defaults; good for `expectedVersion` when the defaults are updated.
            async fn version(&self) -> i64 {
                self.0.version
            }

            /// When the tenant's defaults were last saved.
            async fn changed_at(&self) -> DateTime {
                self.0.changed_at
            }

            $(#[doc = concat!("The section `", stringify!($name), "` of the form.")]
            async fn $name(&self, ctx: &Context<'_>) -> Result<Arc<form::$Section>> {
                Scope::of(ctx)?.section(self.0.id).await
            })+
        }
    };
}
each_section!(forms);

async fn phone_books(ctx: &Context<'_>, id: ObjectId) -> Result<Vec<objects::PhoneBook>> {
    let scope = Scope::of(ctx)?;
    let settings: Arc<form::CallSettings> = scope.section(id).await?;
    if !settings.include_in_phone_books {
        return Ok(Vec::new());
    }
    let mut books = Vec::new();
    let rows = scope.of_kind(id.tenant, Kind::PhoneBook).await?;
    let details = rows.iter().map(|row| scope.section::<crate::objects::PhoneBook>(row.id));
    let details = futures_util::future::try_join_all(details).await?;
    for (row, detail) in rows.into_iter().zip(details) {
        if detail.include_extensions {
            books.push(objects::PhoneBook(row));
        }
    }
    Ok(books)
}
