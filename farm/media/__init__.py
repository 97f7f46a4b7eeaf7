"""Files, as packets: probing, indexing, planning, cutting and muxing."""
