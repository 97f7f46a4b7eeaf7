"""The workers: decode, fuse and encode one chunk at a time. They see frames and the GPU, never the database."""
