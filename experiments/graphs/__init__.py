"""Computation graphs from expressions: parsed, tabulated, told in words, drawn, and shown in a gallery."""
