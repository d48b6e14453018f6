//! Small classic programs, written for this suite after their descriptions.
mod fannkuch;
mod richards;
