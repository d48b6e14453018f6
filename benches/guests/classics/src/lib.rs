//! Small classic programs, written for this suite after their descriptions.
mod deltablue;
mod fannkuch;
mod richards;
