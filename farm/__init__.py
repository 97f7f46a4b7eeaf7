"""The farm: takes jobs, cuts, hands out, collects, stitches. Sees packets and rows, never pixels."""
