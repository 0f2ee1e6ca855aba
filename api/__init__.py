"""The REST interface: the classifier and its jobs, for programs."""
