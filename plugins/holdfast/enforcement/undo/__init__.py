"""The undo window: rows that leave their table before their period is over, encrypted until then.

`keeping` encrypts what a batch deletes, in the batch's own transaction. `ending` destroys keys whose day has come, all
but for what a hold wants. `restoring` brings a run's rows back, once two people have approved it. `box` knows how rows
are packed, `keys` where the keys lie. Why it is so: docs/decisions/0016-undo-window.md.
"""
