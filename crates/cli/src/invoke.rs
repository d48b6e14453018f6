//! `wharf run --invoke`: finds an export by the name a person gives it, and calls it with values in WAVE.

use wharf::Store;
use wharf::component::types::{ComponentFunc, ComponentItem, Type};
use wharf::component::{Component, Func, Instance, Val};

use crate::failure::Failure;
use crate::say::print;
use crate::wave;

/// An exported function, and the instance that exports it if the component itself does not.
pub struct Candidate {
    instance: Option<String>,
    name: String,
    /// What it takes and gives.
    pub ty: ComponentFunc,
}

impl Candidate {
    /// The function in an instance of its component.
    pub fn func<T: Send + 'static>(&self, store: &mut Store<T>, instance: &Instance) -> Option<Func> {
        match &self.instance {
            Some(outer) => {
                let outer = instance.get_export_index(&mut *store, None, outer)?;
                let index = instance.get_export_index(&mut *store, Some(&outer), &self.name)?;
                instance.get_func(&mut *store, index)
            }
            None => instance.get_func(&mut *store, self.name.as_str()),
        }
    }

    /// The name to show, which [`find`] also takes.
    fn full_name(&self) -> String {
        match &self.instance {
            Some(instance) => format!("{instance}#{}", self.name),
            None => self.name.clone(),
        }
    }

    /// Whether `text` is one of the candidate's names: `func`, `ns:pkg/iface@1.0.0#func`, the same without the version,
    /// or `iface.func`.
    fn is_named(&self, text: &str) -> bool {
        let Some(instance) = &self.instance else {
            return text == self.name;
        };
        let unversioned = instance.split('@').next().unwrap_or(instance);
        let short = unversioned.rsplit('/').next().unwrap_or(unversioned);
        let joined = |prefix: &str, sign: char| {
            text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix(sign)) == Some(self.name.as_str())
        };
        joined(instance, '#') || joined(unversioned, '#') || joined(short, '.') || joined(short, '#')
    }
}

/// A call as it stands on the command line: the name, and the arguments between the parentheses.
pub fn split_call(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.trim().split_once('(')?;
    let args = rest.strip_suffix(')')?;
    if name.trim().is_empty() {
        None
    } else {
        Some((name.trim(), args))
    }
}

/// What is wrong with a call that [`split_call`] does not take.
pub fn malformed(text: &str) -> Failure {
    Failure::new(format!(
        "--invoke: expected NAME(ARGS), such as \"add(1, 2)\", got {text:?}"
    ))
}

/// Calls an export of `instance` and prints its results to standard output.
///
/// # Errors
/// If there is no such export, the arguments do not fit, or the call fails.
pub fn invoke<T: Send + 'static>(
    file: &str,
    store: &mut Store<T>,
    component: &Component,
    instance: &Instance,
    call: &str,
) -> Result<(), Failure> {
    let (name, args) = split_call(call).ok_or_else(|| malformed(call))?;
    let candidate = find(component, name).map_err(|e| Failure::new(format!("{file}: {e}")))?;
    let types: Vec<Type> = candidate.ty.params().map(|(_, ty)| ty).collect();
    let args = wave::parse_arguments(args, &types).map_err(|e| {
        Failure::new(format!(
            "--invoke: {e}; the function is {}",
            signature(&candidate)
        ))
    })?;

    let func = candidate.func(store, instance).ok_or_else(|| {
        Failure::new(format!(
            "{file}: the instance has no export {}",
            candidate.full_name()
        ))
    })?;
    let mut results = vec![Val::Bool(false); candidate.ty.results().len()];
    func.call(&mut *store, &args, &mut results)
        .map_err(|e| Failure::engine(file, &e))?;
    if results.is_empty() {
        print("()\n")?;
    }
    for result in &results {
        let text = wave::to_string(result).map_err(|e| Failure::new(format!("{file}: the result: {e}")))?;
        print(&format!("{text}\n"))?;
    }
    Ok(())
}

/// The one exported function that `name` means.
///
/// # Errors
/// If there is none or more than one, a text for people.
pub fn find(component: &Component, name: &str) -> Result<Candidate, String> {
    let all = candidates(component);
    let list = |some: &mut dyn Iterator<Item = &Candidate>| {
        some.map(|c| format!("\n  {}", signature(c))).collect::<String>()
    };
    // A function's own name will do if only one instance has such a function.
    let mut chosen: Vec<usize> = (0..all.len()).filter(|i| all[*i].is_named(name)).collect();
    if chosen.is_empty() {
        chosen = (0..all.len()).filter(|i| all[*i].name == name).collect();
    }
    match chosen[..] {
        [one] => all.into_iter().nth(one).ok_or_else(String::new),
        [] if all.is_empty() => Err(format!("no export {name}: the component exports no functions")),
        [] => Err(format!(
            "no export {name}; the component exports{}",
            list(&mut all.iter())
        )),
        _ => Err(format!(
            "{name} may mean{}",
            list(&mut chosen.iter().map(|i| &all[*i]))
        )),
    }
}

fn candidates(component: &Component) -> Vec<Candidate> {
    let mut out = Vec::new();
    for (name, item) in component.component_type().exports() {
        match item {
            ComponentItem::ComponentFunc(ty) => {
                out.push(Candidate {
                    instance: None,
                    name: name.to_string(),
                    ty,
                });
            }
            ComponentItem::ComponentInstance(instance) => {
                for (inner, item) in instance.exports() {
                    if let ComponentItem::ComponentFunc(ty) = item {
                        let instance = Some(name.to_string());
                        out.push(Candidate {
                            instance,
                            name: inner.to_string(),
                            ty,
                        });
                    }
                }
            }
            _ => {}
        }
    }
    out
}

/// A function's name, parameters and results, for people.
pub fn signature(candidate: &Candidate) -> String {
    let params: Vec<String> = candidate
        .ty
        .params()
        .map(|(name, ty)| format!("{name}: {}", ty.desc()))
        .collect();
    let results: Vec<&str> = candidate.ty.results().map(|ty| ty.desc()).collect();
    let arrow = if results.is_empty() { "" } else { " -> " };
    format!(
        "{}({}){arrow}{}",
        candidate.full_name(),
        params.join(", "),
        results.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_split_at_the_first_parenthesis() {
        assert_eq!(split_call("add(1, 2)"), Some(("add", "1, 2")));
        assert_eq!(
            split_call(" a:b/c@1.0.0#[method]r.get( \"(\" )"),
            Some(("a:b/c@1.0.0#[method]r.get", " \"(\" "))
        );
        assert_eq!(split_call("f()"), Some(("f", "")));
        assert_eq!(split_call("f"), None);
        assert_eq!(split_call("(1)"), None);
        assert_eq!(split_call("f(1"), None);
    }
}
