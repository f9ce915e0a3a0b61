"""Recurrent networks: one step per element of a sequence, and a state that is carried on."""
