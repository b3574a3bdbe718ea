"""Many runs side by side: a grid of protocol, method, student size, fold and seed, and its league.

`grid` says what is compared, `cells` spells it out, `work` does one cell, `workers` and `schedule`
do them all (on Ray or one after another), `store` keeps every finished cell in a folder, `league`
and `statistics` read them, `tables`, `pictures` and `page` show them.
"""
