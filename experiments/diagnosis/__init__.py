"""Judgement: tables go in; the signal of a run or a group, and which remedies worked, come out."""
