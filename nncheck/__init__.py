"""nncheck: checks a learner's answers."""
