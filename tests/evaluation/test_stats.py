"""Intervals and tests against published worked examples and sums that fit on a page."""

from __future__ import annotations

import math

import numpy as np
import pytest

from isara.evaluation.raters import agreement, corrected_rate, rogan_gladen
from isara.evaluation.stats import (
    Rate,
    bootstrap_mean,
    can_tell,
    correlation,
    holm,
    mcnemar,
    needed_n,
    over_seeds,
    paired_bootstrap,
    two_level_bootstrap,
    wilson,
)


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    # R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3 (Wilson's score).
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_as_newcombe_has_it(count: int, n: int, low: float, high: float) -> None:
    rate = wilson(count, n)
    assert (rate.value, rate.n) == (count / n, n)
    assert (round(rate.low, 4), round(rate.high, 4)) == (low, high)


def test_nothing_measured_says_nothing() -> None:
    assert wilson(0, 0) == Rate(0.0, 0.0, 1.0, 0)


def paired(both: int, lost: int, gained: int, neither: int) -> tuple[list[bool], list[bool]]:
    """Outcomes of a and b with these numbers of pairs (yes/yes, yes/no, no/yes, no/no)."""
    a = [True] * (both + lost) + [False] * (gained + neither)
    b = [True] * both + [False] * lost + [True] * gained + [False] * neither
    return a, b


@pytest.mark.parametrize(
    ("lost", "gained", "p"),
    [
        # Twice the tail of a fair coin: 2 (C(9,0) + C(9,1)) / 2^9 = 20 / 512.
        (8, 1, 20 / 512),
        (1, 8, 20 / 512),
        (5, 0, 2 / 32),
        # The two tails overlap: no evidence at all.
        (3, 3, 1.0),
        (0, 0, 1.0),
    ],
)
def test_mcnemar_is_a_coin_tossed_by_the_pairs_that_differ(
    lost: int, gained: int, p: float
) -> None:
    found = mcnemar(*paired(4, lost, gained, 7))
    assert found.p == pytest.approx(p)
    assert found.n == 11 + lost + gained
    assert found.difference == pytest.approx((gained - lost) / found.n)


def test_the_difference_has_newcombes_interval() -> None:
    # R. G. Newcombe, Statistics in Medicine 17 (1998) 2635-2650, method 10 for 36, 12, 2, 0.
    found = mcnemar(*paired(36, 2, 12, 0))
    assert found.difference == pytest.approx(0.2)
    assert (round(found.low, 4), round(found.high, 4)) == (0.0569, 0.3404)
    # A. Agresti, Categorical Data Analysis, table 11.1: approval of a prime minister in two
    # surveys of 1,600 people, 944 and then 880 of them; difference -0.04, standard error 0.0095.
    found = mcnemar(*paired(794, 150, 86, 570))
    assert found.difference == pytest.approx(-0.04)
    assert found.low == pytest.approx(-0.04 - 1.96 * 0.0095, abs=1e-3)
    assert found.high == pytest.approx(-0.04 + 1.96 * 0.0095, abs=1e-3)


@pytest.mark.parametrize("outcomes", [(0, 0, 3, 1), (0, 4, 0, 0), (0, 0, 0, 20), (20, 0, 0, 0)])
def test_few_pairs_leave_room_within_the_possible(outcomes: tuple[int, int, int, int]) -> None:
    found = mcnemar(*paired(*outcomes))
    assert -1 <= found.low < found.high <= 1
    assert found.low <= found.difference <= found.high


def test_nothing_to_compare() -> None:
    found = mcnemar([], [])
    assert (found.p, found.n, found.low, found.high) == (1.0, 0, -1.0, 1.0)
    with pytest.raises(ValueError, match="2 and 1"):
        mcnemar([True, False], [True])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # The smallest times 4, the next times 3, then 2 (0.06), then 1 (0.04, but never falling).
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.6, 0.7], [1.0, 1.0]),
        ([0.02], [0.02]),
        ([], []),
    ],
)
def test_holm_by_hand(values: list[float], expected: list[float]) -> None:
    assert holm(values) == pytest.approx(expected)


# ---------------------------------------------------------------- means and seeds

# B. Efron and R. Tibshirani, An Introduction to the Bootstrap (1993), table 2.1: survival days of
# 7 treated and 9 control mice; means 86.86 and 56.22, standard errors by the bootstrap 23.36, 13.1.
TREATED = [94, 197, 16, 38, 99, 141, 23]
CONTROL = [52, 104, 146, 10, 51, 30, 40, 27, 46]


