"""Images (in shards or folders) and embeddings that a run keeps beside scores."""
