"""Trackers that show the numbers, tables and images of an evaluation: wandb, TensorBoard, JSON.

Nothing is ever read back from a tracker.
"""

from flasheval.evaluation.trackers.json_lines import JsonLines
from flasheval.evaluation.trackers.registry import make_tracker
from flasheval.evaluation.trackers.tensorboard import TensorBoard
from flasheval.evaluation.trackers.tracker import Tracker
from flasheval.evaluation.trackers.wandb import Wandb

__all__ = ["JsonLines", "TensorBoard", "Tracker", "Wandb", "make_tracker"]
