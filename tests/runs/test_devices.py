import pytest

from flasheval.base.errors import SettingError
from flasheval.runs.devices import choose_device, device_count, device_kind


def test_the_cpu_needs_no_torch():
    assert choose_device("cpu") == "cpu"
    assert device_count("cpu") == 0


def test_auto_is_a_gpu_where_there_is_one():
    import torch

    assert choose_device("auto") == ("cuda:0" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("asked", ["tpu", "cuda:x", "cpu:1", "", "cuda:99"])
def test_a_device_that_is_not_there_is_told_in_a_line(asked):
    with pytest.raises(SettingError, match="device="):
        choose_device(asked)


def test_which_of_several_it_is_changes_no_number():
    assert device_kind("cuda:3") == device_kind("cuda") == "cuda"
