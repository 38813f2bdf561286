"""The findings of the package, one module each: results go in, an estimate with its verdict comes out."""
