//! The syntax of `bindgen!`.

use proc_macro2::Span;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, LitBool, LitStr, Token, braced, bracketed, token};

use crate::options::{FunctionFlags, FunctionRule, FunctionRules, Mapping, Options};

/// What stands between the parentheses of `bindgen!`.
pub struct Input {
    /// Which WIT to read.
    pub source: Source,
    /// What to make of it.
    pub options: Options,
}

/// Which WIT to read.
#[derive(Clone)]
pub struct Source {
    /// Files and folders of WIT packages, relative to the folder of the crate.
    pub paths: Vec<LitStr>,
    /// A WIT document in the source. Its packages can use those of `paths`.
    pub inline: Option<LitStr>,
    /// The world: a name in the main package, or a full name such as `wasi:cli/command@0.2.12`.
    pub world: Option<LitStr>,
    /// The `@unstable` features that are on.
    pub features: Vec<LitStr>,
    /// Where messages about the whole point to.
    pub span: Span,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> syn::Result<Input> {
        let mut parsed = Input {
            source: Source {
                paths: Vec::new(),
                inline: None,
                world: None,
                features: Vec::new(),
                span: Span::call_site(),
            },
            options: Options::default(),
        };
        if input.peek(token::Brace) {
            let content;
            braced!(content in input);
            let mut seen: Vec<String> = Vec::new();
            while !content.is_empty() {
                let name = content.call(Ident::parse_any)?;
                if seen.iter().any(|s| name == s) {
                    return Err(syn::Error::new(name.span(), format!("`{name}` is given twice")));
                }
                seen.push(name.to_string());
                content.parse::<Token![:]>()?;
                parsed.option(&name, &content)?;
                if !content.is_empty() {
                    content.parse::<Token![,]>()?;
                }
            }
        } else {
            if input.peek(LitStr) {
                parsed.source.world = Some(input.parse()?);
            }
            if input.peek(Token![in]) {
                input.parse::<Token![in]>()?;
                parsed.source.paths.push(input.parse()?);
            }
        }
        if !input.is_empty() {
            return Err(input.error("expected `{ option: value, .. }` or `\"world\" in \"path\"`"));
        }
        Ok(parsed)
    }
}

impl Input {
    fn option(&mut self, name: &Ident, value: ParseStream<'_>) -> syn::Result<()> {
        match name.to_string().as_str() {
            "world" => self.source.world = Some(value.parse()?),
            "inline" => self.source.inline = Some(value.parse()?),
            "path" if value.peek(token::Bracket) => self.source.paths = list(value)?,
            "path" => self.source.paths = vec![value.parse()?],
            "features" => self.source.features = list(value)?,
            "with" => self.options.with = mappings(value, |v| v.parse::<Token![:]>().map(drop))?,
            "trappable_error_type" => {
                self.options.trappable_error_types = mappings(value, |v| v.parse::<Token![=>]>().map(drop))?;
            }
            "imports" => self.options.imports = rules(value)?,
            "exports" => self.options.exports = rules(value)?,
            "additional_derives" => self.options.additional_derives = list(value)?,
            "wharf_crate" => {
                self.options.wharf_crate = value.call(syn::Path::parse_mod_style)?.into_token_stream();
            }
            "require_store_data_send" => {
                let on: LitBool = value.parse()?;
                if !on.value {
                    return Err(syn::Error::new(
                        on.span,
                        "the data of a `wharf::Store` is always `Send`",
                    ));
                }
            }
            "async" => {
                return Err(syn::Error::new(
                    name.span(),
                    "`async` is chosen per function: `imports: { default: async }`, `exports: { default: async }`",
                ));
            }
            _ => {
                return Err(syn::Error::new(
                    name.span(),
                    format!(
                        "unknown option `{name}`; there are `path`, `inline`, `world`, `features`, `with`, \
                         `trappable_error_type`, `imports`, `exports`, `additional_derives`, \
                         `require_store_data_send` and `wharf_crate`"
                    ),
                ));
            }
        }
        Ok(())
    }
}

fn list<T: Parse>(input: ParseStream<'_>) -> syn::Result<Vec<T>> {
    let content;
    bracketed!(content in input);
    Ok(Punctuated::<T, Token![,]>::parse_terminated(&content)?
        .into_iter()
        .collect())
}

fn mappings(
    input: ParseStream<'_>,
    separator: impl Fn(ParseStream<'_>) -> syn::Result<()>,
) -> syn::Result<Vec<Mapping>> {
    let content;
    braced!(content in input);
    let mut mappings: Vec<Mapping> = Vec::new();
    while !content.is_empty() {
        let key: LitStr = content.parse()?;
        if mappings.iter().any(|m| m.key == key.value()) {
            return Err(syn::Error::new(
                key.span(),
                format!("`{}` is given twice", key.value()),
            ));
        }
        separator(&content)?;
        mappings.push(Mapping {
            key: key.value(),
            span: key.span(),
            ty: content.parse()?,
        });
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    Ok(mappings)
}

fn rules(input: ParseStream<'_>) -> syn::Result<FunctionRules> {
    let content;
    braced!(content in input);
    let mut rules = FunctionRules::default();
    while !content.is_empty() {
        if content.peek(Token![default]) {
            content.parse::<Token![default]>()?;
            content.parse::<Token![:]>()?;
            rules.default = flags(&content)?;
        } else {
            let key: LitStr = content.parse()?;
            content.parse::<Token![:]>()?;
            rules.rules.push(FunctionRule {
                key: key.value(),
                span: key.span(),
                flags: flags(&content)?,
            });
        }
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    Ok(rules)
}

/// `async | trappable | ..`. Every host function can trap, so `trappable` says nothing new.
fn flags(input: ParseStream<'_>) -> syn::Result<FunctionFlags> {
    let mut flags = FunctionFlags::default();
    loop {
        let flag = input.call(Ident::parse_any)?;
        match flag.to_string().as_str() {
            "async" => flags.is_async = true,
            "exact" => flags.exact = true,
            "sync" | "trappable" => {}
            _ => {
                return Err(syn::Error::new(
                    flag.span(),
                    format!("unknown flag `{flag}`; there are `async`, `sync`, `trappable` and `exact`"),
                ));
            }
        }
        if !input.peek(Token![|]) {
            return Ok(flags);
        }
        input.parse::<Token![|]>()?;
    }
}
