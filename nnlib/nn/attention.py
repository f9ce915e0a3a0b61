"""Attention, and the Transformer that is built of it."""
