import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from flasheval.base.errors import SettingError
from flasheval.generators.quantise import fake_quantise, quantise

FLOATS = st.floats(-100, 100, width=32)


@given(arrays(np.float32, (3, 4), elements=FLOATS), st.sampled_from([2, 4, 6, 8]))
def test_weights_are_rounded_to_the_levels_of_their_channel(weights, bits):
    found = fake_quantise(torch.from_numpy(weights), bits).numpy()
    for row, rounded in zip(weights, found, strict=True):
        largest = np.abs(row).max()
        step = np.float32(largest) / np.float32(2 ** (bits - 1) - 1)
        if step == 0:  # zeros, or too small for any step
            assert (rounded == 0).all()
            continue
        expected = np.round(row / step) * step
        np.testing.assert_array_equal(rounded, expected.astype(np.float32))
        assert np.abs(rounded - row).max() <= step / 2 * 1.0001
        assert len(set(rounded.tolist())) <= 2**bits - 1


def test_a_channel_too_small_for_a_step_is_zero():
    assert torch.equal(fake_quantise(torch.tensor([[1e-45, 0.0]]), 4), torch.zeros(1, 2))


def test_the_largest_weight_of_a_channel_stays():
    weights = torch.randn(5, 3, 3, 3, generator=torch.Generator().manual_seed(0))
    found = fake_quantise(weights, 4)
    assert found.shape == weights.shape
    for one, other in zip(weights.flatten(1), found.flatten(1), strict=True):
        at = one.abs().argmax()
        torch.testing.assert_close(other[at], one[at])


def test_the_type_stays():
    assert fake_quantise(torch.ones(2, 2, dtype=torch.bfloat16), 8).dtype is torch.bfloat16


@pytest.mark.parametrize("how", ["fake-int8", "fake-int4", "quanto-int8"])
def test_a_model_is_quantised_in_place_biases_and_norms_excepted(how):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(16, 16), torch.nn.LayerNorm(16))
    inputs = torch.randn(4, 16)
    exact, norm = model(inputs), model[1].weight.clone()
    quantise(model, how)
    changed = model(inputs)
    assert 0 < (changed - exact).abs().max() < (0.05 if how.endswith("8") else 0.6)
    assert torch.equal(model[1].weight, norm)


def test_an_unknown_word_is_one_line():
    with pytest.raises(SettingError, match="quantise=int3: choose one of"):
        quantise(torch.nn.Linear(1, 1), "int3")
