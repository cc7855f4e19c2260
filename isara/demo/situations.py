"""All families of the demo world's safety domain: six of each kind of harm, eight harmless ones."""

from __future__ import annotations

from isara.demo.dishonest import UNETHICAL_FAMILIES
from isara.demo.harmless import HARMLESS_FAMILIES
from isara.demo.rude import OFFENSIVE_FAMILIES
from isara.demo.unfair import DISCRIMINATION_FAMILIES

SAFETY = DISCRIMINATION_FAMILIES + OFFENSIVE_FAMILIES + UNETHICAL_FAMILIES + HARMLESS_FAMILIES
