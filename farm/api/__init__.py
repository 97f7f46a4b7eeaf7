"""The HTTP service in front of the job store."""
