"""Files of tables: a path goes in, columns by name come out, as Arrow arrays, with the place of each row for messages."""
