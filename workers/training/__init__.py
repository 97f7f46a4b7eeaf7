"""Trains the fusion network that ships, on faces drawn by a program: `python -m workers.training`."""
