from hypothesis import given
from hypothesis import strategies as st

from flasheval.prompts.lengths import CLIP_TOKENS, count_over, estimated_tokens

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=200)


@given(TEXT)
def test_an_estimate_lies_between_the_ends_and_the_bytes(text):
    assert 2 <= estimated_tokens(text) <= 2 + 2 * len(text.encode())


@given(st.lists(TEXT, max_size=5), st.integers(2, 60))
def test_the_short_cut_counts_no_other(texts, limit):
    assert count_over(texts, limit) == sum(estimated_tokens(text) > limit for text in texts)


def test_words_numbers_and_other_scripts():
    assert estimated_tokens("") == 2
    assert estimated_tokens("it's a cat") == 6
    assert estimated_tokens("in 2024") == 7  # a digit is a token
    assert estimated_tokens("extraordinarily") == 4
    assert 15 <= estimated_tokens("红色的猫坐着") <= 18
    assert estimated_tokens("word " * 76) > CLIP_TOKENS >= estimated_tokens("word " * 75)
