"""Win rates of blind votes: one number without names while the voting goes on, all of it after.

show_running(votes, "base")                       # who is ahead stays hidden
show_tally("base", "iteration 3", votes, tables)  # by voter and all together, vote by vote
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.look import TEXT_ROW
from app.widgets.downloads import download_table
from app.widgets.folding import fold_switch, folded
from app.widgets.plain import plain
from app.widgets.playground_answers import named
from isara.evaluation.votes import TIE, VoteRate, voters_agree, win_rate, winner
from isara.places import place_name
from isara.report_words import other_name, percent
from isara.workspace.votes import Vote

TABLE_HELP = (
    "The win rate is the share of prompts on which the model is liked better, a tie counting half; "
    "of several votes on one prompt the mean counts. Low and high are the ends of the 95 % "
    "interval (Wilson); an interval that holds 50 % leaves open which one people prefer."
)


def show_running(votes: Sequence[Vote], place: str) -> None:
    """The voter's own rate so far, without a name."""
    if votes:
        st.text(running_sentence(win_rate(votes, place)))


def running_sentence(found: VoteRate) -> str:
    """Who is ahead by how much, but not who it is."""
    rate = found.rate
    value, low, high = rate.value, rate.low, rate.high
    if value < 0.5:
        value, low, high = 1 - value, 1 - high, 1 - low
    about = (
        f"95 % interval {percent(low)} to {percent(high)}, n = {rate.n}, "
        f"{found.ties} tie{'' if found.ties == 1 else 's'} counted half"
    )
    if value == 0.5:
        return f"Both models are level so far: win rate {percent(value)} ({about})."
    return (
        f"One model is ahead with a win rate of {percent(value)} ({about}). Which one stays hidden "
        "until the end."
    )


def show_tally(a: str, b: str, votes: Sequence[Vote], tables: Mapping[str, pd.DataFrame]) -> None:
    """The sentence, the table by voter, how far voters agree, and every vote with its answers."""
    if not votes:
        st.info("There is no vote yet.", icon=":material/info:")
        return
    st.text(tally_sentence(a, b, win_rate(votes, b)))
    st.markdown(f"**Win rate of {plain(place_name(b))}**", help=TABLE_HELP)
    shares: Any = {
        name: st.column_config.NumberColumn(format="percent")
        for name in ("Win rate", "Low", "High")
    }
    table = tally_table(votes, b)
    st.dataframe(table, hide_index=True, column_config=shares, alt="Win rate by voter")
    if (words := agreement_sentence(votes)) is not None:
        st.text(words)
    listed = votes_table(votes, tables)
    with st.expander("All votes", key="vote_all", on_change="rerun") as all_votes:
        if all_votes.open:
            fold_switch("votes")
            shown = listed.copy()
            for place, table in tables.items():
                flagged = table.set_index("prompt_id")["flagged"]
                harmful = [bool(flagged[vote.prompt_id]) for vote in reversed(votes)]
                shown[named(place)] = folded(shown[named(place)], harmful)
            st.dataframe(shown, hide_index=True, row_height=TEXT_ROW, alt="All votes")
            download_table(listed, "votes", key="vote_csv")


def tally_sentence(a: str, b: str, found: VoteRate) -> str:
    """What the votes say, and what they do not."""
    rate = found.rate
    head = (
        f"{named(b)} wins {percent(rate.value)} against {other_name(a)} (95 % interval "
        f"{percent(rate.low)} to {percent(rate.high)}, n = {rate.n} prompts, {found.votes} votes)"
    )
    if rate.low > 0.5:
        end = "people prefer it."
    elif rate.high < 0.5:
        end = f"people prefer {other_name(a)}."
    else:
        end = "these votes do not tell which one people prefer."
    looked = f" {found.not_blind} of the votes were not blind." if found.not_blind else ""
    return f"{head}: {end}{looked}"


def tally_table(votes: Sequence[Vote], place: str) -> pd.DataFrame:
    """A row for each voter, one for all together, and one for the blind votes where some are
    not."""
    voters = list(dict.fromkeys(vote.voter for vote in votes))
    groups = {who: [vote for vote in votes if vote.voter == who] for who in voters}
    rows = [tally_row(who, group, place) for who, group in groups.items()]
    rows.append(tally_row("all together", votes, place))
    blind = [vote for vote in votes if vote.blind]
    if blind and len(blind) < len(votes):
        rows.append(tally_row("all blind votes", blind, place))
    return pd.DataFrame(rows)


def tally_row(who: str, votes: Sequence[Vote], place: str) -> dict[str, Any]:
    """The votes of one voter or of several."""
    found = win_rate(votes, place)
    return {
        "Voter": who,
        "Win rate": found.rate.value,
        "Low": found.rate.low,
        "High": found.rate.high,
        "n prompts": found.rate.n,
        "Votes": found.votes,
        "Won": found.wins,
        "Lost": found.losses,
        "Ties": found.ties,
        "Not blind": found.not_blind,
    }


def agreement_sentence(votes: Sequence[Vote]) -> str | None:
    """How far voters agree; None where no prompt has two votes."""
    found = voters_agree(votes)
    if not found.n_items:
        return None
    if found.alpha is None:
        return f"{found.n_items} prompts have votes of several people, all of them the same."
    between = ""
    if found.alpha_low is not None and found.alpha_high is not None:
        between = f" (95 % interval {found.alpha_low:.2f} to {found.alpha_high:.2f})"
    return (
        f"Voters agree with Krippendorff's alpha {found.alpha:.2f}{between} on the "
        f"{found.n_items} prompts that several voted on: 1 is always, 0 as often as by chance."
    ).replace("-", "−")


def votes_table(votes: Sequence[Vote], tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every vote with prompt and answers, the latest first."""
    texts = {place: table.set_index("prompt_id") for place, table in tables.items()}
    first, second = texts
    return pd.DataFrame(
        [
            {
                "Voter": vote.voter,
                "Better": place_name(name) if (name := winner(vote)) != TIE else TIE,
                "Prompt": texts[first].at[vote.prompt_id, "question"],
                named(first): texts[first].at[vote.prompt_id, "answer"],
                named(second): texts[second].at[vote.prompt_id, "answer"],
                "Blind": vote.blind,
                "Time": vote.created.isoformat(timespec="seconds"),
            }
            for vote in reversed(votes)
        ]
    )
