"""What is compared with: the project's record of the published code, and the paper's figures.

The record was made with the published code's own functions (github.com/thu-nics/FlashEval) on the
same official scores; taus "search / held-out" are on the 39 + 39 (COCO: 31 + 33) variants of the
authors' split. The paper is Zhao et al., CVPR 2024, arXiv 2403.16379.
"""

CURVE_SIZES = (5, 10, 20, 50, 100, 200, 500, 1000)
CURVE_DRAWS = 1000

# Mean tau-b of random subsets, search variants / held-out variants, one pair a size.
RANDOM_CURVES = {
    ("COCO", "ImageReward"): ".27/.32 .34/.43 .45/.54 .59/.68 .68/.77 .76/.83 .84/.89 .89/.92",
    ("COCO", "Aesthetic"): ".45/.49 .57/.60 .67/.68 .78/.79 .84/.85 .89/.89 .93/.93 .95/.96",
    ("COCO", "CLIP"): ".25/.26 .34/.35 .44/.45 .58/.60 .68/.70 .74/.78 .81/.86 .85/.90",
    ("DiffusionDB", "ImageReward"): (
        ".37/.39 .46/.48 .57/.58 .70/.69 .77/.77 .84/.83 .90/.89 .93/.93"
    ),
    ("DiffusionDB", "HPS"): ".43/.44 .51/.52 .58/.59 .67/.68 .74/.75 .80/.81 .87/.88 .91/.91",
    ("DiffusionDB", "Aesthetic"): ".38/.40 .47/.50 .56/.59 .67/.70 .75/.78 .82/.84 .89/.90 .92/.93",
    ("DiffusionDB", "CLIP"): ".38/.37 .48/.47 .57/.56 .68/.68 .76/.76 .82/.82 .89/.89 .92/.92",
}

SEARCH_SIZES = (10, 50, 100)
SHORT_SETS, SHORT_SEEDS = 300_000, 3
LONG_SETS, LONG_SEEDS = 3_000_000, 1

# The published search, search tau / held-out tau at N = 10, 50, 100; None where it was not run.
SHORT_SEARCH = {
    ("COCO", "ImageReward"): ((0.957, 0.766), (0.978, 0.860), (0.981, 0.874)),
    ("COCO", "CLIP"): ((0.967, 0.758), (0.983, 0.819), (0.986, 0.874)),
    ("DiffusionDB", "ImageReward"): ((0.933, 0.773), (0.972, 0.810), (0.978, 0.866)),
    ("DiffusionDB", "CLIP"): ((0.947, 0.786), (0.978, 0.824), (0.981, 0.827)),
}
LONG_SEARCH = {
    ("COCO", "ImageReward"): ((0.966, 0.701), (0.983, 0.909), (0.987, 0.879)),
    ("COCO", "CLIP"): ((0.966, 0.803), (0.987, 0.875), None),
    ("DiffusionDB", "ImageReward"): ((0.938, 0.760), (0.978, 0.779), (0.981, 0.854)),
    ("DiffusionDB", "CLIP"): ((0.960, 0.783), (0.981, 0.848), None),
}

# DiffusionDB ImageReward, held-out tau at N = 10, 50, 100: random, the published search.
HARDER_SPLITS = {
    "a base model": ((0.447, 0.669, 0.745), (0.682, 0.794, 0.786)),
    "a scheduler and its steps": ((0.376, 0.588, 0.677), (0.706, 0.781, 0.810)),
    "quantised": ((0.327, 0.574, 0.668), (0.519, 0.614, 0.727)),
}

# The paper: held-out tau when splitting at random, by model variant, by scheduler.
PAPER = {
    ("COCO", 50): {"random": (0.597, 0.588, 0.560), "frequency": (0.851, 0.800, 0.850)},
    ("COCO", 500): {"random": (0.829, 0.826, 0.827), "frequency": (0.906, 0.899, 0.909)},
    ("DiffusionDB", 5): {"random": (0.350, 0.423, 0.323), "frequency": (0.789, 0.691, 0.748)},
    ("DiffusionDB", 100): {"random": (0.763, 0.681, 0.738), "frequency": (0.851, 0.861, 0.873)},
}

REPEATING_SUBSETS = 21
DISTINCT_HPS_200 = 157
PERCENTILES_200 = {"ImageReward": 1.9, "HPS": 0.0, "Aesthetic": 0.0, "CLIP": 7.9}

# Hard-coded in the published search_algorithm.py, on subset means.
TIE_MARGINS = {
    "ImageReward": 3.1007744780752645e-05,
    "HPS": 2.748667954632944e-06,
    "Aesthetic": 3.855898086388239e-06,
    "CLIP": 4.690507962729988e-06,
}
RESCORING = {"CLIP": 4.9e-4, "HPS": 2.4e-4, "Aesthetic": 8.3e-3}
FILES_OF_ANOTHER_SET, EMPTY_FILES, VARIANTS_WITHOUT_COCO = 12, 2, 14

PAIRING_CUT = (1.7, 4.2)
MEDIAN_PROMPTS = (34, 214)
P90_PROMPTS = (1200, 9100)
DECIDED = {"designed": (54, 74), "random": (36, 51)}
WRONG_SIGNS = (0.6, 1.4)
WRONG_IN_CLOSEST = (15, 29)


def curve(prompt_set: str, metric: str) -> list[tuple[float, float]]:
    """One recorded random curve: search and held-out tau of each of `CURVE_SIZES`."""
    pairs = [pair.split("/") for pair in RANDOM_CURVES[prompt_set, metric].split()]
    return [(float(seen), float(unseen)) for seen, unseen in pairs]
