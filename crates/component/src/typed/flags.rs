//! The macro that makes a component type of flags.

/// Defines a struct that stands for a `flags` type: a constant for each flag, set operations and the component traits.
/// The integer type is `u8`, `u16` or `u32`, by the number of flags.
///
/// ```
/// wharf_component::flags!(Permissions: u8 { "read" => READ, "write" => WRITE });
/// let both = Permissions::READ | Permissions::WRITE;
/// assert!(both.contains(Permissions::WRITE));
/// assert_eq!(both, Permissions::all());
/// ```
#[macro_export]
macro_rules! flags {
    ($(#[$attr:meta])* $rust:ident : $repr:ident { $($(#[$flag_attr:meta])* $wit:literal => $flag:ident),* $(,)? }) => {
        $(#[$attr])*
        #[derive(Copy, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $rust { bits: $repr }

        #[allow(dead_code, non_camel_case_types, clippy::upper_case_acronyms)]
        impl $rust {
            const __NAMES: &'static [&'static str] = &[$($wit),*];
            $crate::__flag_constants!($repr, 0, $($(#[$flag_attr])* $wit => $flag),*);

            /// No flag.
            pub const fn empty() -> Self { Self { bits: 0 } }
            /// Each flag.
            pub const fn all() -> Self { Self { bits: 0 $(| Self::$flag.bits)* } }
            /// The flags as bits, the first flag lowest.
            pub const fn bits(&self) -> $repr { self.bits }
            /// The flags of these bits; bits that are no flag are dropped.
            pub const fn from_bits_truncate(bits: $repr) -> Self { Self { bits: bits & Self::all().bits } }
            /// The flags of these bits, if each is a flag.
            pub const fn from_bits(bits: $repr) -> ::core::option::Option<Self> {
                if bits & !Self::all().bits == 0 { Some(Self { bits }) } else { None }
            }
            /// No flag is set.
            pub const fn is_empty(&self) -> bool { self.bits == 0 }
            /// Each flag is set.
            pub const fn is_all(&self) -> bool { self.bits == Self::all().bits }
            /// Each flag of `other` is set.
            pub const fn contains(&self, other: Self) -> bool { self.bits & other.bits == other.bits }
            /// Some flag of `other` is set.
            pub const fn intersects(&self, other: Self) -> bool { self.bits & other.bits != 0 }
            /// Sets the flags of `other`.
            pub fn insert(&mut self, other: Self) { self.bits |= other.bits; }
            /// Clears the flags of `other`.
            pub fn remove(&mut self, other: Self) { self.bits &= !other.bits; }
            /// Flips the flags of `other`.
            pub fn toggle(&mut self, other: Self) { self.bits ^= other.bits; }
            /// Sets or clears the flags of `other`.
            pub fn set(&mut self, other: Self, value: bool) {
                if value { self.insert(other) } else { self.remove(other) }
            }
            /// The flags of both.
            pub const fn union(self, other: Self) -> Self { Self { bits: self.bits | other.bits } }
            /// The flags that both have.
            pub const fn intersection(self, other: Self) -> Self { Self { bits: self.bits & other.bits } }
            /// The flags that `other` does not have.
            pub const fn difference(self, other: Self) -> Self { Self { bits: self.bits & !other.bits } }
        }
        impl ::core::ops::BitOr for $rust {
            type Output = Self;
            fn bitor(self, other: Self) -> Self { self.union(other) }
        }
        impl ::core::ops::BitAnd for $rust {
            type Output = Self;
            fn bitand(self, other: Self) -> Self { self.intersection(other) }
        }
        impl ::core::ops::BitXor for $rust {
            type Output = Self;
            fn bitxor(self, other: Self) -> Self { Self { bits: self.bits ^ other.bits } }
        }
        impl ::core::ops::Sub for $rust {
            type Output = Self;
            fn sub(self, other: Self) -> Self { self.difference(other) }
        }
        impl ::core::ops::Not for $rust {
            type Output = Self;
            fn not(self) -> Self { Self::from_bits_truncate(!self.bits) }
        }
        impl ::core::ops::BitOrAssign for $rust {
            fn bitor_assign(&mut self, other: Self) { self.insert(other) }
        }
        impl ::core::ops::BitAndAssign for $rust {
            fn bitand_assign(&mut self, other: Self) { self.bits &= other.bits }
        }
        impl ::core::fmt::Debug for $rust {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                let set = Self::__NAMES.iter().enumerate().filter(|(i, _)| u64::from(self.bits) >> i & 1 != 0);
                f.write_str(stringify!($rust))?;
                f.debug_set().entries(set.map(|(_, name)| name)).finish()
            }
        }
        impl $crate::ComponentType for $rust {
            const ABI: $crate::CanonicalAbi = $crate::CanonicalAbi::flags(Self::__NAMES.len());
            fn typecheck(ty: $crate::TypeIndex, cx: &$crate::TypeCheck<'_>) -> $crate::Result<()> {
                cx.flags(ty, Self::__NAMES)
            }
        }
        impl $crate::Lower for $rust {
            fn lower_flat(
                &self,
                _: &mut $crate::LowerContext<'_>,
                _: $crate::TypeIndex,
                to: &mut $crate::FlatWriter<'_>,
            ) -> $crate::Result<()> {
                to.push(u64::from(self.bits));
                Ok(())
            }
            fn lower_memory(
                &self,
                cx: &mut $crate::LowerContext<'_>,
                _: $crate::TypeIndex,
                offset: u32,
            ) -> $crate::Result<()> {
                let size = <Self as $crate::ComponentType>::ABI.size32;
                $crate::__private::write_discriminant(cx, offset, size, u32::from(self.bits))
            }
        }
        impl $crate::Lift for $rust {
            fn lift_flat(
                _: &mut $crate::LiftContext<'_>,
                _: $crate::TypeIndex,
                from: &mut $crate::FlatReader<'_>,
            ) -> $crate::Result<Self> {
                Ok(Self::from_bits_truncate(from.next_u32() as $repr))
            }
            fn lift_memory(
                _: &mut $crate::LiftContext<'_>,
                _: $crate::TypeIndex,
                bytes: &[u8],
            ) -> $crate::Result<Self> {
                let size = <Self as $crate::ComponentType>::ABI.size32;
                Ok(Self::from_bits_truncate($crate::__private::read_discriminant(bytes, size)? as $repr))
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __flag_constants {
    ($repr:ident, $index:expr, ) => {};
    ($repr:ident, $index:expr, $(#[$attr:meta])* $wit:literal => $flag:ident $(, $($rest:tt)*)?) => {
        #[doc = concat!("The flag `", $wit, "`.")]
        $(#[$attr])*
        pub const $flag: Self = Self { bits: 1 << ($index) };
        $crate::__flag_constants!($repr, $index + 1, $($($rest)*)?);
    };
}
