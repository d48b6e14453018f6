//! Components: linking, instances, typed and dynamic calls, resources.

mod linker;

pub use linker::{InstancePre, Linker, LinkerInstance};
pub use wharf_bindgen::bindgen;
pub use wharf_component::types;
pub use wharf_component::{
    Component, ComponentExportIndex, ComponentNamedList, ComponentType, ExportLookup, Func, Instance, Lift,
    Lower, Resource, ResourceAny, ResourceTable, ResourceTableError, ResourceType, TypedFunc, Val,
};
pub use wharf_component::{enumeration, flags, record, variant};

/// What a host implementation gets out of the store's data: see the `add_to_linker` functions that
/// [`bindgen!`] makes.
pub trait HasData: 'static {
    /// The host, borrowed from the store's data.
    type Data<'a>;
}

/// The host is a `T` inside the store's data, or all of it.
pub struct HasSelf<T: ?Sized>(std::marker::PhantomData<T>);

impl<T: ?Sized + 'static> HasData for HasSelf<T> {
    type Data<'a> = &'a mut T;
}
