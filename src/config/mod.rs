//! What the user wants: the TOML file, layered and checked.
