from flasheval.base.suggest import nearest


def test_the_nearest_name_is_offered_in_its_own_spelling():
    assert nearest("clip", ["CLIP", "HPS"]) == "; did you mean 'CLIP'?"
    assert nearest("imagereward ", ["ImageReward", "HPS"]) == "; did you mean 'ImageReward'?"


def test_nothing_near_is_nothing_said():
    assert nearest("zzz", ["clip"]) == ""
    assert nearest("clip", []) == ""
