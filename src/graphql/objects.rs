//! Every kind of object but virtual extensions, one type per kind. What all have comes from their own row, the rest is loaded
//! when it is selected.

use std::sync::Arc;

use async_graphql::{Context, ID, Interface, Object, OutputType, Result, SchemaBuilder};

use super::form::VirtualExtension;
use super::referrers::ObjectReferenceConnection;
use super::scope::Scope;
use crate::domain::{DateTime, Kind, kind};
use crate::objects::{self, Detail, each_detail};
use crate::store::ObjectRow;

/// The fields that every object has.
macro_rules! with_row {
    ($(#[$about:meta])* $Type:ident { $($rest:tt)* }) => {
        $(#[$about])*
        pub struct $Type(pub(super) Arc<ObjectRow>);

        $(#[$about])*
        #[Object]
        impl $Type {
            /// The opaque id, good for `node` and for every input that takes an id.
            pub(super) async fn id(&self) -> ID {
                self.0.id.opaque()
            }

            /// What the object is.
            pub(super) async fn kind(&self) -> Kind {
                self.0.kind
            }

            /// The number that reaches the object, if it has one.
            pub(super) async fn number(&self) -> Option<&str> {
                self.0.number.as_deref()
            }

            /// The object's name.
            pub(super) async fn name(&self) -> &str {
                &self.0.name
            }

            /// A note for administrators.
            pub(super) async fn description(&self) -> &str {
                &self.0.description
            }

            /// Whether the object is in use.
            pub(super) async fn enabled(&self) -> bool {
                self.0.enabled
            }

            /// Counts the saves of the object, from 1; good for `expectedVersion`.
            pub(super) async fn version(&self) -> i64 {
                self.0.version
            }

            /// When the object was made.
            pub(super) async fn created_at(&self) -> DateTime {
                self.0.created_at
            }

            /// When the object was last saved.
            pub(super) async fn changed_at(&self) -> DateTime {
                self.0.changed_at
            }

            /// Where the object is used: by id, and by texts that equal its number.
            pub(super) async fn references(
                &self,
                ctx: &Context<'_>,
                #[graphql(desc = "The length of the page: 1 to 100, 20 when left out.")] first: Option<i64>,
                #[graphql(desc = "The cursor behind which the page begins; left out, at the beginning.")]
                after: Option<String>,
                #[graphql(desc = "Only by objects of these kinds; left out, by all.")] kinds: Option<Vec<Kind>>,
            ) -> Result<$crate::graphql::referrers::ObjectReferenceConnection> {
                $crate::graphql::referrers::references(ctx, &self.0, first, after, kinds).await
            }

            $($rest)*
        }
    };
}
pub(super) use with_row;

/// A detail whose objects have a GraphQL type.
pub(super) trait Shown: Detail {
    type Object: From<Arc<ObjectRow>> + OutputType;
}

/// The GraphQL type behind a marker of [`kind`].
pub(super) trait Wrapped {
    type Object: Send + Sync;

    fn wrap(row: Arc<ObjectRow>) -> Self::Object;
}

macro_rules! wrappers {
    ($($Kind:ident / $field:ident $(/ $name:ident)*,)+) => {
        $(
            with_row! {
                /// The description of its kind stands here, see [`describe`].
                $Kind {
                    #[graphql(flatten)]
                    async fn detail(&self, ctx: &Context<'_>) -> Result<Arc<objects::$Kind>> {
                        Scope::of(ctx)?.section(self.0.id).await
                    }
                }
            }

            impl From<Arc<ObjectRow>> for $Kind {
                fn from(row: Arc<ObjectRow>) -> Self {
                    Self(row)
                }
            }

            impl Shown for objects::$Kind {
                type Object = $Kind;
            }

            impl Wrapped for kind::$Kind {
                type Object = $Kind;

                fn wrap(row: Arc<ObjectRow>) -> $Kind {
                    $Kind(row)
                }
            }
        )+

        /// Gives each type the description of its kind.
        pub(super) fn describe<Q, M, S>(schema: SchemaBuilder<Q, M, S>) -> SchemaBuilder<Q, M, S> {
            schema$(.override_output_type_description::<$Kind>(Kind::$Kind.about()))+
        }

        /// Anything that a tenant has: whatever has a number or can be pointed at.
        #[derive(Interface)]
        #[graphql(
            field(name = "id", ty = "ID", desc = "The opaque id, good for `node` and for every input that takes an id."),
            field(name = "kind", ty = "Kind", desc = "What the object is."),
            field(name = "number", ty = "Option<&str>", desc = "The number that reaches the object, if it has one."),
            field(name = "name", ty = "&str", desc = "The object's name."),
            field(name = "description", ty = "&str", desc = "A note for administrators."),
            field(name = "enabled", ty = "bool", desc = "Whether the object is in use."),
            field(name = "version", ty = "i64", desc = "Counts the saves of the object, from 1; good for `expectedVersion`."),
            field(name = "created_at", ty = "DateTime", desc = "When the object was made."),
            field(name = "changed_at", ty = "DateTime", desc = "When the object was last saved."),
            field(
                name = "references",
                ty = "ObjectReferenceConnection",
                desc = "Where the object is used: by id, and by texts that equal its number.",
                arg(name = "first", ty = "Option<i64>", desc = "The length of the page: 1 to 100, 20 when left out."),
                arg(name = "after", ty = "Option<String>", desc = "The cursor behind which the page begins; left out, at the beginning."),
                arg(name = "kinds", ty = "Option<Vec<Kind>>", desc = "Only by objects of these kinds; left out, by all.")
            )
        )]
        pub enum PbxObject {
            /// A virtual extension.
            VirtualExtension(VirtualExtension),
            $(#[doc = concat!("See `", stringify!($Kind), "`.")] $Kind($Kind),)+
        }

        impl PbxObject {
            /// The object as its own type; `None` for a tenant's template, which is not reached this way.
            pub(super) fn of(row: Arc<ObjectRow>) -> Option<Self> {
                match row.kind {
                    Kind::VirtualExtension => Some(Self::VirtualExtension(VirtualExtension(row))),
                    Kind::FormDefaults => None,
                    $(Kind::$Kind => Some(Self::$Kind($Kind(row))),)+
                }
            }
        }
    };
}
each_detail!(wrappers);

impl Wrapped for kind::AnyExtension {
    type Object = PbxObject;

    fn wrap(row: Arc<ObjectRow>) -> PbxObject {
        match row.kind {
            Kind::VirtualExtension => PbxObject::VirtualExtension(VirtualExtension(row)),
            _ => PbxObject::Extension(Extension(row)),
        }
    }
}
