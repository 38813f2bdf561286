"""The figures of a report: one module each, found by its place in this package.

A figure's module has a docstring whose first line is its title, ORDER (its place on the page), and three functions:
`table(results, axes)` returns what it shows, or None where it does not apply; `draw(table)` returns the figure;
`caption(table)` says how to read it. What figures share lives in the package `style`, which is no figure.
"""
