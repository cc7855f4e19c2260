"""Does a text of several lines hold a marker by now? Asked after every step, for every text.

Only a token that can end a marker needs a look: which tokens those are is read off the vocabulary
once, and for them alone the last tokens are turned into text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import torch

from isara.decoding.beam import Hits

_endings: WeakKeyDictionary[Any, torch.Tensor] = WeakKeyDictionary()


def marker_hits(tokenizer: Any, markers: Sequence[str]) -> Hits:
    """A function of tokens [slots, texts, budget] and lengths [slots]: which texts hold a marker.

    A text counts as soon as its last tokens complete a marker, so it is to be asked at every step.
    """
    window = max(len(marker.encode()) for marker in markers) + 1  # a token holds a byte or more

    def hits(tokens: torch.Tensor, written: torch.Tensor) -> torch.Tensor:
        ending = ending_tokens(tokenizer, markers).to(tokens.device)
        place = (written - 1)[:, None, None].expand(-1, tokens.shape[1], 1)
        # Models may have more rows than their tokenizer has tokens.
        found = ending[tokens.gather(2, place)[:, :, 0].clamp(max=len(ending) - 1)]
        for slot, text in found.nonzero().tolist():
            length = int(written[slot])
            last = tokens[slot, text, max(0, length - window) : length].tolist()
            decoded = tokenizer.decode(last, skip_special_tokens=True)
            found[slot, text] = any(marker in decoded for marker in markers)
        return found

    return hits


def ending_tokens(tokenizer: Any, markers: Sequence[str]) -> torch.Tensor:
    """Which tokens [vocabulary] can complete a marker: they hold its end at their beginning, or
    all of it."""
    if tokenizer not in _endings:
        texts = tokenizer.batch_decode([[i] for i in range(len(tokenizer))])
        ends = tuple({marker[n:] for marker in markers for n in range(len(marker))})
        can = [any(m in t for m in markers) or any(t.startswith(e) for e in ends) for t in texts]
        _endings[tokenizer] = torch.tensor(can)
    return _endings[tokenizer]
