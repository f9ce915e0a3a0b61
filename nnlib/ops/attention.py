"""Fused operations of Transformers."""
