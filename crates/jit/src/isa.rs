//! Target and settings.

use cranelift_codegen::{
    isa::{self, OwnedTargetIsa, TargetIsa},
    settings::{self, Configurable, Flags},
};
use wharf_core::{Error, Result, tier::Effort};

/// The machine that this process runs on, with all that its processor has.
pub(crate) fn host(effort: Effort) -> Result<OwnedTargetIsa> {
    let builder = cranelift_native::builder().map_err(Error::unsupported)?;
    finish(builder, effort)
}

/// Another target, with the least that is needed of its processor.
#[cfg(test)]
pub(crate) fn for_triple(triple: &str, effort: Effort) -> Result<OwnedTargetIsa> {
    let triple = triple
        .parse()
        .map_err(|e| Error::unsupported(format!("target {triple}: {e}")))?;
    let mut builder = isa::lookup(triple).map_err(|e| Error::unsupported(e.to_string()))?;
    if builder.triple().architecture == target_lexicon::Architecture::X86_64 {
        for feature in ["has_sse3", "has_ssse3", "has_sse41"] {
            set(&mut builder, feature, "true")?;
        }
    }
    finish(builder, effort)
}

fn finish(builder: isa::Builder, effort: Effort) -> Result<OwnedTargetIsa> {
    let isa = builder
        .finish(flags(effort)?)
        .map_err(|e| Error::unsupported(e.to_string()))?;
    let lacks = |feature: &str| {
        isa.isa_flags()
            .iter()
            .any(|f| f.name == feature && f.as_bool() == Some(false))
    };
    // Without it the rounding instructions would be calls of functions of a C library, which code can't reach.
    if lacks("has_sse41") {
        return Err(Error::unsupported("compiling for processors without SSE4.1"));
    }
    Ok(isa)
}

fn flags(effort: Effort) -> Result<Flags> {
    let mut builder = settings::builder();
    // Compilers to WebAssembly have optimised what they give us already; most of it becomes no faster.
    let opt_level = match effort {
        Effort::Quick => "none",
        Effort::Full => "speed",
    };
    let verify = if cfg!(debug_assertions) { "true" } else { "false" };
    for (name, value) in [
        ("opt_level", opt_level),
        ("preserve_frame_pointers", "true"),
        ("enable_multi_ret_implicit_sret", "true"),
        ("unwind_info", "false"),
        ("enable_probestack", "false"),
        ("enable_verifier", verify),
    ] {
        set(&mut builder, name, value)?;
    }
    Ok(Flags::new(builder))
}

fn set(builder: &mut dyn Configurable, name: &str, value: &str) -> Result<()> {
    builder
        .set(name, value)
        .map_err(|e| Error::unsupported(format!("Cranelift's setting {name}: {e}")))
}

/// All that code depends on beside what is compiled.
pub(crate) fn fingerprint(isas: &[&dyn TargetIsa]) -> String {
    let mut text = format!(
        "wharf-jit {} {}; cranelift {}",
        env!("CARGO_PKG_VERSION"),
        env!("WHARF_JIT_SOURCES"),
        cranelift_codegen::VERSION,
    );
    for isa in isas {
        text.push_str(&format!("; {}", isa.triple()));
        for flag in isa.flags().iter().chain(isa.isa_flags()) {
            // Whether the compiler checks itself makes no difference to the code.
            if flag.name != "enable_verifier" {
                text.push_str(&format!("; {flag}"));
            }
        }
    }
    text
}
