"""What knows nothing of prompts or models: errors, files, canonical JSON, progress, text."""
