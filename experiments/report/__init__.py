"""Pages and terminal output: tables and figures go in, HTML and text come out."""
