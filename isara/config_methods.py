"""Settings that one method alone reads: I-SHEEP, SPIN and IRFT, RFT.

Every field's description gives where its default comes from: [S] stated by the method's paper, [C]
what its released code does, [H] chosen by this project. The papers: I-SHEEP arXiv 2408.08072, SPIN
arXiv 2401.01335, IRFT and RFT arXiv 2405.17888.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from isara.config_base import Part

Assessment = Literal["none", "quality", "following", "both"]


class AssessmentConfig(Part):
    """A model's scores of its own pairs, 1 to 10 (I-SHEEP, §3.3); `filters` says which count."""

    prompt: Literal["simple", "combined", "icl"] = "simple"
    """What the model reads: the bare standard in two calls, a standard with its grades in two
    calls, or one call after three worked examples scored 6, 1 and 10 [S]."""
    max_new_tokens: int = Field(64, ge=8, le=1024)
    """Budget of one assessment (tokens) [H]."""


class SheepConfig(Part):
    """I-SHEEP: instructions from a few seeds, answers without examples (§3)."""

    setting: Literal["one_base", "one_last", "total_base", "direct"] = "one_base"
    """What is trained on what: the base model on this iteration's rows (the setting that won), the
    last model on them, the base model on all rows so far, or all rows written at once by the base
    model [S]."""
    shown: int = Field(5, ge=1, le=20)
    """Seed questions in the list that the model goes on with [C]."""
    tasks: int = Field(20, ge=2, le=100)
    """Length of a list, the shown ones included [C]."""
    max_rows: int = Field(3000, ge=1)
    """Rows trained on at most, the newest ones (rows) [S]."""
    list_tokens: int = Field(1024, ge=16, le=8192)
    """Budget of one list (tokens) [H]."""
    header: str = (
        "Below is a list of {tasks} tasks for an assistant. They differ in kind, in subject and in "
        "wording, and each can be done by writing alone."
    )
    """Words before the list; {tasks} stands for its length [H]. Empty: the list alone."""

    @field_validator("header")
    @classmethod
    def header_can_be_filled(cls, header: str) -> str:
        try:
            header.format(tasks=20)
        except (LookupError, ValueError, AttributeError):
            raise ValueError(
                "in braces it may have {tasks} alone; write {{ and }} for braces themselves"
            ) from None
        return header

    @model_validator(mode="after")
    def lists_go_on(self) -> SheepConfig:
        if self.shown >= self.tasks:
            raise ValueError(
                f"a list of {self.tasks} tasks of which {self.shown} are shown leaves none to "
                "write: raise isheep.tasks or lower isheep.shown"
            )
        return self


class ContrastConfig(Part):
    """SPIN and IRFT: demonstrations against the model's own answers (2405.17888, §3.2)."""

    beta: float = Field(0.1, gt=0, le=10)
    """Strength of the pull to the reference, the model at the start of the stage [S]."""
    updates: int | None = Field(None, ge=1)
    """K, optimizer steps of a stage; the training's epochs when not given [H]."""
    first_sft: bool = False
    """Train on the seeds by SFT before the first stage, as both papers begin from an SFT model
    [H]: the demo's base model has not seen one."""
    held_out: int = Field(8, ge=0)
    """Demonstrations that spin and irft do not train on, for the curve of log-probability gaps
    (pairs) [H]."""


class RewardTrainingConfig(Part):
    """RFT: a reward model and a policy in turns (2405.17888, §3.1)."""

    learning_rate: float = Field(1e-4, gt=0, le=1)
    """Peak learning rate of the reward model [H]."""
    updates: int = Field(20, ge=1)
    """K, optimizer steps of the reward model in a round [H]."""
    policy_learning_rate: float = Field(1e-5, gt=0, le=1)
    """Learning rate of the policy [H]."""
    policy_steps: int = Field(20, ge=1)
    """Optimizer steps of the policy in a round [H]."""
    answers: int = Field(4, ge=2, le=64)
    """Answers drawn for each question by the policy [H]."""
    kl: float = Field(0.05, ge=0, le=10)
    """Weight of the divergence from the policy's start of the round [H]."""
    held_out: int = Field(8, ge=0)
    """Demonstrations that the reward model is not trained on, for its accuracy (pairs) [H]."""
    preference_pairs: str | None = None
    """JSON lines of question, better and worse that the reward model is never trained on, for its
    accuracy; none: not measured [H]."""
