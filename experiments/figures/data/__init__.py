"""What each figure shows: results go in, a table with its roles comes out; nothing here draws."""
