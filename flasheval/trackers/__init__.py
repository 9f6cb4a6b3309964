"""Where numbers, tables and pictures of an evaluation are shown: wandb, TensorBoard, JSON lines.

They mirror: nothing is ever read back from one.
"""

from flasheval.trackers.json_lines import JsonLines
from flasheval.trackers.registry import make_tracker
from flasheval.trackers.tensorboard import TensorBoard
from flasheval.trackers.tracker import Tracker
from flasheval.trackers.wandb import Wandb

__all__ = ["JsonLines", "TensorBoard", "Tracker", "Wandb", "make_tracker"]
