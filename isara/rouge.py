"""ROUGE-L F1 for many pairs of texts at once, with the values of the `rouge_score` package.

    rouge_l("Is it cold?", "Is it very cold?")            # 6/7
    values, index = nearest(questions, pool_questions)    # the most similar pool question of each
    near = near_earlier(questions, 0.3)                   # the sparse list behind the verdicts

Tokens are coded as integers and their longest common subsequences counted by rapidfuzz, in blocks
of rows so that memory stays flat: only `rouge_l_matrix` ever holds all n x m values. F1 is computed
as 2·LCS / (n + m), one rounding, so a value that is 0.7 on paper meets a threshold of 0.7;
`rouge_score` goes through precision and recall and may differ in the last digit.

Two tokenizers. The plain one is that of `rouge_score`: lower case, anything but a-z and 0-9
separates. It drops letters outside ASCII and Chinese has no spaces, so a pair of which either text
is mostly non-ASCII is compared by the Unicode one: words, and single characters in scripts that
are written without spaces. All other pairs score as `rouge_score` has them.

Left out: stemming, ROUGE-1, -2 and -Lsum (the evaluation code calls `rouge_score` for those).
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import regex
from rapidfuzz.distance import LCSseq
from rapidfuzz.process import cdist

Indices = npt.NDArray[np.int32]
Values = npt.NDArray[np.float64]

PLAIN_TOKEN = re.compile(r"[a-z0-9]+")
# A vowel sign belongs to its letter: `regex` has \w cover combining marks, `re` splits words there.
UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
UNICODE_TOKEN = regex.compile(rf"(?V1)[{UNSPACED}]\p{{M}}*|[\w--[{UNSPACED}]]+")

# Pairs in one block: 4 bytes for the LCS, 8 for F1 and 4 for the lengths of each.
BLOCK_PAIRS = 1 << 21


def tokens(text: str, *, unicode: bool = False) -> list[str]:
    """Split `text` into lower-case tokens, by the plain or the Unicode tokenizer (see above)."""
    if unicode:
        return list(UNICODE_TOKEN.findall(unicodedata.normalize("NFC", text).lower()))
    return PLAIN_TOKEN.findall(text.lower())


def mostly_non_ascii(text: str) -> bool:
    """True when the plain tokenizer loses more than half of the words of `text` altogether.

    Words are tokens of the Unicode tokenizer; "café" leaves "caf" behind, "кафе" and "茶" nothing.
    """
    if text.isascii():
        return False
    words = tokens(text, unicode=True)
    return 2 * sum(not PLAIN_TOKEN.search(word) for word in words) > len(words)


def word_count(text: str) -> int:
    """Words between white space; tokens of the Unicode tokenizer in a mostly non-ASCII text."""
    return len(tokens(text, unicode=True) if mostly_non_ascii(text) else text.split())


def rouge_l(a: str, b: str) -> float:
    """ROUGE-L F1 of two texts, from 0 to 1; 0 when either has no tokens."""
    return float(rouge_l_matrix([a], [b], workers=1)[0, 0])


def rouge_l_matrix(
    queries: Sequence[str], references: Sequence[str], *, workers: int = -1
) -> Values:
    """ROUGE-L F1 of every query with every reference, shape [queries, references].

    `workers` is the number of threads, -1 for one per core; the values do not depend on it.
    """
    scores = np.zeros((len(queries), len(references)))
    for rows, block in _Pairs(queries, references, workers).blocks():
        scores[rows.start : rows.stop] = block
    return scores


def nearest(
    queries: Sequence[str], references: Sequence[str], *, workers: int = -1
) -> tuple[Values, Indices]:
    """The best ROUGE-L F1 of each query and the index of its reference, the first of equals.

    Both have shape [queries]; without references the values are 0 and the indices -1.
    """
    values, indices = np.zeros(len(queries)), np.full(len(queries), -1, np.int32)
    if not references:
        return values, indices
    for rows, block in _Pairs(queries, references, workers).blocks():
        best = block.argmax(axis=1)
        indices[rows.start : rows.stop] = best
        values[rows.start : rows.stop] = block[np.arange(len(rows)), best]
    return values, indices


def near_earlier(
    texts: Sequence[str], threshold: float, *, workers: int = -1
) -> list[tuple[Indices, Values]]:
    """For each text the earlier ones at ROUGE-L F1 >= `threshold`: rising indices and values."""
    near: list[tuple[Indices, Values]] = []
    for rows, block in _Pairs(texts, texts, workers).blocks(earlier_only=True):
        # Row r of the block is text rows.start + r, whose earlier texts are the columns before it.
        row, column = np.nonzero(np.tril(block >= threshold, k=rows.start - 1))
        values = block[row, column]
        ends = np.searchsorted(row, np.arange(1, len(rows)))
        near += zip(np.split(column.astype(np.int32), ends), np.split(values, ends), strict=True)
    return near


def near_pairs(
    texts: Sequence[str], threshold: float, *, workers: int = -1
) -> list[tuple[int, int, float]]:
    """The pairs of texts at ROUGE-L F1 >= `threshold` as (i, j, value) with i < j, ordered by j."""
    return [
        (int(i), j, float(value))
        for j, (indices, values) in enumerate(near_earlier(texts, threshold, workers=workers))
        for i, value in zip(indices, values, strict=True)
    ]


class _Coded:
    """Queries and references as integer sequences under one tokenizer."""

    def __init__(
        self, queries: Sequence[str], references: Sequence[str], workers: int, *, unicode: bool
    ) -> None:
        query_tokens = [tokens(text, unicode=unicode) for text in queries]
        reference_tokens = (
            query_tokens
            if references is queries
            else [tokens(text, unicode=unicode) for text in references]
        )
        # Frequent tokens get small numbers: rapidfuzz looks up codes below 256 directly. Integers,
        # not strings, because it compares the elements of a sequence by hash, exact for these only.
        counts = Counter(token for words in (*query_tokens, *reference_tokens) for token in words)
        codes = {token: code for code, (token, _) in enumerate(counts.most_common())}
        self.queries = [array("I", [codes[token] for token in words]) for words in query_tokens]
        self.references = [
            array("I", [codes[token] for token in words]) for words in reference_tokens
        ]
        self.workers = workers

    def f1(self, rows: Sequence[int], columns: Sequence[int]) -> Values:
        """ROUGE-L F1 of the chosen queries and references, shape [rows, columns]."""
        queries = [self.queries[i] for i in rows]
        references = [self.references[j] for j in columns]
        common = cdist(
            queries, references, scorer=LCSseq.similarity, dtype=np.int32, workers=self.workers
        )
        lengths = np.add.outer(_lengths(queries), _lengths(references))
        scores: Values = np.multiply(common, 2.0)
        scores /= np.maximum(lengths, 1, out=lengths)
        return scores


def _lengths(sequences: Sequence[Sequence[int]]) -> Indices:
    return np.fromiter(map(len, sequences), np.int32, len(sequences))


class _Pairs:
    """All pairs of queries and references, each scored under its own tokenizer, block by block."""

    def __init__(self, queries: Sequence[str], references: Sequence[str], workers: int) -> None:
        self.size = len(queries), len(references)
        self.unicode_rows = {i for i, text in enumerate(queries) if mostly_non_ascii(text)}
        self.unicode_columns = [j for j, text in enumerate(references) if mostly_non_ascii(text)]
        self.plain = _Coded(queries, references, workers, unicode=False)
        if self.unicode_rows or self.unicode_columns:
            self.unicode = _Coded(queries, references, workers, unicode=True)

    def blocks(self, *, earlier_only: bool = False) -> Iterator[tuple[range, Values]]:
        """Yield ranges of rows with their scores, shape [rows, columns].

        `earlier_only` leaves out the columns after a block's last row.
        """
        height, width = self.size
        step = max(1, BLOCK_PAIRS // max(1, width))
        for start in range(0, height, step):
            rows = range(start, min(start + step, height))
            yield rows, self._block(rows, range(rows.stop if earlier_only else width))

    def _block(self, rows: range, columns: range) -> Values:
        scores = self.plain.f1(rows, columns)
        if chosen := [i for i in rows if i in self.unicode_rows]:
            scores[np.array(chosen) - rows.start] = self.unicode.f1(chosen, columns)
        if chosen := [j for j in self.unicode_columns if j in columns]:
            scores[:, chosen] = self.unicode.f1(rows, chosen)
        return scores
