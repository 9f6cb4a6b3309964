"""Shared tools that know nothing of prompts or models: errors, files, JSON, progress, text."""
