"""What the all-in-one farm is made of: child processes, their home, and the file that names it."""
