"""What all figures share: the look, panels and curves, strips. No figure itself."""
