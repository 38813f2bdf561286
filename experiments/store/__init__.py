"""One results folder, whole or old: what runs left goes in, four tables with their provenance come out."""
