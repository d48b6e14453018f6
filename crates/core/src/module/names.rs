//! The name section, read only when a name is wanted.

use std::collections::HashMap;

use wasmparser::{BinaryReader, Name, NameSectionReader};

/// The module's name.
pub(crate) fn module_name(section: &[u8]) -> Option<String> {
    for subsection in NameSectionReader::new(BinaryReader::new(section, 0)) {
        if let Ok(Name::Module { name, .. }) = subsection {
            return Some(name.to_string());
        }
    }
    None
}

/// A function's name.
pub(crate) fn func_name(section: &[u8], func: u32) -> Option<String> {
    for subsection in NameSectionReader::new(BinaryReader::new(section, 0)) {
        if let Ok(Name::Function(names)) = subsection {
            return names
                .into_iter()
                .map_while(Result::ok)
                .find(|n| n.index == func)
                .map(|n| n.name.to_string());
        }
    }
    None
}

/// The names of all functions.
pub(crate) fn func_names(section: &[u8]) -> HashMap<u32, &str> {
    for subsection in NameSectionReader::new(BinaryReader::new(section, 0)) {
        if let Ok(Name::Function(names)) = subsection {
            return names
                .into_iter()
                .map_while(Result::ok)
                .map(|n| (n.index, n.name))
                .collect();
        }
    }
    HashMap::new()
}
