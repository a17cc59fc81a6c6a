//! Runs the terminal sessions that the book quotes.

/// `TRYCMD=overwrite cargo test --test it -- sessions` records the current output.
#[test]
fn the_sessions_of_the_book_are_true() {
    let cases = trycmd::TestCases::new();
    cases.register_bin(
        "botroupe",
        std::path::Path::new(env!("CARGO_BIN_EXE_botroupe")),
    );
    cases.case("tests/sessions/*.trycmd");
    cases.run();
}
