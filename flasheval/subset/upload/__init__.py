"""Subsets as a folder to upload: data, manifests, evidence, and a card that says what they are."""

from flasheval.subset.upload.publication import Publication, publish

__all__ = ["Publication", "publish"]
