//! Names with a version, and which of them stand for one another.

/// Major, minor, patch.
pub(crate) type Version = (u64, u64, u64);

/// A versioned name without what may differ between compatible versions, and the version.
pub(crate) fn compatible_key(name: &str) -> Option<(String, Version)> {
    let (base, version) = name.split_once('@')?;
    let mut parts = version.splitn(3, '.');
    let mut number = || parts.next()?.parse::<u64>().ok();
    let version = (number()?, number()?, number()?);
    let key = match version {
        (0, 0, patch) => format!("{base}@0.0.{patch}"),
        (0, minor, _) => format!("{base}@0.{minor}"),
        (major, ..) => format!("{base}@{major}"),
    };
    Some((key, version))
}
