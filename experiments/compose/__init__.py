"""Hydra's part: a command line goes in, the configs of a sweep come out, fast."""
