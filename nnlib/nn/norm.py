"""Normalisation: layers that keep the size of a signal in bounds."""
