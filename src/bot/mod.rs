//! What bot authors see, and who runs it.