@pytest.mark.parametrize(
    ("days", "mean", "error"), [(TREATED, 86.86, 23.4), (CONTROL, 56.22, 13.3)]
)
def test_the_mouse_data_of_efron_and_tibshirani(
    days: list[float], mean: float, error: float
) -> None:
    found = bootstrap_mean(days)
    assert found.value == pytest.approx(mean, abs=0.005)
    assert found.low is not None
    assert found.high is not None
    # Nearly normal: 3.92 standard errors wide.
    assert (found.high - found.low) / 3.92 == pytest.approx(error, rel=0.06)


def test_the_bootstrap_is_seeded_and_says_nothing_about_one_value() -> None:
    assert bootstrap_mean(TREATED, 1) == bootstrap_mean(TREATED, 1)
    assert bootstrap_mean(TREATED, 1) != bootstrap_mean(TREATED, 2)
    one = bootstrap_mean([3.0])
    assert (one.value, one.low, one.high, one.n) == (3.0, None, None, 1)
    with pytest.raises(ValueError, match="no values"):
        bootstrap_mean([])


def test_paired_means() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=400)
    same = paired_bootstrap(a, a + rng.normal(scale=0.5, size=400))
    better = paired_bootstrap(a, a + 0.1 + rng.normal(scale=0.5, size=400))
    assert same.low < 0 < same.high
    assert same.p > 0.05
    # Mean 0.1 with standard error 0.025: about four standard errors.
    assert better.difference == pytest.approx(0.1, abs=0.05)
    assert better.p < 0.01
    assert better.high - better.low == pytest.approx(3.92 * 0.5 / 20, rel=0.15)
    swapped = paired_bootstrap(a + 0.1, a)
    assert swapped.difference == pytest.approx(-0.1)
    with pytest.raises(ValueError, match="differ in length"):
        paired_bootstrap([1.0], [1.0, 2.0])


def test_two_levels_take_the_spread_of_the_random_seeds_in() -> None:
    rng = np.random.default_rng(1)
    seeds, prompts = 8, 300
    noise = rng.normal(scale=0.3, size=(seeds, prompts))
    alike = two_level_bootstrap(0.1 + noise)
    spread = two_level_bootstrap(0.1 + noise + rng.normal(scale=0.2, size=(seeds, 1)))
    assert alike.n == seeds * prompts
    assert alike.high - alike.low < 0.05
    # The mean of 8 seeds that differ by 0.2: t(0.975, 7) = 2.36 standard errors of their means.
    means = (0.1 + noise).mean(1)
    assert spread.high - spread.low == pytest.approx(2 * 2.36 * 0.2 / 8**0.5, rel=0.35)
    assert means.std() < 0.05
    assert alike.p < 0.001


@pytest.mark.parametrize("seeds", [3, 8])
def test_a_true_difference_of_nothing_is_called_real_one_time_in_twenty(seeds: int) -> None:
    rng = np.random.default_rng(2)
    called = covered = 0
    for _ in range(60):
        effects = rng.normal(scale=0.05, size=(seeds, 1)) + rng.normal(scale=0.1, size=(1, 100))
        found = two_level_bootstrap(effects + rng.normal(scale=0.1, size=(seeds, 100)))
        called += found.p < 0.05
        covered += found.low <= 0 <= found.high
    assert called <= 9  # 60 x 0.05 = 3; more than 9 has a chance of 0.1 %
    assert covered >= 51


def test_outcomes_that_never_differ_leave_what_the_prompts_leave_open() -> None:
    found = two_level_bootstrap(np.zeros((8, 300)))
    assert (found.difference, found.p) == (0.0, 1.0)
    assert found.high == -found.low == pytest.approx(wilson(0, 300).high)
    assert two_level_bootstrap(np.ones((8, 300))).low == pytest.approx(wilson(300, 300).low)
    # p is that of the sign test: two prompts alike are no evidence, nor are two random seeds.
    assert two_level_bootstrap(np.ones((1, 2))).p == 0.5
    assert two_level_bootstrap(np.ones((2, 300))).p == 0.5
    assert two_level_bootstrap(np.ones((8, 300))).p == 2 / 2**8
    scores = two_level_bootstrap(np.full((8, 300), -3.0))  # no rates: they may lie beyond 1
    assert scores.low <= -3.0 <= scores.high


def test_means_that_are_all_alike_are_no_difference() -> None:
    # Every random seed and every prompt has mean 0, and the values differ all the same.
    for values in ([[1, -1], [-1, 1]], [[1, -1, 1, -1], [-1, 1, -1, 1]]):
        found = two_level_bootstrap(np.array(values, float))
        assert (found.difference, found.p) == (0.0, 1.0)
        assert found.low < 0 < found.high


