"""Where observations come from: files of profiles, described by a mapping."""
