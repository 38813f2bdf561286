"""Data sets: a factory's arguments go in, examples in columns with targets and a checksum come out."""
