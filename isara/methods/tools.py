"""What a run works with: a writer, an embedder, a judge and a trainer, real or fake.

`Tools` is the seam at which tests put fakes; `LoadedTools` loads the models of a config and keeps
one language model in memory at a time. What it loads counts as loading, imports included, and so in
no stage's pace.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Unpack

from isara.config import RunConfig, resolve
from isara.decoding import Writer
from isara.errors import InputError
from isara.evaluation.harm import HarmJudge
from isara.evaluation.measure import Scorer
from isara.examples import Example
from isara.models import loading
from isara.retrieval import Embedder
from isara.training.sft import Told, TrainingRow, fine_tune

if TYPE_CHECKING:
    from isara.decoding.hugging_face import HuggingFaceWriter
    from isara.evaluation.pairwise import PairJudge
    from isara.evaluation.refusal import RefusalMethod
    from isara.evaluation.reward_accuracy import AnswerPair
    from isara.models import Language
    from isara.training.contrast import Contrast
    from isara.training.likelihood import PairMeasures


class Tools(Protocol):
    """What the stages call."""

    def writer(self, model: Path | None) -> Writer:
        """The writer for M(k) in a folder, or for the base model (None)."""
        ...

    @property
    def embedder(self) -> Embedder:
        """The embedder of the config."""
        ...

    @property
    def judge(self) -> HarmJudge:
        """The judge of the config."""
        ...

    @property
    def refusals(self) -> RefusalMethod:
        """What says which answers are refusals."""
        ...

    @property
    def reward(self) -> Scorer | None:
        """The config's reward model, if it names one."""
        ...

    @property
    def preference(self) -> PairJudge | None:
        """The config's judge of pairs, if it names one."""
        ...

    def measure_pairs(self, model: Path | None, examples: Sequence[Example]) -> PairMeasures:
        """How likely pairs are under a model."""
        ...

    def fine_tune(
        self,
        model: Path | None,
        rows: Sequence[TrainingRow],
        folder: Path,
        **told: Unpack[Told],
    ) -> None:
        """Train the model of a folder (None: the base model) and write it to `folder`."""
        ...

    def contrast(
        self,
        model: Path | None,
        pairs: Sequence[Contrast],
        folder: Path,
        **told: Unpack[Told],
    ) -> None:
        """Train it on demonstrations against its own answers and write it to `folder`."""
        ...

    def train_reward(
        self,
        last: Path | None,
        pairs: Sequence[AnswerPair],
        folder: Path,
        **told: Unpack[Told],
    ) -> None:
        """Train RFT's reward model (None: a new one) on pairs and write it to `folder`."""
        ...

    def scorer(self, reward: Path) -> Scorer:
        """The reward model that `train_reward` wrote to this folder."""
        ...

    def train_policy(
        self,
        model: Path | None,
        reward: Path,
        questions: Sequence[str],
        folder: Path,
        **told: Unpack[Told],
    ) -> None:
        """Train the model against a reward model and write it to `folder`."""
        ...


