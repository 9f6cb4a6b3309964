"""Prompt lists that others publish, recognised by hashes of their texts; no text is held."""

from flasheval.prompts.known.lists import KnownList, known_lists
from flasheval.prompts.known.recognise import Recognised, recognise

__all__ = ["KnownList", "Recognised", "known_lists", "recognise"]
