"""What the farm and the workers say to each other, and where the bytes of a chunk lie."""
