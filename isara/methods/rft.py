"""RFT: an explicit reward from demonstrations (arXiv 2405.17888, §3.1).

In each of T = loop.max_iterations rounds the policy answers the demonstrations' questions, the
reward model learns to score the demonstrations above these answers, and the policy is moved towards
what the reward model scores high, held near the model it was at the start of the round. The reward
model goes on from round to round. Nothing is filtered and nothing is added to the seeds: the data
scaling ratio stays 0, and there is no retention.
"""

from __future__ import annotations

from pathlib import Path

from isara.methods.contrasting import write_own_answers
from isara.methods.rewarding import (
    answer_pairs,
    drop_reward_models,
    measure_reward,
    split_seeds,
    train_policy,
    train_reward,
)
from isara.methods.stages import Run


def rft(run: Run) -> str | None:
    """Reward model and policy in turns, k counts rounds; returns why it stopped early."""
    run.evaluate(0, run.base)
    run.baselines()
    policy: Path | None = run.base
    reward: Path | None = None
    for k in range(1, run.config.loop.max_iterations + 1):
        own = write_own_answers(run, k, policy, run.seeds)
        training, held_out = split_seeds(run, answer_pairs(run, own))
        reward = train_reward(run, k, reward, training)
        measure_reward(run, k, reward, held_out)
        policy = train_policy(run, k, policy, reward)
        run.evaluate(k, policy)
        run.record(k, kept=[], generated=0)  # an answer to be beaten is no candidate
        drop_reward_models(run, k)
        if reason := run.no_gain(k):
            return reason
    return None
