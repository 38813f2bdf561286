"""Values in, text out: the one writer of numbers, of tables, of JSON, and of what an error quotes."""
