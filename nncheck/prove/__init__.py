"""What must hold for an exercise before a learner meets it: the gates, and `nncheck prove`."""
