"""The farm: accepts jobs, cuts them, hands chunks out, collects and stitches them. Sees packets and rows, never pixels."""
