//! Every corner in which readers of YAML differ, as yaml.v2 2.4.0 reads it.
