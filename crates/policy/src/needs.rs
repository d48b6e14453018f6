//! What grants an import: flags, keys of policy files, and the least policy that a component needs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What an interface needs so that a component can import it, or do something with it.
struct Need {
    /// What the name of the import begins with.
    prefix: &'static str,
    /// The versions that there are, where they are not those of WASI 0.2. One of them may be empty.
    versions: &'static [&'static str],
    /// The flag that grants it.
    flag: &'static str,
    /// The key in a policy file that grants it.
    key: &'static str,
    /// Lines of a policy file: what is needed to import it, and comments where more is needed that can't be known.
    /// Single values must stand before tables.
    value: &'static str,
    table: &'static str,
    /// Whether the interface is not there at all without a grant.
    absent: bool,
}

const NEEDS: [Need; 7] = [
    Need {
        prefix: "wasi:keyvalue/",
        versions: &["0.2.0-draft2", "0.2.0-draft"],
        flag: "--keyvalue NAME=memory:",
        key: "[keyvalue.NAME]",
        value: "",
        table: "[keyvalue]\n# [keyvalue.NAME]           # each bucket that it opens\n# backend = \"memory:\"       # or \"redb:PATH\", \"redis://HOST\", \"rediss://HOST\"\n# namespace = \"NAMESPACE\"   # whose data it is; not needed in memory\n# max-bytes = \"64M\"\n",
        absent: true,
    },
    Need {
        prefix: "wasi:config/",
        versions: &["0.2.0-rc.1", "0.2.0-draft"],
        flag: "--config NAME=VALUE",
        key: "[config]",
        value: "",
        table: "[config]\n# NAME = \"VALUE\"            # each setting that it reads\n# [config-env]\n# OTHER = \"VARIABLE\"        # the same, from the environment\n",
        absent: true,
    },
    Need {
        prefix: "wasi:logging/",
        versions: &["0.1.0-draft", ""],
        flag: "--log-level LEVEL",
        key: "[logging]",
        value: "",
        table: "[logging]\nlevel = \"info\"\n",
        absent: true,
    },
    Need {
        prefix: "wasi:filesystem/",
        versions: &[],
        flag: "--dir HOST::GUEST",
        key: "[[dir]]",
        value: "",
        table: "# [[dir]]                    # each folder that it uses\n# guest = \"/data\"\n# host = \"PATH\"             # or memory = true\n# read-only = true\n",
        absent: false,
    },
    Need {
        prefix: "wasi:cli/environment",
        versions: &[],
        flag: "--env KEY=VALUE",
        key: "[env]",
        value: "",
        table: "# [env]                      # each variable that it reads\n# KEY = \"VALUE\"\n",
        absent: false,
    },
    Need {
        prefix: "wasi:sockets/",
        versions: &[],
        flag: "--net RULE",
        key: "net",
        value: "# net = [\"tcp-connect:HOST:PORT\", \"lookup:HOST\"]\n",
        table: "",
        absent: false,
    },
    Need {
        prefix: "wasi:http/outgoing-handler",
        versions: &[],
        flag: "--http RULE",
        key: "http",
        value: "# http = [\"https://HOST\"]\n",
        table: "",
        absent: false,
    },
];

/// The interfaces that a component can import.
const INTERFACES: [&str; 34] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:config/store",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:keyvalue/atomics",
    "wasi:keyvalue/batch",
    "wasi:keyvalue/store",
    "wasi:logging/logging",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

fn need(import: &str) -> Option<&'static Need> {
    NEEDS.iter().find(|need| import.starts_with(need.prefix))
}

/// Whether there is such an interface, in this version.
fn is_known(import: &str) -> bool {
    let (name, version) = import.split_once('@').unwrap_or((import, ""));
    if !INTERFACES.contains(&name) {
        return false;
    }
    match need(name).map(|need| need.versions).unwrap_or_default() {
        // Functions of preview 1 stand for interfaces without a version.
        [] if version.is_empty() => true,
        [] => version
            .strip_prefix("0.2.")
            .is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit())),
        versions => versions.contains(&version),
    }
}

/// What a person can do when an import is not there: the flag and the key of a policy file that grant it, or which
/// versions of it there are. `None` for what no grant brings.
pub fn grant_hint(import: &str) -> Option<String> {
    let need = need(import).filter(|need| need.absent)?;
    let name = import.split_once('@').map_or(import, |(name, _)| name);
    if !INTERFACES.contains(&name) {
        let known = INTERFACES.iter().filter(|known| known.starts_with(need.prefix));
        let known: Vec<String> = known.map(|known| format!("`{known}`")).collect();
        return Some(match known.is_empty() {
            true => format!("Wharf has no `{name}`"),
            false => format!("Wharf has no `{name}`, but {}", known.join(", ")),
        });
    }
    if !is_known(import) {
        let versions: Vec<&str> = need.versions.iter().copied().filter(|v| !v.is_empty()).collect();
        return Some(format!(
            "Wharf has `{}` in the versions {}, and this is none of them",
            need.prefix.trim_end_matches('/'),
            versions.join(" and ")
        ));
    }
    Some(format!(
        "`{}` grants it, or `{}` in a policy file",
        need.flag, need.key
    ))
}

