-- People's names, parsed once for both sides; crm_sync/normalise/people.py does it for one name.
--
-- named(rel): every column of `rel` (which has full_name, first_name and last_name, any of them
-- null) and
--   last_key     the whole last name, squashed
--   last_parts   that, the parts of a compound one, and a birth name
--   first_key    the name that she is called by first
--   firsts       every given name that may stand for the first: called, full, in quotes, compound
--   first_initials   single letters among them
--   middles      first letters of the other given names
--   suffix       jr, sr, ii, iii or iv

-- "marie dupont" for a name of two plain words, the short way for most; null for all others.
CREATE OR REPLACE MACRO two_words(full_name, first_name, last_name) AS
    CASE
        WHEN first_name IS NULL AND last_name IS NULL THEN full_name
        WHEN full_name IS NULL OR full_name = first_name || ' ' || last_name
            THEN first_name || ' ' || last_name
    END;

CREATE OR REPLACE MACRO plain_name(t) AS
    CASE WHEN regexp_full_match(t,
            '(?:\p{Lu}\p{Ll}+|\p{Ll}{2,}) (?:\p{Lu}\p{Ll}+|\p{Ll}{2,})|\p{Lu}{2,} \p{Lu}{2,}')
        AND NOT regexp_matches(lower(t), getvariable('not_plain'))
        THEN plain_letters(t) END;

CREATE OR REPLACE MACRO tidy_name(t) AS
    nullif(trim(regexp_replace(
        nfc_normalize(replace(t, chr(0), ' ')), '[\p{Z}\p{Cc}\p{Cf}\p{So}\x{FE00}-\x{FE0F}]+', ' ', 'g')), '');

CREATE OR REPLACE MACRO without_brackets(t) AS
    CASE WHEN regexp_matches(t, getvariable('bracketed')) THEN trim(regexp_replace(
        regexp_replace(t, getvariable('bracketed'), ' ', 'g'), ' +', ' ', 'g')) ELSE t END;

CREATE OR REPLACE MACRO bare_name(t) AS
    nullif(trim(
        regexp_replace(regexp_replace(regexp_replace(regexp_replace(
            without_brackets(t), getvariable('married'), ' '),
            getvariable('birth_name'), ''),
            getvariable('letters_after'), ''),
            getvariable('titles_before'), ''),
        getvariable('loose_signs')), '');

-- Last and given names of a name in one piece, as two lines: "Dupont, Marie", "DUPONT Marie",
-- "Marie DE LA TOUR", "Maria de la Cruz", "Marie Dupont".
CREATE OR REPLACE MACRO split_name(t) AS
    CASE
        WHEN regexp_matches(t, getvariable('last_first'))
            THEN regexp_replace(t, getvariable('last_first'), '\1' || chr(10) || '\2')
        WHEN regexp_matches(t, getvariable('capitals_first'))
            THEN regexp_replace(t, getvariable('capitals_first'), '\1' || chr(10) || '\2')
        WHEN regexp_matches(t, getvariable('capitals_last')) AND regexp_matches(t, '\p{Ll}')
            THEN regexp_replace(t, getvariable('capitals_last'), '\2' || chr(10) || '\1')
        WHEN contains(t, ' ')
            THEN regexp_replace(t, getvariable('last_words'), '\2' || chr(10) || '\1')
        ELSE t
    END;

CREATE OR REPLACE MACRO unhyphened(t) AS replace(replace(replace(t, '-', ''), '‐', ''), '‑', '');

-- Given names as words; what a hyphen joins stays one.
CREATE OR REPLACE MACRO given_words(t) AS words(fold(unhyphened(t)));

-- The given names in a full name of which the last name is known; all folded.
CREATE OR REPLACE MACRO beside(said, ending) AS
    CASE
        WHEN ends_with(' ' || said, ' ' || ending) THEN left(said, length(said) - length(ending))
        WHEN starts_with(said || ' ', ending || ' ') THEN substr(said, length(ending) + 1)
    END;

CREATE OR REPLACE MACRO leading_names(w) AS
    CASE
        WHEN w IS NULL THEN []
        WHEN len(w) < 2 THEN w
        WHEN length(w[1]) = 1 AND length(w[2]) > 1 THEN [w[1], w[2]]
        ELSE [w[1], w[1] || w[2]]
    END;

CREATE OR REPLACE MACRO nickname_words(quoted) AS
    list_transform(
        list_filter(
            list_transform(quoted, lambda n: given_words(n)),
            lambda w: len(w) BETWEEN 1 AND 2 AND length(w[1]) > 1
                AND NOT list_has_any(w, getvariable('not_nicknames'))),
        lambda w: array_to_string(w, ''));

CREATE OR REPLACE MACRO nicknames_in(t, in_brackets) AS
    CASE WHEN regexp_matches(t, '["“”«„(\[]') THEN nickname_words(list_concat(
        regexp_extract_all(t, getvariable('quoted'), 1), regexp_extract_all(t, in_brackets, 1)))
    ELSE [] END;

CREATE OR REPLACE MACRO telling_parts(w) AS
    list_filter(w, lambda p: length(p) >= 3 AND NOT list_contains(getvariable('weak_last_names'), p));

