"""Fused operations of recurrent networks."""
