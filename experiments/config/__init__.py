"""The configuration of a run: plain containers as Hydra composed them go in, a validated `Run` with its identity comes out."""