/// The least policy under which a component with these imports can be started, as the text of a policy file. What can't
/// be known stands in it as a comment.
pub fn least_policy<'a>(component: &str, imports: impl IntoIterator<Item = &'a str>) -> String {
    let imports: BTreeSet<&str> = imports.into_iter().collect();
    let mut text = String::new();
    let name: String = component
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let _ = writeln!(
        text,
        "# The least that {name} needs. What can't be known from its imports is left to fill in."
    );
    let unknown: Vec<&&str> = imports.iter().filter(|import| !is_known(import)).collect();
    if !unknown.is_empty() {
        text.push_str("#\n# No policy grants these imports; they have to be linked in:\n");
        for import in unknown {
            let import: String = import.chars().filter(|c| !c.is_control()).collect();
            let _ = writeln!(text, "#   {import}");
        }
    }
    let needed: Vec<&Need> = NEEDS
        .iter()
        .filter(|need| {
            imports
                .iter()
                .any(|import| import.starts_with(need.prefix) && is_known(import))
        })
        .collect();
    for part in [|need: &Need| need.value, |need: &Need| need.table] {
        for need in &needed {
            if !part(need).is_empty() {
                let _ = write!(
                    text,
                    "\n# For {}\n{}",
                    need.prefix.trim_end_matches('/'),
                    part(need)
                );
            }
        }
    }
    if needed.is_empty() && !imports.iter().any(|import| !is_known(import)) {
        text.push_str("\n# It needs no grants.\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// The names of the interfaces in the WIT that the hosts implement, but for those that guests export.
    fn in_wit() -> BTreeSet<String> {
        let deps = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/deps");
        let mut names = BTreeSet::new();
        for package in std::fs::read_dir(deps).unwrap() {
            let files = std::fs::read_dir(package.unwrap().path()).unwrap();
            let texts: Vec<String> = files
                .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
                .collect();
            let package = texts.iter().flat_map(|text| text.lines());
            let package = package
                .filter_map(|line| line.strip_prefix("package "))
                .map(|rest| {
                    rest.trim_end_matches(';')
                        .split('@')
                        .next()
                        .unwrap_or_default()
                        .to_owned()
                })
                .next()
                .unwrap();
            for line in texts.iter().flat_map(|text| text.lines()) {
                if let Some(rest) = line.strip_prefix("interface ") {
                    names.insert(format!("{package}/{}", rest.trim_end_matches(['{', ' '])));
                }
            }
        }
        for exported in [
            "wasi:cli/run",
            "wasi:http/incoming-handler",
            "wasi:keyvalue/watcher",
            // Not stable, and not there.
            "wasi:clocks/timezone",
        ] {
            assert!(names.remove(exported), "{exported}");
        }
        names
    }

    #[test]
    fn every_interface_is_known() {
        let known: BTreeSet<String> = INTERFACES.into_iter().map(str::to_owned).collect();
        assert_eq!(known, in_wit());
    }

    #[test]
    fn versions_are_told_apart() {
        for known in [
            "wasi:io/poll@0.2.0",
            "wasi:io/poll@0.2.12",
            "wasi:filesystem/types",
            "wasi:keyvalue/store@0.2.0-draft",
            "wasi:keyvalue/batch@0.2.0-draft2",
            "wasi:logging/logging",
        ] {
            assert!(is_known(known), "{known}");
        }
        for unknown in [
            "wasi:io/poll@0.3.0",
            "wasi:io/poll@0.2.0-rc-2023-11-10",
            "wasi:io/poll@0.2.",
            "wasi:io/polling@0.2.0",
            "wasi:keyvalue/store",
            "wasi:keyvalue/store@0.2.0",
            "wasi:keyvalue/watcher@0.2.0-draft2",
            "wasi:config/runtime@0.2.0-draft",
        ] {
            assert!(!is_known(unknown), "{unknown}");
        }
        let hint = grant_hint("wasi:keyvalue/store@0.2.0-draft9").unwrap();
        assert!(
            hint.contains("0.2.0-draft2") && !hint.contains("--keyvalue"),
            "{hint}"
        );
        let hint = grant_hint("wasi:config/runtime@0.2.0-draft").unwrap();
        assert!(
            hint.contains("no `wasi:config/runtime`") && hint.contains("wasi:config/store"),
            "{hint}"
        );
    }
}
