//! Names in WIT that mean something in Rust, or in the generated code, do not get in its way.

use wharf::Result;
use wharf::component::{HasSelf, Linker};

mod bindings {
    wharf::component::bindgen!({
        inline: "
            package test:names;

            interface types {
                record host { %type: u8, %self: %string }
                record %string { case: u8 }
                record vec { some: option<u8>, none: %option-like }
                record box { ok: %result-like, fields: list<%string> }
                enum case { case, err, %self }
                enum enumeration { ok, err }
                variant %option-like { some(case), none }
                variant %result-like { ok(%option-like), err(guest) }
                record guest { case: case, v: list<%option-like>, t: t, s: s, d: d }
                type t = u8;
                type s = list<t>;
                type d = string;
                flags %flags { bits, empty, all }
                record clone { %future: u8 }
                record send { sync: clone }
                variant error { error(send), none }
                resource %resource { constructor(new: u8); new: func(); drop: static func(rep: u8); get: func(host: host); }
                match: func(loop: host, store: vec, host: box, linker: clone) -> result<guest, error>;
                %result: func(%result: enumeration, instance: %flags) -> result<%flags, case>;
            }

            world linker {
                import types;
                export run: func(store: string, linker: string) -> string;
                export %async: func(s: list<u8>);
                export types;
            }
        ",
        imports: { "test:names/types.match": async },
        exports: { default: async },
    });
}

use bindings::test::names::types;

struct Names;

impl types::HostResource for Names {
    fn new(&mut self, _: u8) -> Result<wharf::component::Resource<types::Resource>> {
        Err(wharf::Error::msg("no"))
    }
    fn new_(&mut self, _: wharf::component::Resource<types::Resource>) -> Result<()> {
        Ok(())
    }
    fn drop_(&mut self, _: u8) -> Result<()> {
        Ok(())
    }
    fn get(&mut self, _: wharf::component::Resource<types::Resource>, _: types::Host_) -> Result<()> {
        Ok(())
    }
    fn drop(&mut self, _: wharf::component::Resource<types::Resource>) -> Result<()> {
        Ok(())
    }
}

impl types::Host for Names {
    async fn match_(
        &mut self,
        _: types::Host_,
        _: types::Vec,
        _: types::Box,
        _: types::Clone,
    ) -> Result<Result<types::Guest_, types::Error>> {
        Ok(Err(types::Error::None))
    }
    fn result(
        &mut self,
        _: types::Enumeration,
        flags: types::Flags,
    ) -> Result<Result<types::Flags, types::Case>> {
        Ok(Ok(flags))
    }
}

#[test]
fn awkward_names_link() {
    let mut linker = Linker::<Names>::new(&wharf::Engine::default());
    bindings::Linker::add_to_linker::<_, HasSelf<_>>(&mut linker, |names| names).unwrap();
    assert!(linker.is_defined("test:names/types"));
    assert_eq!(types::Case::Self_.to_string(), "self");
}
