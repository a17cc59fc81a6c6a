//! One account: its connection, its patience, its inbox and outbox.