class LoadedTools:
    """The config's own models; `embeddings` is the file that keeps vectors, if any."""

    def __init__(self, config: RunConfig, embeddings: Path | None = None) -> None:
        self.config = config
        self.embeddings = embeddings
        self._language: Language | None = None
        self._writer: HuggingFaceWriter | None = None

    def _load(self, model: Path | None) -> Language:
        from isara.models import load_language

        if model is not None and not model.is_dir():
            raise InputError(
                f"The trained model {model} is not there any more: put it back, or delete the "
                f"folder {model.parent} and resume, which does this part of the run again."
            )
        name = str(model or self.config.model.path)
        if self._language is None or self._language.name != name:
            self._forget()  # the old weights, before the new ones are loaded
            self._language = load_language(self.config.model, model)
        return self._language

    def _forget(self) -> None:
        """Free the language model; the Trainer's objects refer to each other, hence gc."""
        import gc

        import torch

        self._language = self._writer = None
        gc.collect()
        torch.cuda.empty_cache()

    @loading
    def writer(self, model: Path | None) -> Writer:
        """The writer for M(k) in a folder, or for the base model (None)."""
        from isara.decoding.choose import writer_for

        language = self._load(model)
        if self._writer is None or self._writer.language is not language:
            self._writer = writer_for(language)
        return self._writer

    @cached_property
    @loading
    def embedder(self) -> Embedder:
        """The sentence embedder."""
        from isara.embedding_cache import CachedEmbedder
        from isara.models import pick_device
        from isara.retrieval import SentenceEmbedder

        folder = resolve(self.config.embedder)
        name = str(folder) if folder.is_dir() else self.config.embedder
        device = pick_device(self.config.model.device)
        if self.embeddings is None:
            return SentenceEmbedder(name, device)
        return CachedEmbedder(name, self.embeddings, device)

    @cached_property
    @loading
    def judge(self) -> HarmJudge:
        """The 14-label judge."""
        from isara.evaluation.harm import Judge

        return Judge(str(self.config.evaluation.judge), self.config.model.device)

    @cached_property
    @loading
    def refusals(self) -> RefusalMethod:
        """The config's judge of refusals, or the phrase list."""
        from isara.evaluation.refusal import PhraseList, RefusalJudge

        name = self.config.evaluation.refusal_judge
        return PhraseList() if name is None else RefusalJudge(name, self.config.model.device)

    @cached_property
    @loading
    def reward(self) -> Scorer | None:
        """The reward model; None where the config names none."""
        from isara.evaluation.reward import RewardModel

        name = self.config.evaluation.reward
        return None if name is None else RewardModel(name, self.config.model.device)

    @cached_property
    @loading
    def preference(self) -> PairJudge | None:
        """The judge of pairs; replies of a server are kept beside the embeddings."""
        wanted = self.config.evaluation.preference
        if wanted is None:
            return None
        from isara.evaluation.pairwise import pair_judge

        cache = self.embeddings.with_name("replies.sqlite") if self.embeddings else None
        return pair_judge(wanted, self.config.model.device, cache)

    def measure_pairs(self, model: Path | None, examples: Sequence[Example]) -> PairMeasures:
        """How likely pairs are under a model."""
        from isara.training.likelihood import measure_pairs

        return measure_pairs(
            self._load(model),
            examples,
            max_tokens=self.config.training.max_tokens,
            multiline=self.config.prompts.multiline,
        )

    def fine_tune(
        self,
        model: Path | None,
        rows: Sequence[TrainingRow],
        folder: Path,
        **told: Unpack[Told],
    ) -> None:
        """Train and write; M(k) is then read from its folder, as after a kill and a resume."""
        fine_tune(
            self._load(model),
            rows,
            self.config.training,
            folder,
            multiline=self.config.prompts.multiline,
            **told,
        )
        self._forget()

    def contrast(
        self,
        model: Path | None,
        pairs: Sequence[Contrast],
        folder: Path,
        **told: Unpack[Told],
    ) -> None:
        """Train against the answers and write, as `fine_tune` does."""
        from isara.training.contrast import contrast_tune

        contrast_tune(
            self._load(model),
            pairs,
            self.config.training,
            folder,
            beta=self.config.contrast.beta,
            multiline=self.config.prompts.multiline,
            **told,
        )
        self._forget()

    def train_reward(
        self,
        last: Path | None,
        pairs: Sequence[AnswerPair],
        folder: Path,
        **told: Unpack[Told],
    ) -> None:
        """Train on the backbone of the config's language model, or go on from the last one."""
        from isara.training.reward import train_reward

        self._forget()  # the policy is not needed meanwhile
        train_reward(
            str(last or self.config.model.path),
            pairs,
            self.config.training,
            folder,
            updates=self.config.rft.updates,
            learning_rate=self.config.rft.learning_rate,
            going_on=last is not None,
            device=self.config.model.device,
            **told,
        )

    @loading
    def scorer(self, reward: Path) -> Scorer:
        """The reward model of a folder."""
        from isara.evaluation.reward import RewardModel

        return RewardModel(str(reward), self.config.model.device)

    def train_policy(
        self,
        model: Path | None,
        reward: Path,
        questions: Sequence[str],
        folder: Path,
        **told: Unpack[Told],
    ) -> None:
        """Train and write; M(k) is then read from its folder, as after `fine_tune`."""
        from isara.training.policy import train_policy

        rft = self.config.rft
        train_policy(
            self._load(model),
            questions,
            self.scorer(reward).scores,
            self.config.training,
            folder,
            updates=rft.policy_steps,
            answers=rft.answers,
            kl=rft.kl,
            learning_rate=rft.policy_learning_rate,
            max_new_tokens=self.config.prompts.answer_tokens,
            multiline=self.config.prompts.multiline,
            **told,
        )
        self._forget()
