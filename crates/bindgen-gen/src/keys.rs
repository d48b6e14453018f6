//! Which WIT names the keys of options match.
//!
//! A name can be written with or without the version of its package; between an interface and what is inside it
//! stands `.` or `/`.

use wit_parser::{InterfaceId, PackageName, Resolve, WorldKey};

/// How far up from the named thing a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Item,
    Interface,
    Package,
    Namespace,
}

/// Where an interface, or an item without one, stands in the world.
pub(crate) enum Scope<'a> {
    /// An interface of a package.
    Interface { package: &'a PackageName, name: &'a str },
    /// An interface that the world declares in place.
    Inline(&'a str),
    /// The world itself.
    World,
}

impl<'a> Scope<'a> {
    pub(crate) fn of(resolve: &'a Resolve, key: &'a WorldKey) -> Scope<'a> {
        match key {
            WorldKey::Name(name) => Scope::Inline(name),
            WorldKey::Interface(id) => Scope::of_interface(resolve, *id).unwrap_or(Scope::World),
        }
    }

    fn of_interface(resolve: &'a Resolve, id: InterfaceId) -> Option<Scope<'a>> {
        let interface = &resolve.interfaces[id];
        let package = &resolve.packages[interface.package?].name;
        Some(Scope::Interface {
            package,
            name: interface.name.as_deref()?,
        })
    }

    /// Whether `key` names `item` in this scope, or the scope or a part of it.
    pub(crate) fn matches(&self, key: &str, item: Option<&str>) -> Option<Level> {
        let names = match self {
            Scope::World => return item.filter(|i| *i == key).map(|_| Level::Item),
            Scope::Inline(name) => vec![(*name).to_owned()],
            Scope::Interface { package, name } => {
                let (ns, pkg) = (&package.namespace, &package.name);
                if key == ns {
                    return Some(Level::Namespace);
                }
                let plain = format!("{ns}:{pkg}");
                let mut names = vec![format!("{plain}/{name}")];
                if key == plain {
                    return Some(Level::Package);
                }
                if let Some(version) = &package.version {
                    names.push(format!("{plain}/{name}@{version}"));
                    if key == format!("{plain}@{version}") {
                        return Some(Level::Package);
                    }
                }
                names
            }
        };
        for name in names {
            let Some(rest) = key.strip_prefix(name.as_str()) else {
                continue;
            };
            if rest.is_empty() {
                return Some(Level::Interface);
            }
            if let Some(item) = item
                && (rest.strip_prefix('.') == Some(item) || rest.strip_prefix('/') == Some(item))
            {
                return Some(Level::Item);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        let package = PackageName {
            namespace: "a".into(),
            name: "b".into(),
            version: Some("1.2.3".parse().unwrap()),
        };
        let scope = Scope::Interface {
            package: &package,
            name: "i",
        };
        let item = Some("[method]r.f");
        for (key, level) in [
            ("a", Some(Level::Namespace)),
            ("a:b", Some(Level::Package)),
            ("a:b@1.2.3", Some(Level::Package)),
            ("a:b/i", Some(Level::Interface)),
            ("a:b/i@1.2.3", Some(Level::Interface)),
            ("a:b/i.[method]r.f", Some(Level::Item)),
            ("a:b/i/[method]r.f", Some(Level::Item)),
            ("a:b/i@1.2.3.[method]r.f", Some(Level::Item)),
            ("a:b/i@1.2.3/[method]r.f", Some(Level::Item)),
            ("a:b/i@1.2.4", None),
            ("a:b/j", None),
            ("a:b/ij", None),
            ("a:b/i.[method]r.g", None),
            ("b", None),
        ] {
            assert_eq!(scope.matches(key, item), level, "{key}");
        }
        assert_eq!(Scope::Inline("x").matches("x.f", Some("f")), Some(Level::Item));
        assert_eq!(Scope::World.matches("f", Some("f")), Some(Level::Item));
        assert_eq!(Scope::World.matches("g", Some("f")), None);
    }
}
