"""Nets of the families that AutoTrainer was measured on go in; how many ill ones are found and repaired, beside its figures, comes out."""
