//! temporary
#![allow(missing_docs)]
pub type Result<T, E = Error> = std::result::Result<T, E>;
pub struct Error(Box<dyn std::error::Error + Send + Sync>, String);
impl Error {
    pub fn host(e: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error(e.into(), String::new())
    }
    pub fn msg(e: impl std::fmt::Display) -> Error {
        Error(e.to_string().into(), String::new())
    }
    pub fn limit(e: impl std::fmt::Display) -> Error {
        Error(e.to_string().into(), String::new())
    }
    pub fn context(mut self, s: impl Into<String>) -> Error {
        self.1 = s.into();
        self
    }
    pub fn downcast_ref<E: std::error::Error + 'static>(&self) -> Option<&E> {
        self.0.downcast_ref()
    }
}
impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.1, self.0)
    }
}
impl std::fmt::Debug for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}
impl std::error::Error for Error {}
