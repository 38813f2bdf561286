"""The figure of each finding, in the module of the finding's name: `draw(tables)` and `caption(tables)`."""
