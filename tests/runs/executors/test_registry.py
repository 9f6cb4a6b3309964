import pytest

from flasheval.base.errors import SettingError
from flasheval.runs.executors import EXECUTORS, make_executor
from flasheval.runs.executors.in_process import InProcess
from flasheval.runs.executors.processes import Processes


def test_a_name_a_mapping_an_object_and_none():
    made = Processes(workers=2)
    assert make_executor("processes", {"workers": 2}) == made
    assert make_executor({"name": "processes", "workers": 2}) == made
    assert make_executor(made) is made
    assert make_executor(None) == make_executor("in_process") == InProcess()
    assert EXECUTORS.names() == ("in_process", "processes", "accelerate", "slurm", "ray")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("proceses", "there is no executor 'proceses'; .* did you mean 'processes'?"),
        ({"name": "processes", "worker": 2}, "executor 'processes' has no setting 'worker'"),
        ({"name": "processes", "workers": "two"}, 'executor processes: workers is "two"; expected'),
        ({"name": "processes", "workers": 0}, "^executor.workers=0: expected at least 1"),
        (3, "executor: an object of type int is none, for it has no run, name"),
    ],
)
def test_a_mistake_is_one_line(entry, said):
    with pytest.raises(SettingError, match=said):
        make_executor(entry)
