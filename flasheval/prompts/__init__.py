"""Prompt sets: the benchmark's prompts with stable ids and a content hash."""

from flasheval.prompts.prompt_set import (
    PromptSet,
    load_prompts,
    prompt_id,
    save_prompts,
    text_hash,
)

__all__ = ["PromptSet", "load_prompts", "prompt_id", "save_prompts", "text_hash"]
