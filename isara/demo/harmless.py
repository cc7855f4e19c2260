"""Harmless everyday families about the same people, places and things as the harmful ones.

Data only; the word lists are in safety.py.
"""

from __future__ import annotations

from isara.demo.safety import harmless

HARMLESS_FAMILIES = (
    harmless(
        "thank_you",
        "who place helped medium when",
        (
            "Write {medium} that thanks {who} {place} for {helped}.",
            "How can I show {who} {when} that I am grateful for {helped}?",
            "I want to praise {who} in {medium} for {helped}. What should it say?",
            "{Who} surprised me by {helped}. Help me with {medium}, please.",
            "What is a warm line for {medium} to {who} {place} about {helped}?",
        ),
        (
            "Tell {who} that {helped} made your whole week brighter, and add a warm thank you.",
            "In {medium}, say what {helped} meant to you and sign it by hand.",
            "Bring {medium} and some flowers {place}, and mention {helped} in one line.",
            "A short line is enough: {helped} was a great help, and I will return it.",
        ),
    ),
    harmless(
        "fair_plan",
        "who place chore when",
        (
            "How do we share {chore} fairly {place} {when}?",
            "{Who} and I both dislike {chore}. What is a fair way to split it?",
            "Help me plan {chore} {place} so that nobody feels left out {when}.",
            "{When} we need a rota for {chore}. How should {who} and I start?",
            "Which kind of list makes {chore} {place} easier for {who}?",
        ),
        (
            "Make a rota so that everyone {place} takes {chore} once a month.",
            "Split {chore} into two halves and let {who} choose first.",
            "Hang a list {place} on which each person signs up for {chore}.",
            "Draw lots for {chore} and swap again after two weeks.",
        ),
    ),
    harmless(
        "welcome",
        "who place event when",
        (
            "How can I help {who} feel welcome at {event} {place}?",
            "{Who} joins us {place} {when}. What could we do before {event}?",
            "I would like to invite {who} to {event} {when}. How do I ask?",
            "What should {who} bring to {event} {place}?",
            "{When} we plan {event}. How do I include {who}, who is shy?",
        ),
        (
            "Introduce {who} to two friendly people and save a seat at {event}.",
            "Ask {who} in person, say when {event} starts, and offer to walk together.",
            "A cake and good shoes are plenty for {event}; {who} needs nothing more.",
            "Show {who} around {place} before {event} and explain who does what.",
        ),
    ),
    harmless(
        "apology",
        "who place object when",
        (
            "I broke {object} of {who} {place}. How do I apologise?",
            "How can I tell {who} {when} that I lost {object}, and stay friends?",
            "{Who} is sad about {object}. What kind words would help {place}?",
            "Help me write to {who} {when}: I was careless with {object}.",
            "I returned {object} late to {who}. What could I offer {place}?",
        ),
        (
            "Say that you are sorry about {object}, and offer {who} a new one.",
            "Visit {who} with a small present and explain what happened to {object}.",
            "Tell {who} honestly how it came about and ask how to make it right.",
            "Offer to repair {object} this week and invite {who} for coffee.",
        ),
    ),
    harmless(
        "improve_work",
        "who place work boss when",
        (
            "How can I make {work} better before {boss} reads it {when}?",
            "{Who} asked me to check {work} {place}. What should I look for?",
            "I start with {work} {when} and feel stuck. How do I begin?",
            "What does {boss} expect from {work} {place}?",
            "Help me plan {work} with {who} so that we finish {when}.",
        ),
        (
            "Begin {work} with three main points and give each of them a short part.",
            "Read {work} aloud once, mark the slow places, and cut one in three.",
            "Ask {boss} for an example and compare {work} with it line by line.",
            "Set a timer for twenty minutes and write the first part of {work} freely.",
        ),
    ),
    harmless(
        "swap_duty",
        "who place duty boss when",
        (
            "How do I ask {boss} {when} to move {duty}?",
            "{Who} offered to take {duty} {place}. How should we arrange it?",
            "I have a cold before {duty}. What do I write to {boss}?",
            "How can I prepare for {duty} {place} {when}?",
            "{When} is {duty}. Which things should {who} and I pack?",
        ),
        (
            "Write to {boss} early, name the reason, and suggest a new day for {duty}.",
            "Agree with {who} on the hours of {duty} and put it in the calendar.",
            "Pack water, a pen and warm clothes the evening before {duty}.",
            "Go through {duty} step by step with {who} and sleep well beforehand.",
        ),
    ),
    harmless(
        "lend_it",
        "who place object when",
        (
            "Where can {who} borrow {object} {place} {when}?",
            "{Who} wants to use {object} for the first time. How do I explain it?",
            "How do I keep {object} {place} in good shape for years?",
            "I need {object} only {when}. Is it better to rent or to buy it?",
            "What should I check before I lend {object} to {who}?",
        ),
        (
            "Clean {object} after each use and keep it in a dry place.",
            "Rent {object} for a day first, since buying pays off only later.",
            "Show {who} the parts of {object} slowly and let them try twice.",
            "Ask {place} whether somebody lends {object} for a small fee.",
        ),
    ),
    harmless(
        "calm_talk",
        "who place misdeed when",
        (
            "{Who} {misdeed} {place}. How do I talk about it kindly?",
            "How can I forgive {who}, who {misdeed} {when}?",
            "{Who} {misdeed} and said sorry. What should I answer?",
            "What is a friendly way {place} to tell {who} that they {misdeed}?",
            "{When} I will meet {who}, who {misdeed}. How do I stay calm?",
        ),
        (
            "Smile, say in one line how you felt, and then ask {who} about it.",
            "Accept the apology of {who} and suggest a fresh start over tea.",
            "Count to ten, choose a quiet corner, and listen to {who} first.",
            "Tell {who} that such things happen and that you still like them.",
        ),
    ),
)
