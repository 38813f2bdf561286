"""One module a command: its docstring is the help text, `add_arguments` declares it, `execute` does it."""
