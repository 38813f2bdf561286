"""Estimates: tables go in, factors, intervals and groups come out; nothing here draws or judges."""
