"""What a run keeps beside scores: images, in shards or folders, and embeddings."""
