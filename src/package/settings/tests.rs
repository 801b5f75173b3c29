//! What go-ucfg 0.9.1 makes of the same YAML.
