"""What may be done to frames after their faces were changed, if it is asked for: restored, enlarged."""
