"""One published finding a module: `estimate(results, finding) -> Estimate`; it never runs, and never draws."""
