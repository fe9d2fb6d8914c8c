"""Golden datasets: cases with what is expected of each, replayed offline, and a gate that says when it cannot tell.

`example` is one case, `dataset` the frozen file of them, `tape` what tools answered, `systems` what is tested,
`observed` what it did, `criteria` whether that is right, `gate` whether it got worse, `report` who is told how.
"""
