"""Enumerations with a label and a sentence for users."""

from __future__ import annotations

from enum import Enum
from typing import Self


class LabelledEnum(Enum):
    """Base of an enumeration whose members have words for users.

    A member is declared as value, label and sentence. Reports contain `value` alone.

    Attributes
    ----------
    label : str
        One to three words, for tables.
    sentence : str
        The meaning as one sentence.
    """

    _value_: str
    label: str
    sentence: str

    def __new__(cls, value: str, label: str = "", sentence: str = "") -> Self:
        """Make a declared member.

        The defaults are for type checkers, which read a lookup by value as such a call.
        """
        member = object.__new__(cls)
        member._value_ = value
        member.label, member.sentence = label, sentence
        return member
