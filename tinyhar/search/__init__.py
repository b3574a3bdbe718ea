"""Students that fit a band: sampled, costed by converter and engine, trained, and the best kept.

`space` says which students there are, `cost` what each takes on a Cortex-M4, `halving` trains many
a little and few for long, `front` tells which of them nothing else beats, and `run` is all of it.
"""
