"""What is read off a step: a network with its pass and δ go in, numbers per layer and the records of a stack come out."""
