//! The `fields` resource.

use crate::bindings::wasi::http::types;
use crate::budget::Charge;
use crate::ctx::WasiHttpCtxView;
use crate::error::HeaderError;
use crate::fields::{FieldMap, FieldMapError, parse_name};
use http::{HeaderMap, HeaderName, header};
use std::sync::Arc;
use wharf::Result;
use wharf::component::Resource;

/// What an empty `fields` counts.
const EMPTY: usize = 64;

/// Header or trailer fields.
#[derive(Debug)]
pub struct HostFields {
    map: Arc<FieldMap>,
    /// What the guest made itself, and may change.
    own: Option<Charge>,
}

impl HostFields {
    /// Fields of a message.
    pub(crate) fn immutable(map: Arc<FieldMap>) -> HostFields {
        HostFields { map, own: None }
    }
}

impl From<FieldMapError> for HeaderError {
    fn from(error: FieldMapError) -> HeaderError {
        HeaderError::Value(match error {
            FieldMapError::InvalidSyntax => types::HeaderError::InvalidSyntax,
            // The host does not let the program set it.
            FieldMapError::TooLarge => types::HeaderError::Forbidden,
        })
    }
}

impl WasiHttpCtxView<'_> {
    /// Takes fields that are given away, for a message of the guest, with what they count.
    pub(crate) fn take_fields(&mut self, fields: Resource<HostFields>) -> Result<(Arc<FieldMap>, Charge)> {
        let fields = self.table.delete(fields)?;
        let charge = match fields.own {
            Some(charge) => charge,
            None => self.ctx.budget.charge(EMPTY + fields.map.memory())?,
        };
        Ok((fields.map, charge))
    }

    /// Trailers of the guest, as the connection takes them.
    pub(crate) fn take_trailers(
        &mut self,
        trailers: Option<Resource<HostFields>>,
    ) -> std::result::Result<Option<HeaderMap>, crate::HttpError> {
        match trailers {
            Some(trailers) => {
                let (map, _charge) = self.take_fields(trailers)?;
                Ok(Some(map.to_headers()?))
            }
            None => Ok(None),
        }
    }

    /// New fields that the guest may change.
    fn own_fields(&mut self, map: FieldMap) -> Result<Resource<HostFields>> {
        let charge = self.ctx.budget.charge(EMPTY + map.memory())?;
        Ok(self.table.push(HostFields {
            map: Arc::new(map),
            own: Some(charge),
        })?)
    }

    /// Whether the guest may set the field to these values.
    fn check_field<'v>(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = &'v [u8]>,
    ) -> std::result::Result<HeaderName, HeaderError> {
        let name = parse_name(name)?;
        // Of `te` only this says something about the message and not about the connection.
        let allowed = name != header::TE
            || values
                .into_iter()
                .all(|value| value.eq_ignore_ascii_case(b"trailers"));
        match allowed && !self.hooks.is_forbidden_header(&name) {
            true => Ok(name),
            false => Err(types::HeaderError::Forbidden.into()),
        }
    }

    /// Changes fields.
    fn change(
        &mut self,
        fields: &Resource<HostFields>,
        change: impl FnOnce(&mut FieldMap, usize) -> std::result::Result<(), FieldMapError>,
    ) -> std::result::Result<(), HeaderError> {
        let limit = self.ctx.field_size_limit;
        let fields = self.table.get_mut(fields)?;
        let Some(charge) = &mut fields.own else {
            return Err(types::HeaderError::Immutable.into());
        };
        let map = Arc::make_mut(&mut fields.map);
        change(map, limit)?;
        charge.resize(EMPTY + map.memory())?;
        Ok(())
    }
}

impl types::HostFields for WasiHttpCtxView<'_> {
    fn new(&mut self) -> Result<Resource<HostFields>> {
        self.own_fields(FieldMap::new())
    }

    fn from_list(
        &mut self,
        entries: Vec<(String, Vec<u8>)>,
    ) -> std::result::Result<Resource<HostFields>, HeaderError> {
        let mut map = FieldMap::new();
        for (name, value) in entries {
            self.check_field(&name, [&value[..]])?;
            map.append(&name, value, self.ctx.field_size_limit)?;
        }
        Ok(self.own_fields(map)?)
    }

    fn get(&mut self, fields: Resource<HostFields>, name: String) -> Result<Vec<Vec<u8>>> {
        let fields = self.table.get(&fields)?;
        Ok(match parse_name(&name) {
            Ok(name) => fields.map.get(&name).map(|v| v.as_bytes().to_vec()).collect(),
            Err(_) => Vec::new(),
        })
    }

    fn has(&mut self, fields: Resource<HostFields>, name: String) -> Result<bool> {
        let fields = self.table.get(&fields)?;
        Ok(parse_name(&name).is_ok_and(|name| fields.map.get(&name).next().is_some()))
    }

    fn set(
        &mut self,
        fields: Resource<HostFields>,
        name: String,
        values: Vec<Vec<u8>>,
    ) -> std::result::Result<(), HeaderError> {
        self.check_field(&name, values.iter().map(|v| &v[..]))?;
        self.change(&fields, |map, limit| map.set(&name, values, limit))
    }

    fn delete(&mut self, fields: Resource<HostFields>, name: String) -> std::result::Result<(), HeaderError> {
        let name = self.check_field(&name, [])?;
        self.change(&fields, |map, _| {
            map.remove(&name);
            Ok(())
        })
    }

    fn append(
        &mut self,
        fields: Resource<HostFields>,
        name: String,
        value: Vec<u8>,
    ) -> std::result::Result<(), HeaderError> {
        self.check_field(&name, [&value[..]])?;
        self.change(&fields, |map, limit| map.append(&name, value, limit))
    }

    fn entries(&mut self, fields: Resource<HostFields>) -> Result<Vec<(String, Vec<u8>)>> {
        let fields = self.table.get(&fields)?;
        Ok(fields
            .map
            .iter()
            .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
            .collect())
    }

    fn clone(&mut self, fields: Resource<HostFields>) -> Result<Resource<HostFields>> {
        let map = FieldMap::clone(&self.table.get(&fields)?.map);
        self.own_fields(map)
    }

    fn drop(&mut self, fields: Resource<HostFields>) -> Result<()> {
        self.table.delete(fields)?;
        Ok(())
    }
}
