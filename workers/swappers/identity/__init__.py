"""Swap networks: a face gets another's identity, from an embedding or a picture of it."""
