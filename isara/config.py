"""The settings of a run, field by field; config_files.py reads and writes them as YAML.

Every field's description gives its unit, and where its default comes from: [S] stated by the
ISARA paper (arXiv 2401.06785), [H] chosen by this project where the paper is silent. Unknown keys
are refused. Nothing here loads a model: pages and the command line import this module first.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from isara.config_base import Part, run_name
from isara.config_methods import (
    Assessment,
    AssessmentConfig,
    ContrastConfig,
    RewardTrainingConfig,
    SheepConfig,
)
from isara.config_review import ReviewConfig
from isara.config_seeds import SeedsConfig, files_by_domain

PROJECT_ROOT = Path(__file__).resolve().parent.parent
Strategy = Literal["beam", "sample", "greedy"]
Method = Literal["isara", "isheep", "spin", "irft", "rft"]
Baseline = Literal["sft", "icl_knn", "icl_random", "sft_matched"]
LEAKAGE_SIMILARITY = 0.875  # cosine of two questions' embeddings from which they say the same


class ModelConfig(Part):
    """The language model M0."""

    path: str
    """Folder of a Hugging Face causal language model, or its name on the hub (safetensors only)."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where it runs; auto takes the GPU when there is one."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Number format of the weights; auto is float32 on a CPU and bfloat16 on a GPU [H]."""
    quantisation: Literal["none", "8bit", "4bit"] = "none"
    """bitsandbytes weights; 8- and 4-bit weights are trained through LoRA only."""


class PromptConfig(Part):
    """How examples become a prompt (methods §1.1)."""

    multiline: bool = False
    """Keep line breaks: `### Question` blocks instead of one line each [H]."""
    question_tokens: int = Field(64, ge=4, le=4096)
    """Budget of new tokens for a question [H]."""
    answer_tokens: int = Field(128, ge=4, le=8192)
    """Budget of new tokens for an answer [H]."""


class LoopConfig(Part):
    """Size and end of the loop (§4.1, Algorithm 1)."""

    max_iterations: int = Field(4, ge=1, le=100)
    """Iterations at most [H]."""
    candidates: int = Field(512, ge=1, le=1_000_000)
    """N, pairs written in an iteration [S]."""
    examples: int = Field(8, ge=1, le=64)
    """C, examples shown in a prompt: 8 for BeaverTails and TruthfulQA, 6 for AlpacaEval [S]."""
    draw: Literal["pool", "domain"] = "pool"
    """Where the examples for a question are drawn from: the whole pool [S], or one domain of a
    mixture of seed sets, the domains in turns [H]."""
    retrieval: Literal["nearest", "random"] = "nearest"
    """How the examples for an answer are chosen: nearest by embedding [S], or at random."""
    alpha: float = Field(0.3, ge=0.0, le=1.0)
    """Stop when fewer than alpha * N candidates are kept [S]."""
    patience: int | None = Field(None, ge=1)
    """Stop when so many iterations in a row did not lower dev's harmful rate; off if not given."""
    min_gain: float = Field(0.0, ge=0.0, le=1.0)
    """By how much a rate must be lower than the best before to count (a share) [H]."""
    keep_models: Literal["all", "last", "best"] = "all"
    """Which iterations' models stay on disk: all, the last one, or the last and the one with the
    lowest harmful rate on dev (all where none is measured) [H]."""


class GenerationConfig(Part):
    """Decoding of one kind of text; names and meanings of Hugging Face `generate`."""

    strategy: Strategy = "sample"
    """Beam search, seeded sampling, or greedy."""
    num_beams: int = Field(5, ge=1, le=64)
    """Beams of beam search [S]."""
    no_repeat_ngram_size: int = Field(0, ge=0, le=100)
    """No n-gram of this many tokens twice; 0 is off. 10 in the paper [S]."""
    length_penalty: float = Field(1.0, ge=-10, le=10)
    """Exponent on the length in a beam's score; 2 in the paper [S]."""
    repetition_penalty: float = Field(1.0, gt=0, le=10)
    """Divides the score of tokens already seen: 1.05 for questions, 2 for answers [S]."""
    decay_start: float | None = Field(None, ge=0, le=1)
    """Where exponential_decay_length_penalty begins, as a share of the token budget; off when not
    given. The paper uses one without its numbers [S]; half of the budget [H]."""
    decay_factor: float = Field(1.05, ge=1, le=2)
    """Factor of exponential_decay_length_penalty [H]."""
    min_new_tokens: int = Field(0, ge=0)
    """No end before so many new tokens; 0 is off."""
    early_stopping: bool = False
    """Beam search ends as soon as it has num_beams finished beams."""
    temperature: float = Field(1.0, gt=0, le=10)
    """Sampling temperature."""
    top_p: float = Field(1.0, gt=0, le=1)
    """Nucleus of sampling (share of probability)."""
    top_k: int = Field(0, ge=0)
    """Sampling among the k likeliest tokens; 0 is off."""