-- `folded` is the last name, `elided` the same with "d'" apart, if it has one.
CREATE OR REPLACE MACRO parts_of_last(folded, elided) AS
    list_concat(
        [squash(folded)],
        telling_parts(list_concat(
            CASE WHEN contains(folded, ' ') THEN words(folded) END,
            CASE WHEN elided <> folded THEN words(elided) END)));

CREATE OR REPLACE MACRO without_elision(t) AS
    CASE WHEN regexp_matches(t, '[''’]')
        THEN fold(regexp_replace(t, getvariable('elided_name'), '\1', 'g')) END;

CREATE OR REPLACE MACRO birth_name_in(t) AS
    nullif(regexp_extract(t, getvariable('birth_names'), 1), '');

CREATE OR REPLACE MACRO name_suffix(t) AS
    nullif(lower(regexp_extract(t, getvariable('name_suffix'), 1)), '');

CREATE OR REPLACE MACRO named_many(rel) AS TABLE
    WITH plain AS (
        SELECT *, plain_name(two_words(full_name, first_name, last_name)) AS n_plain
        FROM query_table(rel)
    ),
    tidied AS (
        SELECT
            *,
            CASE WHEN n_plain IS NULL THEN tidy_name(full_name) END AS n_full,
            CASE WHEN n_plain IS NULL THEN tidy_name(first_name) END AS n_first,
            CASE WHEN n_plain IS NULL THEN tidy_name(last_name) END AS n_last
        FROM plain
    ),
    bared AS (
        SELECT
            *,
            bare_name(n_full) AS n_bare_full,
            bare_name(n_last) AS n_bare_last,
            given_words(bare_name(n_first)) AS n_called,
            birth_name_in(n_full) AS n_birth_full,
            birth_name_in(n_last) AS n_birth_last
        FROM tidied
    ),
    halved AS (
        SELECT
            *,
            CASE WHEN n_bare_last IS NULL THEN split_name(n_bare_full) END AS n_split,
            CASE WHEN n_bare_last IS NOT NULL THEN fold(unhyphened(n_bare_full)) END AS n_joined_full,
            CASE WHEN n_bare_last IS NOT NULL THEN fold(n_bare_full) END AS n_folded_full,
            fold(unhyphened(n_bare_last)) AS n_joined_last
        FROM bared
    ),
    apart AS (
        SELECT
            *,
            coalesce(n_bare_last, nullif(split_part(n_split, chr(10), 1), '')) AS n_said,
            fold(coalesce(n_bare_last, nullif(split_part(n_split, chr(10), 1), ''))) AS n_folded,
            given_words(split_part(n_split, chr(10), 2)) AS n_split_given
        FROM halved
    ),
    given AS (
        SELECT
            *,
            without_elision(n_said) AS n_elided,
            coalesce(n_split_given, words(coalesce(
                beside(n_joined_full, n_joined_last),
                beside(n_joined_full, squash(n_joined_last)),
                beside(n_folded_full, n_folded)))) AS n_given
        FROM apart
    ),
    forms AS (
        SELECT
            *,
            CASE WHEN n_plain IS NULL THEN list_distinct(list_concat(
                leading_names(n_called),
                leading_names(n_given),
                nicknames_in(n_full, getvariable('in_brackets_before')),
                nicknames_in(n_first, getvariable('in_brackets')))) END AS n_forms
        FROM given
    )
    SELECT
        * EXCLUDE (
            n_plain, n_full, n_first, n_last, n_bare_full, n_bare_last, n_called, n_birth_full,
            n_birth_last, n_split, n_joined_full, n_folded_full, n_joined_last, n_said, n_folded,
            n_split_given, n_elided, n_given, n_forms),
        CASE WHEN n_plain IS NULL THEN squash(n_folded) ELSE split_part(n_plain, ' ', 2) END AS last_key,
        CASE
            WHEN n_plain IS NOT NULL THEN [split_part(n_plain, ' ', 2)]
            WHEN n_birth_full IS NULL AND n_birth_last IS NULL AND n_elided IS NULL
                AND NOT contains(n_folded, ' ') THEN [n_folded]
            ELSE list_distinct(list_concat(
                CASE WHEN n_folded IS NOT NULL THEN parts_of_last(n_folded, n_elided) END,
                CASE WHEN n_birth_full IS NOT NULL
                    THEN parts_of_last(fold(n_birth_full), without_elision(n_birth_full)) END,
                CASE WHEN n_birth_last IS NOT NULL
                    THEN parts_of_last(fold(n_birth_last), without_elision(n_birth_last)) END,
                []::VARCHAR[]))
        END AS last_parts,
        CASE WHEN n_plain IS NULL THEN coalesce(n_called[1], n_given[1])
            ELSE split_part(n_plain, ' ', 1) END AS first_key,
        CASE WHEN n_plain IS NULL THEN list_filter(n_forms, lambda f: length(f) > 1)
            ELSE [split_part(n_plain, ' ', 1)] END AS firsts,
        CASE WHEN n_plain IS NULL THEN list_filter(n_forms, lambda f: length(f) = 1)
            ELSE [] END AS first_initials,
        CASE WHEN len(n_given) > 1 OR len(n_called) > 1 THEN list_distinct(list_transform(
            CASE WHEN len(n_given) > 1 THEN n_given[2:] ELSE n_called[2:] END,
            lambda m: left(m, 1))) ELSE [] END AS middles,
        coalesce(name_suffix(n_full), name_suffix(n_first), name_suffix(n_last)) AS suffix
    FROM forms;
