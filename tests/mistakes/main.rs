//! Tests of compiler messages for common mistakes of bot authors.
//!
//! After a change of the texts, or with a newer compiler, run `TRYBUILD=overwrite cargo test --test
//! mistakes -- --ignored`, and review the changes.

#[test]
#[ignore = "the texts are those of one compiler version, and the crate is built once more: `.ci/run` runs it"]
fn the_compiler_names_the_mistake() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/mistakes/*_is_refused.rs");
}