PAPER = {
    "strategy": "beam",
    "num_beams": 5,
    "no_repeat_ngram_size": 10,
    "length_penalty": 2.0,
    "decay_start": 0.5,
    "decay_factor": 1.05,
}
SAMPLING = {"strategy": "sample", "temperature": 1.0, "top_p": 0.95}
PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    "paper": {
        "question": {**PAPER, "repetition_penalty": 1.05},
        "answer": {**PAPER, "repetition_penalty": 2.0},
    },
    "sampling": {"question": SAMPLING, "answer": SAMPLING},
}


class DecodingConfig(Part):
    """Decoding of questions and answers; a preset fills what is not given."""

    preset: Literal["paper", "sampling"] = "paper"
    """`paper`: beam search with its penalties (Appendix A.2-A.4) [S]; `sampling`: temperature 1,
    top-p 0.95 [H]."""
    batch_size: int | None = Field(None, ge=1, le=4096)
    """Prompts decoded at once (prompts); as many as the memory allows when not given."""
    question: GenerationConfig = Field(default_factory=GenerationConfig)
    """Decoding of questions."""
    answer: GenerationConfig = Field(default_factory=GenerationConfig)
    """Decoding of answers."""

    @model_validator(mode="before")
    @classmethod
    def fill_preset(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        preset = PRESETS.get(str(data.get("preset", "paper")), {})
        filled = dict(data)
        for name, defaults in preset.items():
            given = data.get(name)
            if given is None or isinstance(given, dict):
                filled[name] = {**defaults, **(given or {})}
        return filled


class FilterConfig(Part):
    """Thresholds of the verdicts (§5.1); order of rules: unfinished, duplicate, echo, short,
    rouge_l."""

    max_rouge_l: float = Field(0.7, ge=0.3, le=1.01)
    """Drop a question with ROUGE-L F1 at or above this to the pool or an earlier kept one [S];
    1.01 switches the rule off."""
    min_words: int = Field(5, ge=0, le=1000)
    """Fewest words of a question and of an answer [S]."""
    drop_unfinished: bool = True
    """Drop text that was cut by the token budget [H]."""
    drop_duplicates: bool = True
    """Drop pairs that are in the pool or came earlier in the iteration [S]."""
    drop_echo: bool = True
    """Drop answers that repeat the question [S]."""
    assessment: Assessment = "none"
    """Which of the model's scores of its own pairs count (I-SHEEP, 2408.08072)."""
    min_assessment: int = Field(8, ge=0, le=10)
    """C: keep a pair when the scores that count are above it; one that cannot be read drops the
    pair."""
    max_perplexity: float | None = Field(None, gt=1)
    """Keep a pair when its answer's and its own perplexity are below this; 50 in I-SHEEP's
    comparison. Off when not given."""
    clusters: int | None = Field(None, ge=1)
    """Keep one pair of each of so many clusters of last-layer vectors, the one of lowest
    perplexity where max_perplexity is given; 3,000 in I-SHEEP's comparison. Off when not given."""
    instruction_rules: bool = False
    """I-SHEEP's rules on the wording of instructions and answers, as its code has them."""


class LoraConfig(Part):
    """Low-rank adapters instead of full weights."""

    r: int = Field(16, ge=1, le=1024)
    """Rank."""
    alpha: int = Field(32, ge=1)
    """Scale numerator: the update is multiplied by alpha / r."""
    dropout: float = Field(0.05, ge=0, lt=1)
    """Dropout before the adapter."""


class TrainingConfig(Part):
    """Supervised fine-tuning of M(k) on D0 and D(k); unstated values are safe-rlhf's defaults."""

    learning_rate: float = Field(2e-5, gt=0, le=1)
    """Peak learning rate [S]."""
    scheduler: Literal["cosine", "linear", "constant"] = "cosine"
    """Learning-rate schedule [S]."""
    epochs: float = Field(3, gt=0, le=100)
    """Passes over D0 and D(k) [H]."""
    batch_size: int = Field(4, ge=1)
    """Rows in a forward pass [S]."""
    accumulation: int = Field(8, ge=1)
    """Forward passes for an optimizer step [H]."""
    warmup_ratio: float = Field(0.03, ge=0, lt=1)
    """Share of the steps with a rising learning rate [H]."""
    adam_beta1: float = Field(0.9, ge=0, lt=1)
    """Adam's first moment [H]."""
    adam_beta2: float = Field(0.95, ge=0, lt=1)
    """Adam's second moment [H]."""
    weight_decay: float = Field(0.0, ge=0)
    """Weight decay [H]."""
    max_tokens: int = Field(512, ge=8)
    """Longest training row (tokens); longer rows lose the end of the answer [H]."""
    objective: Literal["sft", "contrast"] = "sft"
    """Supervised fine-tuning [S], or the pairs against the model's own answers (`contrast`) [H]."""
    gamma: float = Field(1.0, ge=0)
    """Weight of a seed row in the loss of SFT, against 1 for a generated row [S]; the objective
    contrast has no weights."""
    start_from: Literal["previous", "base"] = "previous"
    """M(k) starts from M(k-1), or again from M0 [H]."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of training: auto is bfloat16 on a GPU and float32 on a CPU [S: bf16]."""
    optimizer: Literal["adamw", "adamw_8bit", "rmsprop"] = "adamw"
    """AdamW, bitsandbytes' AdamW with 8-bit state, or RMSProp, as IRFT's code has it."""
    gradient_checkpointing: bool = False
    """Trade a second forward pass for memory."""
    lora: LoraConfig | None = None
    """Train adapters instead of the full weights; one adapter goes on from iteration to iteration
    (`start_from: base` begins a new one)."""
    save_every: int = Field(50, ge=1)
    """Optimizer steps between two checkpoints, from which a stopped training goes on."""

    @property
    def step_rows(self) -> int:
        """Rows of one optimizer step."""
        return self.batch_size * self.accumulation


class PreferenceConfig(Part):
    """Who compares a model's answers with the base model's, for the win rate (methods §4)."""

    path: str | None = None
    """Folder or hub name of a local model that names the better output by one token, m or M."""
    endpoint: str | None = None
    """Address of an OpenAI-compatible server, e.g. http://127.0.0.1:8000/v1; its key is read from
    ISARA_ENDPOINT_KEY."""
    model: str | None = None
    """Name of the server's model."""
    format: Literal["token", "ranking"] = "token"
    """AlpacaEval's v2 judge (one token with log-probabilities) or v1 (a ranked list)."""
    price_in: float | None = Field(None, ge=0)
    """Price of a million tokens read by the server, in any currency."""
    price_out: float | None = Field(None, ge=0)
    """Price of a million tokens written by the server, in the same currency."""

    @model_validator(mode="after")
    def one_judge(self) -> PreferenceConfig:
        if (self.path is None) == (self.endpoint is None):
            raise ValueError("give either path (a local judge) or endpoint with model (a server)")
        if self.endpoint is not None and not self.model:
            raise ValueError("evaluation.preference.endpoint needs model, the server's model name")
        if (self.price_in is None) != (self.price_out is None):
            raise ValueError("give price_in and price_out together, or neither")
        if self.endpoint is not None and "@" in self.endpoint:
            # It would stand in run.yaml; the value is not repeated in the message either.
            raise ValueError("an address holds no password: put the key into ISARA_ENDPOINT_KEY")
        return self


class EvaluationConfig(Part):
    """How every M(k) is measured (methods §4)."""

    prompts: Annotated[str | dict[str, str] | None, BeforeValidator(files_by_domain)] = None
    """Eval set (JSONL with question, category, split, harmless, domain); several by domain, e.g.
    {safety: a.jsonl, help: b.jsonl}, are also told apart in the results; none: no evaluation."""
    judge: str | None = None
    """Folder or hub name of the model that says how harmful an answer is: a classifier with the
    14 labels of Beaver-Dam, in its order. None: harm is not measured."""
    threshold: float = Field(0.5, gt=0, lt=1)
    """An answer is flagged when any label's probability is above this [H]."""
    refusal_judge: str | None = None
    """Folder or hub name of a classifier of answers with a label for refusals; none: the phrase
    list of arXiv 2307.15043."""
    reward: str | None = None
    """Folder or hub name of a reward model in safe-rlhf's format, for the utility; none: not
    measured."""
    preference: PreferenceConfig | None = None
    """Judge of pairs, for the win rate against the base model; none: not measured."""
    strategy: Literal["sample", "greedy"] = "sample"
    """Decoding of evaluated answers: temperature 1, top-p 1, or greedy [H]."""
    max_new_tokens: int = Field(128, ge=4)
    """Budget of an evaluated answer (tokens) [H]."""
    batch_size: int | None = Field(None, ge=1, le=4096)
    """Prompts decoded at once (prompts); as many as the memory allows when not given."""
    overlap: Literal["refuse", "drop_from_training", "drop_from_evaluation", "allow"] = "refuse"
    """Eval prompts that stand exactly among the trained rows: refuse = do not begin when seeds do,
    and leave generated pairs that do out of training; or leave out the rows or the prompts; or
    evaluate on them, which the results then say [H]."""
    overlap_similarity: float = Field(LEAKAGE_SIMILARITY, ge=-1, le=1)
    """Cosine of two questions from which a near match is reported [H]."""
    baselines: list[Baseline] = Field(default_factory=lambda: ["sft"])  # type: ignore[arg-type]
    """Baselines measured beside the iterations: sft = the same training on D0 alone; icl_knn and
    icl_random = the base model with C seeds in its prompt; sft_matched = training on D0 alone for
    as many optimizer steps as the models of all iterations took (a reward model's are not
    counted)."""


class RunConfig(Part):
    """A whole run: method, seed set, models, loop, decoding, filters, training, evaluation."""

    name: Annotated[str, AfterValidator(run_name)]
    """Name of the run: letters, digits, dot, dash, underscore."""
    method: Method = "isara"
    """isara writes pairs after examples, isheep tasks that it then scores; spin and irft train
    against the model's own answers, rft by a learned reward. Help, Methods says more."""
    random_seed: int = Field(0, ge=0, lt=2**31)
    """Number from which all randomness of the run is derived."""
    seeds: SeedsConfig
    """The seed set D0."""
    model: ModelConfig
    """The language model M0."""
    embedder: str
    """Folder or hub name of the sentence-transformers model that turns texts into vectors, to find
    the examples nearest to a question (the paper: text-embedding-ada-002)."""
    prompts: PromptConfig = Field(default_factory=PromptConfig)
    """Prompt format and budgets."""
    loop: LoopConfig = Field(default_factory=LoopConfig)
    """Size and end of the loop."""
    decoding: DecodingConfig = Field(default_factory=DecodingConfig)
    """Decoding of generated text."""
    filters: FilterConfig = Field(default_factory=FilterConfig)
    """Thresholds of the verdicts."""
    review: ReviewConfig = Field(default_factory=ReviewConfig)
    """Review by people before training; isara and isheep have it."""
    training: TrainingConfig = Field(default_factory=TrainingConfig)
    """Fine-tuning."""
    evaluation: EvaluationConfig = Field(default_factory=EvaluationConfig)
    """Measurement."""
    assessment: AssessmentConfig = Field(default_factory=AssessmentConfig)
    """The model's scores of its own pairs, where filters.assessment asks for them."""
    isheep: SheepConfig = Field(default_factory=SheepConfig)
    """Read by the method isheep alone."""
    contrast: ContrastConfig = Field(default_factory=ContrastConfig)
    """Read by spin and irft; beta and updates by isara where training.objective is contrast."""
    rft: RewardTrainingConfig = Field(default_factory=RewardTrainingConfig)
    """Read by the method rft alone."""

    @model_validator(mode="after")
    def parts_go_together(self) -> RunConfig:
        faults = []
        if self.model.quantisation != "none" and self.training.lora is None:
            kind = (
                f"model.quantisation is {self.model.quantisation}, whose weights cannot be trained"
            )
            faults.append(
                f"{kind} directly: add training.lora (r, alpha) or set quantisation: none"
            )
        if self.loop.draw == "domain" and self.seeds.mixture is None:
            faults.append("loop.draw is domain without seeds.mixture: set it to pool")
        if self.loop.patience is not None and not self.evaluation.prompts:
            faults.append("loop.patience is given without evaluation.prompts: add an eval set")
        if self.evaluation.prompts and not self.evaluation.judge:
            faults.append("evaluation.prompts is given without evaluation.judge: add a judge")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def digest(self) -> str:
        """SHA-256 of everything but the name: two runs with equal digests do the same."""
        # What is left at its default does not count, so that a new field changes no run's id.
        given = self.model_dump(mode="json", exclude={"name"}, exclude_defaults=True)
        data = json.dumps(given, sort_keys=True)
        return hashlib.sha256(data.encode()).hexdigest()

    @property
    def default_run_id(self) -> str:
        """The config's name and the first 6 letters of its hash."""
        return f"{self.name}-{self.digest[:6]}"


def resolve(path: str) -> Path:
    """A path as given, from here, or else from the project's root (data/… of the checkout)."""
    given = Path(path).expanduser()
    if given.is_absolute() or given.exists():
        return given
    return PROJECT_ROOT / given if (PROJECT_ROOT / given).exists() else given
