"""Prompt sets: the benchmark's prompts with stable ids and a content hash."""

from flasheval.base.ids import prompt_id
from flasheval.prompts.loading import load_prompts, save_prompts
from flasheval.prompts.prompt_set import PromptSet, text_hash

__all__ = ["PromptSet", "load_prompts", "prompt_id", "save_prompts", "text_hash"]
