"""Search and validate: choose prompts, and say what the choice is worth on unseen variants."""
