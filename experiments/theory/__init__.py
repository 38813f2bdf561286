"""Theory beside measurement: a run goes in, predicted columns and the tables of `gradstab theory` and `phase` come out."""
