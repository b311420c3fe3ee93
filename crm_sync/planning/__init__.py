"""From job changes to a plan: policies, the human lock, playbooks and guards.

Pure: no network, no store, no clock. `build.build_plan` is the way in, `guards.tripped` is asked
again before anything is written.
"""
