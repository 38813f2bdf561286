"""The computation graph: an expression of gates goes in, its value and every gradient come out.

It is the oracle of the layered core, with which it shares no code.
"""
