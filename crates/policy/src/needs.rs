//! What grants an import: flags, keys of policy files, and the least policy that a component needs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What an interface needs so that a component can import it, or do something with it.
struct Need {
    /// What the name of the import begins with.
    prefix: &'static str,
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
        flag: "--keyvalue NAME=memory:",
        key: "[keyvalue.NAME]",
        value: "",
        table: "[keyvalue]\n# [keyvalue.NAME]           # each bucket that it opens\n# backend = \"memory:\"       # or \"redb:PATH\", \"redis://HOST\", \"rediss://HOST\"\n# namespace = \"NAMESPACE\"   # whose data it is; not needed in memory\n# max-bytes = \"64M\"\n",
        absent: true,
    },
    Need {
        prefix: "wasi:config/",
        flag: "--config NAME=VALUE",
        key: "[config]",
        value: "",
        table: "[config]\n# NAME = \"VALUE\"            # each setting that it reads\n",
        absent: true,
    },
    Need {
        prefix: "wasi:logging/",
        flag: "--log-level LEVEL",
        key: "[logging]",
        value: "",
        table: "[logging]\nlevel = \"info\"\n",
        absent: true,
    },
    Need {
        prefix: "wasi:filesystem/",
        flag: "--dir HOST::GUEST",
        key: "[[dir]]",
        value: "",
        table: "# [[dir]]                    # each folder that it uses\n# guest = \"/data\"\n# host = \"PATH\"             # or memory = true\n# read-only = true\n",
        absent: false,
    },
    Need {
        prefix: "wasi:cli/environment",
        flag: "--env KEY=VALUE",
        key: "[env]",
        value: "",
        table: "# [env]                      # each variable that it reads\n# KEY = \"VALUE\"\n",
        absent: false,
    },
    Need {
        prefix: "wasi:sockets/",
        flag: "--net RULE",
        key: "net",
        value: "# net = [\"tcp-connect:HOST:PORT\", \"lookup:HOST\"]\n",
        table: "",
        absent: false,
    },
    Need {
        prefix: "wasi:http/outgoing-handler",
        flag: "--http RULE",
        key: "http",
        value: "# http = [\"https://HOST\"]\n",
        table: "",
        absent: false,
    },
];

/// Interfaces that need no grant.
const FREE: [&str; 6] = [
    "wasi:io/",
    "wasi:clocks/",
    "wasi:random/",
    "wasi:cli/",
    "wasi:http/types",
    "wasi:filesystem/",
];

fn need(import: &str) -> Option<&'static Need> {
    NEEDS.iter().find(|need| import.starts_with(need.prefix))
}

/// What a person can do when an import is not there: the flag and the key of a policy file that grant it. `None` for
/// what no grant brings.
pub fn grant_hint(import: &str) -> Option<String> {
    let need = need(import).filter(|need| need.absent)?;
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
    let unknown: Vec<&&str> = imports
        .iter()
        .filter(|import| need(import).is_none() && !FREE.iter().any(|free| import.starts_with(free)))
        .collect();
    if !unknown.is_empty() {
        text.push_str("#\n# No policy grants these imports; they have to be linked in:\n");
        for import in unknown {
            let import: String = import.chars().filter(|c| !c.is_control()).collect();
            let _ = writeln!(text, "#   {import}");
        }
    }
    let needed: Vec<&Need> = NEEDS
        .iter()
        .filter(|need| imports.iter().any(|import| import.starts_with(need.prefix)))
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
    if needed.is_empty() {
        text.push_str("\n# It needs no grants.\n");
    }
    text
}
