"""Networks, as arithmetic: no device, no files but their weights."""
