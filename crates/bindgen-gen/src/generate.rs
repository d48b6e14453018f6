//! The order of the parts: definitions, imports, exports, the world.

use proc_macro2::TokenStream;
use wit_parser::{Resolve, WorldId};

use crate::generator::{Generator, PlacePath};
use crate::modules::ModuleTree;
use crate::options::Options;
use crate::{exports, imports, typedefs, world};

/// Writes the bindings of a world.
///
/// # Errors
/// If an option names something that is not in the world, or the world uses a feature that bindings cannot express yet.
pub fn generate(resolve: &Resolve, world: WorldId, options: &Options) -> syn::Result<TokenStream> {
    // Afterwards an interface that is both imported and exported has two ids, so that each id has one place.
    let mut resolve = resolve.clone();
    resolve.generate_nominal_type_ids(world);
    let generator = Generator::new(&resolve, world, options)?;
    let mut tree = ModuleTree::default();
    for place in generator.places.values() {
        if matches!(place.path, PlacePath::Own(_)) {
            typedefs::interface(&generator, place, &mut tree)?;
        }
    }
    typedefs::world(&generator, &mut tree)?;
    imports::interfaces(&generator, &mut tree)?;
    exports::interfaces(&generator, &mut tree)?;
    world::world(&generator, &mut tree)?;
    tree.add(&[], generator.aliases());
    generator.used.check_all(options, &resolve.worlds[world].name)?;
    Ok(tree.into_tokens())
}
