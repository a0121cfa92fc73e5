"""How bytes move: download, upload, hashing, threads, retries."""
