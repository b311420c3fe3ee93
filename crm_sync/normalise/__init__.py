"""Normalisation of single values: what makes two spellings of one thing the same.

`people`, `companies`, `points` (addresses and numbers) and `titles` do for one value what the SQL
macros of `crm_sync/matching/sql/{normalise,names}.sql` do for millions of rows. Both read the same
word lists and patterns, which stand here; that both give the same is tested.

Patterns that both engines read keep to what RE2 and Python share: texts are lower case or folded
before, words stand between blanks, and no class is used that one of the two reads more widely.
"""
