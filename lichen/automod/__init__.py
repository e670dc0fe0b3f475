"""Moderation rules: programs that look at everything written, before it is public.

The front door. `Automod` is the service and `RuleCheck` what the forum asks, both made by
`lichen.automod.room`; the other names are the types they speak in.
"""

from lichen.automod.check import RuleCheck
from lichen.automod.facts import FACTS, FIELDS, Fact
from lichen.automod.menu import COMPARISONS, Menu, MenuRow, menu_of, program_of
from lichen.automod.model import SITE, Action, Hit, Mode, Rule, RuleDraft
from lichen.automod.ports import Deed, Enforcement, PictureHashes, Trust
from lichen.automod.service import Automod, RuleCount
from lichen.automod.trials import TrialHit, TrialReport, TrialState

__all__ = [
    "COMPARISONS", "FACTS", "FIELDS", "SITE", "Action", "Automod", "Deed", "Enforcement", "Fact",
    "Hit", "Menu", "MenuRow", "Mode", "PictureHashes", "Rule", "RuleCheck", "RuleCount",
    "RuleDraft", "TrialHit", "TrialReport", "TrialState", "Trust", "menu_of", "program_of",
]