def test_a_rank_correlation_with_its_interval() -> None:
    # C. Spearman's formula without ties: 1 - 6 (1 + 1 + 1 + 1) / (5 (25 - 1)) = 0.8.
    found = correlation([1, 2, 3, 4, 5], [2, 1, 4, 3, 5])
    assert (found.value, found.n) == (pytest.approx(0.8), 5)
    # arctanh 0.8 = 1.0986, its standard error sqrt((1 + 0.64 / 2) / 2) = 0.8124, times 1.96.
    assert found.low == pytest.approx(math.tanh(1.0986 - 1.5923), abs=1e-3)
    assert found.high == pytest.approx(math.tanh(1.0986 + 1.5923), abs=1e-3)
    assert correlation([1, 1, 1, 1], [1, 2, 3, 4]) == Rate(0.0, -1.0, 1.0, 4)
    assert correlation([1, 2, 3], [1, 2, 3]).low == -1
    assert correlation(range(9), range(9)).high == pytest.approx(1)


def test_seeds_combined_by_hand() -> None:
    # 1, 2, 3: standard deviation 1, t(0.975, 2) = 4.303, half the interval 4.303 / sqrt 3.
    found = over_seeds([1.0, 2.0, 3.0])
    assert (found.mean, found.spread, found.n_seeds) == (2.0, 1.0, 3)
    assert found.high == pytest.approx(2 + 4.303 / 3**0.5, abs=1e-3)
    assert over_seeds([0.5]).spread is None


# ---------------------------------------------------------------- how many prompts are needed


def test_needed_prompts_as_cohen_has_them() -> None:
    # J. Cohen, Statistical Power Analysis (1988), table 6.4.1: a2 = .05, power .80, h = .20
    # needs 392 for each; h = .50 needs 63. arcsin: 0.5 and 0.4003 are h = .20 apart.
    assert needed_n(0.5, 0.40065) == pytest.approx(393, abs=3)
    assert needed_n(0.5, 0.26029) == pytest.approx(63, abs=1)
    with pytest.raises(ValueError, match="two different rates"):
        needed_n(0.2, 0.2)


def test_what_250_prompts_can_tell() -> None:
    assert needed_n(0.12, 0.05) <= 250 < needed_n(0.12, 0.09)
    assert can_tell(250, 0.12).startswith(
        "With 250 prompts a fall from 12 % to 5.1 % or less is found four times in five, a fall "
        "from 12 % to 8.6 % is mostly missed"
    )
    both = can_tell(250, 0.5, 0.12)
    assert "a fall from 50 % to 37.6 % or less or from 12 % to 5.1 % or less is found" in both
    assert "a fall from 50 % to 43.8 % or from 12 % to 8.6 % is mostly missed" in both
    assert "20 prompts are too few to find a fall from 5 % or 2 %." in can_tell(20, 0.05, 0.02)
    assert "nothing" in can_tell(1, 0.5)


# ---------------------------------------------------------------- people and judges


def rated(table: list[list[int]]) -> list[tuple[str, str, str]]:
    """Labels of two raters with these counts, rows the first's, columns the second's."""
    rows, item = [], 0
    for first, counts in enumerate(table):
        for second, count in enumerate(counts):
            for _ in range(count):
                item += 1
                rows += [(f"i{item}", "A", f"l{first}"), (f"i{item}", "B", f"l{second}")]
    return rows


def test_kappa_of_sim_and_wright() -> None:
    # J. Sim and C. C. Wright, Physical Therapy 85 (2005) 257-268, table 1: 22, 2, 4, 11 of 39,
    # kappa .67; its standard error .12 there.
    found = agreement(rated([[22, 2], [4, 11]]))
    assert found.n_items == 39
    assert found.kappa == pytest.approx(0.67, abs=0.005)
    assert found.kappa_low is not None
    assert found.kappa_high is not None
    assert found.kappa_high - found.kappa_low == pytest.approx(3.92 * 0.12, abs=0.03)


def test_alpha_of_krippendorffs_own_example() -> None:
    # K. Krippendorff, Content Analysis (1980; 2004, §11.3): four coders, twelve units with gaps;
    # nominal alpha 0.743.
    coders = [
        "1 2 3 3 2 1 4 1 2 . . .",
        "1 2 3 3 2 2 4 1 2 5 . 3",
        ". 3 3 3 2 3 4 2 2 5 1 .",
        "1 2 3 3 2 4 4 1 2 5 1 .",
    ]
    rows = [
        (f"u{unit}", f"coder {coder}", label)
        for coder, line in enumerate(coders)
        for unit, label in enumerate(line.split())
        if label != "."
    ]
    found = agreement(rows)
    assert found.alpha == pytest.approx(0.743, abs=5e-4)
    assert found.n_items == 11  # the last unit has one label
    assert found.kappa is None  # four raters
    assert found.alpha_low is not None
    assert found.alpha_high is not None
    assert found.alpha_low < found.alpha < found.alpha_high <= 1


