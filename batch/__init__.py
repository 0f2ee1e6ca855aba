"""A table classified in chunks: its pictures, its results, and the files people take away."""
