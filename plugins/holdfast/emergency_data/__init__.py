"""999 emergency data: no bad record leaves unseen, and no good one is held back by its neighbour's fault.

Providers send the name and installation address of each number to the emergency handling authority (Ofcom General
Condition A3.5 and A3.6(a)). Layouts, rules and reference data are files in `expectations/emergency_data/`.
"""
