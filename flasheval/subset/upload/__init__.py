"""Publishing subsets as a folder to upload: data, manifests, evidence and a card."""

from flasheval.subset.upload.publication import Publication, publish

__all__ = ["Publication", "publish"]
