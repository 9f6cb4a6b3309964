"""A subset as a file that other tools read: tables, prompt lists, and trainers' sample prompts."""

from flasheval.subset.exports.registry import FORMATS, export, make_format

__all__ = ["FORMATS", "export", "make_format"]
