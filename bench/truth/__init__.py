"""Is what came out what went in? Told by ffprobe and framemd5: no code of the farm reads a file here."""
