"""Exports: subsets written as tables, prompt lists and sample prompts for trainers."""

from flasheval.subset.exports.registry import FORMATS, export, make_format

__all__ = ["FORMATS", "export", "make_format"]
