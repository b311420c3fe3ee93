-- People's names, parsed once for both sides.
--
-- named(rel): every column of `rel` (which has full_name, first_name and last_name, any of them
-- null) and
--   last_key     the whole last name, squashed
--   last_parts   that, and the parts of a double-barrelled one
--   first_key    the name that she is called by first
--   firsts       every given name that may stand for the first: called, full, in quotes, compound
--   first_initials   single letters among them
--   middles      first letters of the other given names
--   suffix       jr, sr, ii, iii or iv

CREATE OR REPLACE MACRO without_nicknames(t) AS
    regexp_replace(t, '["“”«(\[][^"“”»)\]]*["“”»)\]]', ' ', 'g');

CREATE OR REPLACE MACRO nicknames_in(t) AS
    CASE WHEN regexp_matches(t, '["“”«(\[]') THEN list_transform(
        regexp_extract_all(t, '["“”«(\[]([^"“”»)\]]+)["“”»)\]]', 1),
        lambda n: squash(fold(replace(n, '-', '')))) ELSE [] END;

CREATE OR REPLACE MACRO bare_name(t) AS
    nullif(trim(regexp_replace(
        regexp_replace(
            regexp_replace(without_nicknames(t), getvariable('post_nominals'), ''),
            getvariable('honorifics'), ''),
        '\s+', ' ', 'g')), '');

-- {last, given} of a name in one piece: "Dupont, Marie", "DUPONT Marie", "Marie DUPONT",
-- "Maria de la Cruz", "Marie Dupont".
CREATE OR REPLACE MACRO split_name(t) AS
    CASE
        WHEN regexp_matches(t, '^[^,]+,\s*[^,\s].*$')
            THEN regexp_extract(t, '^([^,]+),\s*(.+)$', ['last', 'given'])
        WHEN regexp_matches(t, '^(?:\p{Lu}[\p{Lu}''’-]+\s+)+\p{Lu}\p{Ll}')
            THEN regexp_extract(t, '^((?:\p{Lu}[\p{Lu}''’-]+\s+)+)(\p{Lu}\p{Ll}.*)$', ['last', 'given'])
        WHEN regexp_matches(t, '\p{Ll}\S*\s+(?:\p{Lu}[\p{Lu}''’-]+\s*){2,}$')
            THEN struct_pack(
                last := regexp_extract(t, '\p{Ll}\S*\s+((?:\p{Lu}[\p{Lu}''’-]+\s*)+)$', 1),
                given := regexp_extract(t, '^(.*\p{Ll}\S*)\s+(?:\p{Lu}[\p{Lu}''’-]+\s*)+$', 1))
        WHEN contains(t, ' ')
            THEN struct_pack(
                last := regexp_extract(t, '(?i)\s((?:(?:de|du|des|van|von|der|den|la|le|di|da|del|della|dos|das|ter|ten|bin|al|el|st)\s+)*\S+)$', 1),
                given := regexp_extract(t, '(?i)^(.*?)\s+(?:(?:de|du|des|van|von|der|den|la|le|di|da|del|della|dos|das|ter|ten|bin|al|el|st)\s+)*\S+$', 1))
        ELSE struct_pack(last := t, given := '')
    END;

-- Given names as words; what a hyphen joins stays one.
CREATE OR REPLACE MACRO given_words(t) AS
    words(fold(regexp_replace(coalesce(t, ''), '(\pL)[-‐‑](\pL)', '\1\2', 'g')));

CREATE OR REPLACE MACRO leading_names(w) AS
    CASE len(w)
        WHEN 0 THEN []
        WHEN 1 THEN [w[1]]
        ELSE CASE WHEN length(w[1]) = 1 THEN [w[1], w[2]] ELSE [w[1], w[1] || w[2]] END
    END;

CREATE OR REPLACE MACRO named(rel) AS TABLE
    WITH given_apart AS (
        SELECT
            *,
            bare_name(full_name) AS bare_full,
            bare_name(last_name) AS bare_last,
            bare_name(first_name) AS bare_first,
            lower(concat_ws(' ', full_name, last_name)) AS everything
        FROM query_table(rel)
    ),
    lasts AS (
        SELECT
            *,
            coalesce(fold(bare_last), fold(split_name(bare_full).last)) AS last_folded,
            CASE WHEN bare_last IS NULL THEN split_name(bare_full).given END AS split_given,
            fold(bare_full) AS full_folded
        FROM given_apart
    ),
    tokens AS (
        SELECT
            *,
            len(words(last_folded)) AS last_length,
            CASE
                WHEN split_given IS NOT NULL THEN given_words(split_given)
                WHEN ends_with(' ' || full_folded, ' ' || last_folded)
                    THEN given_words(trim(left(bare_full, greatest(0,
                        length(bare_full) - length(bare_last)))))
                WHEN starts_with(full_folded || ' ', last_folded || ' ')
                    THEN words(full_folded)[last_length + 1:]
                ELSE []
            END AS full_given,
            given_words(bare_first) AS first_given
        FROM lasts
    ),
    forms AS (
        SELECT
            *,
            list_filter(
                list_distinct(list_concat(
                    leading_names(first_given),
                    leading_names(full_given),
                    nicknames_in(full_name),
                    nicknames_in(first_name))),
                lambda f: f IS NOT NULL) AS all_firsts
        FROM tokens
    )
    SELECT
        * EXCLUDE (
            bare_full, bare_last, bare_first, everything, last_folded, split_given, full_folded,
            last_length, full_given, first_given, all_firsts),
        squash(last_folded) AS last_key,
        list_distinct(list_concat(
            CASE WHEN last_folded IS NULL THEN [] ELSE [squash(last_folded)] END,
            CASE WHEN last_length > 1 THEN list_filter(
                words(last_folded),
                lambda w: length(w) >= 3 AND w NOT IN (
                    'des', 'van', 'von', 'der', 'den', 'les', 'del', 'della', 'dos', 'das', 'ter', 'ten', 'bin'))
            ELSE [] END)) AS last_parts,
        coalesce(first_given[1], full_given[1]) AS first_key,
        list_filter(all_firsts, lambda f: length(f) > 1) AS firsts,
        list_distinct(list_transform(
            list_concat(
                list_filter(all_firsts, lambda f: length(f) = 1),
                CASE WHEN length(coalesce(first_given[1], '')) = 1 THEN [first_given[1]] ELSE [] END),
            lambda f: f)) AS first_initials,
        list_distinct(list_transform(
            CASE WHEN len(full_given) > 1 THEN full_given[2:] ELSE first_given[2:] END,
            lambda m: left(m, 1))) AS middles,
        nullif(regexp_extract(everything, '[\s,](jr|sr|ii|iii|iv)\b', 1), '') AS suffix
    FROM forms;