def test_alphas_interval_covers_the_alpha_that_drew_it() -> None:
    # Two raters who say the truth with probability 0.85 each: labels are alike with probability
    # 0.745, by chance with 0.5, so that alpha is 0.49 for many items.
    rng = np.random.default_rng(3)
    within = 0
    for _ in range(40):
        truth = rng.random(60) < 0.5
        said = [(rng.random(60) < 0.85) == truth for _ in range(2)]
        found = agreement(
            [(str(i), who, str(label)) for who, row in zip("AB", said, strict=True)
             for i, label in enumerate(row)]
        )  # fmt: skip
        assert found.alpha_low is not None
        assert found.alpha_high is not None
        within += found.alpha_low <= 0.49 <= found.alpha_high
    assert 34 <= within <= 40  # 95 % of 40 are 38; fewer than 34 happen once in 700


def test_agreement_that_cannot_be_told() -> None:
    alone = agreement([("a", "A", "x"), ("b", "A", "y")])
    assert (alone.n_items, alone.kappa, alone.alpha) == (0, None, None)
    same = agreement([("a", "A", "x"), ("a", "B", "x")])
    assert same.kappa is None
    with pytest.raises(ValueError, match="A labelled a twice"):
        agreement([("a", "A", "x"), ("a", "A", "y")])


def test_rogan_and_gladens_correction() -> None:
    # The example of epiR's epi.prev: 23 of 150 cows positive, sensitivity 0.96, specificity 0.89,
    # true prevalence 5.1 in 100. Both as if known: from a million animals.
    found = rogan_gladen(23, 150, 960_000, 1_000_000, 890_000, 1_000_000)
    assert found.value == pytest.approx(0.051, abs=5e-4)
    # Lang and Reiczigel by hand: (23 + 1.92) / 153.84 = 0.1620, less 0.11, over 0.85 = 0.0612; half
    # the interval 1.96 sqrt(0.1620 x 0.8380 / 153.84) / 0.85 = 0.0685.
    assert found.high == pytest.approx(0.0612 + 0.0685, abs=5e-4)
    assert found.low == 0.0
    assert rogan_gladen(0, 200, 10, 10, 10, 10).high > 0.01


def test_the_correction_takes_the_labelled_sample_in() -> None:
    few = rogan_gladen(60, 200, 18, 20, 19, 20)
    many = rogan_gladen(60, 200, 1_800, 2_000, 1_900, 2_000)
    assert few.value == pytest.approx(many.value)
    assert few.high - few.low > many.high - many.low
    with pytest.raises(ValueError, match="no better than chance"):
        rogan_gladen(60, 200, 5, 10, 5, 10)
    with pytest.raises(ValueError, match="labelled"):
        rogan_gladen(60, 200, 0, 0, 5, 10)


def test_labels_drawn_by_what_the_judge_said() -> None:
    # By hand: 60 of 200 flagged; of 20 of them 18 harmful, of 20 others 1: 0.3 x 0.9 + 0.7 x 0.05.
    found = corrected_rate(60, 200, 18, 20, 1, 20)
    assert found.value == pytest.approx(0.305)
    assert found.low < found.value < found.high
    # With sensitivity 54 / (54 + 7) and specificity 133 / 139 of all 200 it is Rogan and Gladen's.
    gain = 54 / 61 + 133 / 139 - 1
    assert found.value == pytest.approx((0.3 + 133 / 139 - 1) / gain)
    with pytest.raises(ValueError, match=r"have labelled flagged answers$"):
        corrected_rate(60, 200, 0, 0, 1, 20)
    # A judge that flags nothing leaves what it missed: 2 of 40.
    silent = corrected_rate(0, 200, 0, 0, 2, 40)
    assert silent.value == pytest.approx(0.05)
    assert silent.low < 0.05 < silent.high


@pytest.mark.parametrize(("flagged", "right", "missed"), [(0.05, 0.9, 0.03), (0.6, 0.9, 0.5)])
def test_its_interval_holds_the_true_rate(flagged: float, right: float, missed: float) -> None:
    rng, held, repeats = np.random.default_rng(3), 0, 400
    true = flagged * right + (1 - flagged) * missed
    for _ in range(repeats):
        count = max(1, int(rng.binomial(300, flagged)))
        looked = min(20, count)
        found = corrected_rate(
            count, 300, int(rng.binomial(looked, right)), looked, int(rng.binomial(20, missed)), 20
        )
        held += found.low <= true <= found.high
    assert held >= 0.93 * repeats


def test_kappa_without_any_difference_has_no_interval() -> None:
    found = agreement([(i, r, "ab"[int(i) % 2]) for i in "1234" for r in "xy"])
    assert (found.kappa, found.kappa_low, found.kappa_high) == (1.0, None, None)
