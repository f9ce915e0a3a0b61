"""nnlib: a small neural-network library made to be read."""
