"""The harness around the core: commands, sweeps, figures, reports."""
