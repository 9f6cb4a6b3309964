"""Where numbers, tables and pictures of an evaluation are shown: wandb, TensorBoard, JSON lines.

They mirror: nothing is ever read back from one.
"""

from flasheval.evaluation.trackers.json_lines import JsonLines
from flasheval.evaluation.trackers.registry import make_tracker
from flasheval.evaluation.trackers.tensorboard import TensorBoard
from flasheval.evaluation.trackers.tracker import Tracker
from flasheval.evaluation.trackers.wandb import Wandb

__all__ = ["JsonLines", "TensorBoard", "Tracker", "Wandb", "make_tracker"]
