//! Rust names for WIT names.

use heck::{ToShoutySnakeCase, ToSnakeCase, ToUpperCamelCase};
use proc_macro2::Span;
use syn::Ident;

/// The name of a function, parameter, field or module.
pub(crate) fn snake(name: &str) -> Ident {
    ident(&name.to_snake_case())
}

/// The name of a type, trait or case.
pub(crate) fn camel(name: &str) -> Ident {
    ident(&name.to_upper_camel_case())
}

/// The name of a type in a module that also has the traits and structs `Host*` or `Guest*`.
pub(crate) fn type_name(name: &str) -> Ident {
    match name.to_upper_camel_case().as_str() {
        taken @ ("Host" | "Guest") => ident(&format!("{taken}_")),
        free => ident(free),
    }
}

/// The name of a flag.
pub(crate) fn shouty(name: &str) -> Ident {
    ident(&name.to_shouty_snake_case())
}

/// `prefix` and the camel case of `name` in one.
pub(crate) fn prefixed(prefix: &str, name: &str) -> Ident {
    ident(&format!("{prefix}{}", name.to_upper_camel_case()))
}

/// `prefix` and the snake case of `name`, with an underscore between.
pub(crate) fn prefixed_snake(prefix: &str, name: &str) -> Ident {
    ident(&format!("{prefix}_{}", name.to_snake_case()))
}

/// An identifier; a keyword gets an underscore, as in `type_`.
pub(crate) fn ident(name: &str) -> Ident {
    // `gen` is one since the 2024 edition.
    let keyword = name == "gen" || syn::parse_str::<Ident>(name).is_err();
    let name = if keyword {
        format!("{name}_")
    } else {
        name.to_owned()
    };
    Ident::new(&name, Span::call_site())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(snake("get-insecure-random-u64"), "get_insecure_random_u64");
        assert_eq!(snake("type"), "type_");
        assert_eq!(snake("self"), "self_");
        assert_eq!(snake("async"), "async_");
        assert_eq!(camel("DNS-error-payload"), "DnsErrorPayload");
        assert_eq!(camel("self"), "Self_");
        assert_eq!(type_name("host"), "Host_");
        assert_eq!(shouty("read-only"), "READ_ONLY");
        assert_eq!(prefixed("Host", "tcp-socket"), "HostTcpSocket");
    }
}
