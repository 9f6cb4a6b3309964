import json
from dataclasses import replace

from flasheval.base.resources import bundled
from flasheval.subset import Method
from flasheval.subset.library import find_subset
from flasheval.subset.library.copies import open_copy
from flasheval.subset.library.verifying import verify, verify_texts


def wholes():
    return {name: find_subset(name) for name in bundled()}


def test_all_is_well(published):
    for name in bundled():
        verdict = verify(name, wholes())
        assert (verdict.name, verdict.faults, verdict.texts) == (name, (), False)


def test_a_changed_number_and_a_changed_record_are_named(published):
    path = published / "pets-clip-5.json"
    data = json.loads(path.read_text())
    data["prompts"][1]["weight"] = 2.0
    path.write_text(json.dumps(data))
    (fault,) = verify("pets-clip-5", {}).faults
    assert "pets-clip-5.json" in fault
    assert "do not match content_hash" in fault


def test_nested_prefixes_agree(published):
    part, whole = find_subset("pets-clip-2"), find_subset("pets-clip-5")
    swapped = replace(part, prompts=part.prompts[::-1])
    swapped.save(published / "pets-clip-2.json")
    (fault,) = verify("pets-clip-2", wholes()).faults
    assert fault == "its prompts are not the first 2 of pets-clip-5"
    short = replace(part, prompts=part.prompts[:1])
    short.save(published / "pets-clip-2.json")
    (fault,) = verify("pets-clip-2", wholes()).faults
    assert fault == "its setting prefix_size is 2; it has 1 prompts"
    part.save(published / "pets-clip-2.json")
    replace(whole, searched_variants=("other",)).save(published / "pets-clip-5.json")
    (fault,) = verify("pets-clip-2", wholes()).faults
    assert fault.startswith('it is a prefix of another "pets-clip-5" than the published one')
    odd = replace(part, method=Method("random", {"prefix_of": 3}))
    odd.save(published / "pets-clip-2.json")
    assert verify("pets-clip-2", wholes()).faults == ("its setting prefix_of names no subset",)


def test_the_prefix_of_what_is_not_published_is_believed(published):
    (published / "pets-clip-5.json").unlink()
    assert verify("pets-clip-2", wholes()).faults == ()


def test_texts(published, pets):
    verdicts = [verify(name, wholes()) for name in bundled()]
    *pet_ones, rock = verify_texts(verdicts, open_copy(pets), only_its_own=True)
    assert all(one.texts and not one.faults for one in pet_ones)
    assert not rock.texts
    assert not rock.faults
    *_, rock = verify_texts(verdicts, open_copy(pets), only_its_own=False)
    assert "2 of 2 prompts are there with another text (2, 1)" in rock.faults[0]
