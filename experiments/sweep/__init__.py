"""Runs go in, a results folder comes out: what is done is skipped, what finishes is kept."""
