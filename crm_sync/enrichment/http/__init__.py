"""The source `http`: any vendor's JSON API that answers about people, described in YAML.

`description` says what may stand in the file, `templates` and `building` make the request out of a
question, `transport` sends it, `reading` makes answers of what comes back, `pacing` keeps the
vendor's limits, and `source` puts them together. Nothing of a description is ever run.
"""
