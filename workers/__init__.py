"""The workers: decode, fuse, encode a chunk. They see frames and the GPU, never the database."""
