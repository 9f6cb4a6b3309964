"""Importers of public layouts of results: who wrote them, and how they are told."""
