//! The schema, described with [`super::layer`]: everything that is not generated from sections and kinds, and the
//! places where the generated parts are added.

mod filter;
mod find;
mod forms;
mod generated;
mod kinds;
mod lint;
pub mod mutation;
mod nodes;
mod numbers;
mod options;
mod pages;
mod problems;
mod query;
mod referrers;
mod removal;
mod renumber;
mod rows;
mod sections;
mod shapes;
mod subscription;
mod tenants;

use std::sync::LazyLock;

use self::generated::{GeneratedTypes, generate};
use super::layer::{Layer, LayerSource, ObjectBuilder, object};
use crate::domain::Kind;
pub use find::find_from_args;
pub use pages::{DEFAULT_PAGE, MAX_PAGE, page_length};
pub use subscription::check_subscription;

/// The schema of vext.
pub struct Vext;

impl LayerSource for Vext {
    fn layer() -> &'static Layer {
        static LAYER: LazyLock<Layer> = LazyLock::new(|| {
            let layer = layer(generate());
            debug_assert_eq!(layer.problems(), [""; 0], "the descriptions fit together");
            layer
        });
        &LAYER
    }
}

/// The whole schema.
fn layer(generated: GeneratedTypes) -> Layer {
    let GeneratedTypes { tenant_fields, tenant_inputs, kind_inputs, definitions } = generated;
    let kinds: Vec<_> = kind_inputs.iter().map(|(kind, _)| *kind).collect();
    let listed = || [Kind::VirtualExtension].into_iter().chain(kinds.iter().copied());
    Layer::new("Query", "Mutation", "Subscription")
        .with(query_root())
        .with(mutation_root(kinds.iter().copied()))
        .with(subscription::root())
        .with(query::tenant_type(tenant_fields))
        .with_all(rows::interfaces())
        .with_all(listed().flat_map(find::connection_types))
        .with_all(kinds.iter().map(|kind| mutation::payload_type(*kind)))
        .with_all(kind_inputs.iter().flat_map(|(kind, inputs)| kinds::inputs(*kind, inputs)))
        .with(shapes::choice_type(Kind::TYPE))
        .with(find::object_by_type())
        .with(pages::page_info_type())
        .with(numbers::availability_type())
        .with_all(filter::definitions())
        .with_all(referrers::definitions())
        .with_all(options::definitions())
        .with_all(problems::definitions())
        .with_all(forms::definitions())
        .with_all(renumber::definitions())
        .with_all(removal::definitions())
        .with_all(lint::definitions())
        .with_all(tenants::definitions(&tenant_inputs))
        .with_all(subscription::definitions())
        .with_all(definitions)
}

fn query_root() -> ObjectBuilder<()> {
    let about = "The root of all queries.\n\n\
                 How this schema stays stable: nothing is renamed or removed before it has been deprecated for\n\
                 one release. Types, fields, optional arguments and enum values may be added in any release.";
    let [plan, _] = removal::plan_fields();
    let [lint, _] = lint::fields();
    object::<()>("Query", about).fields(query::root_fields()).field(plan).field(lint)
}

fn mutation_root(kinds: impl Iterator<Item = Kind>) -> ObjectBuilder<()> {
    object::<()>("Mutation", "The root of all mutations.")
        .fields(forms::fields())
        .fields(kinds.flat_map(kinds::save_fields))
        .field(removal::delete_field())
        .fields(tenants::fields())
}
