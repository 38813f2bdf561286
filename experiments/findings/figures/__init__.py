"""The figures of the findings, one module each: the tables of an estimate go in, a figure comes out."""
