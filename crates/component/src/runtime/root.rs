//! What the functions of a root instance share.

use std::sync::Arc;

use crate::component::Component;
use crate::resource::Resources;
use crate::types::{Scope, TypeArena};

/// What the functions of a root instance share.
pub(crate) struct Root {
    pub component: Component,
    /// Number of the root's own component instance in the store; those inside it follow.
    pub base: u32,
    pub resources: Arc<Resources>,
}

impl Root {
    pub fn types(&self) -> &TypeArena {
        self.component.types()
    }

    pub fn scope(&self) -> Scope {
        Scope {
            types: self.component.types().clone(),
            resources: Some(self.resources.clone()),
        }
    }
}
