//! Matching the error texts that scripts expect against Wharf's own.
//!
//! The texts in the official scripts come from several reference implementations, so they name the same event in
//! different words. Malformed, invalid and unlinkable modules only have to be rejected; for traps the text has to
//! name the same event.

/// Words of the scripts, and words that Wharf uses for the same event.
const EQUIVALENT: &[(&str, &[&str])] = &[
    (
        "out of bounds memory access",
        &["out of bounds memory access", "memory access out of bounds"],
    ),
    (
        "out of bounds table access",
        &[
            "out of bounds table access",
            "undefined element",
            "table access out of bounds",
            "table index is out of bounds",
        ],
    ),
    (
        "out of bounds",
        &[
            "out of bounds memory access",
            "out of bounds table access",
            "memory access out of bounds",
            "out of bounds",
        ],
    ),
    (
        "undefined element",
        &[
            "undefined element",
            "out of bounds table access",
            "table access out of bounds",
        ],
    ),
    (
        "undefined",
        &[
            "undefined element",
            "out of bounds table access",
            "table access out of bounds",
        ],
    ),
    (
        "uninitialized element",
        &[
            "uninitialized element",
            "indirect call to null",
            "uninitialized table element",
        ],
    ),
    (
        "uninitialized",
        &[
            "uninitialized element",
            "indirect call to null",
            "uninitialized table element",
        ],
    ),
    ("unreachable", &["unreachable"]),
    (
        "integer divide by zero",
        &[
            "integer divide by zero",
            "integer division by zero",
            "division by zero",
        ],
    ),
    ("integer overflow", &["integer overflow"]),
    (
        "invalid conversion to integer",
        &["invalid conversion to integer", "conversion to integer"],
    ),
    (
        "indirect call type mismatch",
        &["indirect call type mismatch", "indirect call signature mismatch"],
    ),
    (
        "indirect call",
        &["indirect call type mismatch", "indirect call signature mismatch"],
    ),
    (
        "call stack exhausted",
        &["call stack exhausted", "stack overflow"],
    ),
    (
        "null function reference",
        &["null reference", "null function reference"],
    ),
    // The Component Model's scripts.
    (
        "string content out-of-bounds",
        &[
            "string content out-of-bounds",
            "string pointer/length out of bounds",
        ],
    ),
    (
        "string pointer/length out of bounds of memory",
        &["string content out-of-bounds"],
    ),
    (
        "list content out-of-bounds",
        &["list content out-of-bounds", "list pointer/length out of bounds"],
    ),
    ("realloc return: result not aligned", &["unaligned pointer"]),
    (
        "realloc return: beyond end of memory",
        &["out-of-bounds", "out of bounds"],
    ),
];

/// Whether `got`, the text of a trap, names the event that the script calls `expected`.
pub(crate) fn trap_matches(expected: &str, got: &str) -> bool {
    let expected = expected.strip_prefix("wasm trap: ").unwrap_or(expected);
    if got.contains(expected) {
        return true;
    }
    if EQUIVALENT
        .iter()
        .any(|(words, ours)| *words == expected && ours.iter().any(|w| got.contains(w)))
    {
        return true;
    }
    // Some scripts add the index, which others leave out: "uninitialized element 7".
    expected.starts_with("uninitialized element ") && trap_matches("uninitialized element", got)
}

#[cfg(test)]
mod tests {
    use super::trap_matches;

    #[test]
    fn same_event_in_other_words() {
        assert!(trap_matches(
            "unreachable",
            "wasm trap: unreachable instruction executed"
        ));
        assert!(trap_matches("wasm trap: unaligned pointer", "unaligned pointer"));
        assert!(trap_matches("uninitialized element 7", "uninitialized element"));
        assert!(trap_matches("call stack exhausted", "stack overflow"));
    }

    #[test]
    fn other_events_do_not_match() {
        assert!(!trap_matches("unreachable", "integer overflow"));
        assert!(!trap_matches("integer divide by zero", "integer overflow"));
        assert!(!trap_matches("unknown handle index 5", "unknown handle index 1"));
    }
}
