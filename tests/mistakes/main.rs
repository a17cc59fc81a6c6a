//! Mistakes that authors of bots make, and what the compiler tells them.
//!
//! After a change of the texts, or with a newer compiler:
//! `TRYBUILD=overwrite cargo test --test mistakes -- --ignored`, and read what changed.

#[test]
#[ignore = "the texts are those of one compiler version, and the crate is built once more: `.ci/run` runs it"]
fn the_compiler_names_the_mistake() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/mistakes/*_is_refused.rs");
}
