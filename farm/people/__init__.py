"""Who is in a video, from what workers saw of each chunk: tracks, people, galleries, casts."""
