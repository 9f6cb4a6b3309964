"""Shared tools that know nothing of prompts or models: errors, files, JSON, progress, text.

The loggers under `flasheval` say nothing unless somebody listens: ``verbose=true`` on the command
line, or handlers of your own.
"""

import logging

logging.getLogger("flasheval").addHandler(logging.NullHandler())
