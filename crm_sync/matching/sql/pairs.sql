-- Contacts and profiles that share a key, with what speaks for and against each pair.
--
-- A row of `pair` is made of its contact and its profile alone, and of how common its keys are: the
-- same whoever else is judged. Everything that compares rivals comes later, over all pairs
-- (bands.sql), so that rows of what did not change can be kept from one judgement to the next.

CREATE OR REPLACE TEMP TABLE profile_person AS
SELECT
    source, profile_id, as_of,
    last_key, last_parts, first_key, firsts, first_initials, middles, suffix,
    list_filter(list_transform(linkedin_urls, lambda u: linkedin_slug(u)), lambda s: s IS NOT NULL) AS slugs,
    city_key(city) AS city_key,
    coalesce(full_name, concat_ws(' ', first_name, last_name)) AS shown_name
FROM named('profile');

-- A key that many share identifies nobody; a mobile number that two share is a switchboard.
CREATE OR REPLACE TEMP TABLE crowded AS
WITH held AS (SELECT source, key, count(*) AS profiles FROM hit GROUP BY ALL),
asked AS (SELECT key, count(*) AS contacts FROM contact_key GROUP BY ALL)
SELECT source, key
FROM held JOIN asked USING (key)
WHERE CASE left(key, 2)
    WHEN 'o:' THEN profiles * contacts > getvariable('most_pairs_per_key')
    WHEN 'p:' THEN profiles > 1 OR contacts > 1
    ELSE greatest(profiles, contacts) > getvariable('most_holders_of_key')
END;

CREATE OR REPLACE TEMP TABLE candidate AS
SELECT
    k.contact_id,
    h.source,
    h.profile_id,
    bool_or(k.kind = 'linkedin') AS by_linkedin,
    max(h.key) FILTER (k.kind = 'personal_email') AS personal_email,
    max(h.key) FILTER (k.kind = 'work_email') AS work_email,
    max(h.key) FILTER (k.kind = 'phone') AS phone,
    bool_or(k.kind = 'employer') AS by_employer
FROM hit h
JOIN contact_key k USING (key)
ANTI JOIN crowded x ON x.source = h.source AND x.key = h.key
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE same_name AS
SELECT n.contact_id, h.source, count(DISTINCT h.profile_id) AS profiles
FROM contact_name n JOIN hit h USING (key)
GROUP BY ALL;

CREATE OR REPLACE MACRO initials_agree(initials, names, other_initials) AS
    list_has_any(initials, list_concat(
        list_transform(names, lambda n: left(n, 1)), other_initials));

CREATE OR REPLACE MACRO middles_differ(suffix, other_suffix, middles, other_middles) AS
    coalesce(suffix <> other_suffix, FALSE)
    OR (len(middles) > 0 AND len(other_middles) > 0 AND NOT list_has_any(middles, other_middles));

CREATE OR REPLACE MACRO pages_differ(slug, slugs) AS
    slug IS NOT NULL AND NOT is_opaque_slug(slug)
    AND len(list_filter(slugs, lambda s: NOT is_opaque_slug(s))) > 0;

-- evidenced(rel): which evidence of each pair counts, and what each piece weighs, in bits. Addresses
-- and numbers change hands, so the name has to agree; a LinkedIn page belongs to one person, so a
-- changed last name is only a reason to look. Names that are merely spelt alike may be two people's,
-- husband and wife's say, who share a mailbox: only `surely_named` goes by itself without LinkedIn.
-- A second family adds what is left to add, not its
-- whole weight: what misleads one witness often misleads the other.
CREATE OR REPLACE MACRO evidenced(rel) AS TABLE
    WITH counted AS (
        SELECT
            *,
            name_agrees IN ('same', 'close') AND first_agrees <> 'spelling' AND NOT other_middle AS named,
            named AND first_agrees IN ('same', 'nickname') AND last_agrees IN ('same', 'part') AS surely_named,
            by_linkedin AND name_agrees <> 'other' AS e_linkedin,
            coalesce(personal_email, phone) IS NOT NULL
                AND name_agrees IN ('same', 'close', 'first_only') AS e_personal,
            work_email IS NOT NULL AND name_agrees IN ('same', 'close') AS e_work_email,
            by_employer AND NOT other_middle
                AND first_agrees IN ('same', 'nickname', 'either', 'initial')
                AND last_agrees IN ('same', 'part') AS e_employer
        FROM query_table(rel)
    ),
    stood AS (
        SELECT *,
            NOT other_linkedin AND (e_linkedin OR e_personal OR e_work_email OR e_employer
                OR likeness IS NOT NULL) AS stands
        FROM counted
    ),
    spoken AS (
        -- what is told of a pair that does not stand is what agrees all the same
        SELECT *,
            CASE WHEN stands THEN e_linkedin ELSE by_linkedin END AS s_linkedin,
            CASE WHEN stands THEN e_personal ELSE coalesce(personal_email, phone) IS NOT NULL END AS s_personal,
            CASE WHEN stands THEN e_work_email ELSE work_email IS NOT NULL END AS s_work_email,
            CASE WHEN stands THEN e_employer ELSE by_employer END AS s_employer
        FROM stood
    ),
    weighted AS (
        SELECT
            * EXCLUDE (s_linkedin, s_personal, s_work_email, s_employer),
            CASE
                WHEN e_linkedin THEN 4
                WHEN e_personal AND (e_work_email OR e_employer) THEN 3
                WHEN e_personal THEN 2
                WHEN e_work_email THEN 1.5
                WHEN e_employer THEN 1
                WHEN likeness IS NOT NULL THEN 0.5
                ELSE 0
            END AS strength,
            CASE WHEN s_linkedin THEN getvariable('weight')['linkedin'] END AS w_linkedin,
            CASE WHEN NOT s_personal OR personal_email IS NULL THEN NULL
                WHEN s_linkedin THEN getvariable('weight')['second']
                ELSE getvariable('weight')['personal'] END AS w_personal_email,
            CASE WHEN NOT s_personal OR phone IS NULL THEN NULL
                WHEN personal_email IS NOT NULL THEN getvariable('weight')['again']
                WHEN s_linkedin THEN getvariable('weight')['second']
                ELSE getvariable('weight')['personal'] END AS w_phone,
            CASE WHEN NOT s_work_email THEN NULL
                WHEN s_linkedin OR s_personal THEN getvariable('weight')['second']
                ELSE getvariable('weight')['work_email'] END AS w_work_email,
            CASE WHEN NOT s_employer THEN NULL
                WHEN s_work_email THEN getvariable('weight')['again']
                WHEN s_linkedin OR s_personal THEN getvariable('weight')['second']
                ELSE getvariable('weight')['employer'] END AS w_employer,
            CASE WHEN likeness IS NULL THEN
                CASE name_agrees
                    WHEN 'close' THEN getvariable('weight')['close_name']
                    WHEN 'first_only' THEN getvariable('weight')['first_name_only']
                    WHEN 'missing' THEN getvariable('weight')['missing_name']
                END END AS w_name,
            CASE WHEN NOT stands THEN getvariable('weight')['veto'] END AS w_veto
        FROM spoken
    )
    SELECT *,
        coalesce(likeness, getvariable('prior_weight') + coalesce(w_linkedin, 0)
            + coalesce(w_personal_email, 0) + coalesce(w_phone, 0) + coalesce(w_work_email, 0)
            + coalesce(w_employer, 0) + coalesce(w_name, 0)) + coalesce(w_veto, 0) AS own_weight
    FROM weighted;

CREATE OR REPLACE TEMP TABLE pair_compared AS
WITH compared AS (
    SELECT
        d.*,
        CASE
            WHEN list_has_any(c.firsts, p.firsts) THEN 'same'
            WHEN list_has_any(c.nicknames, p.firsts) THEN
                CASE WHEN list_has_any(list_concat(c.firsts, p.firsts), getvariable('shared_nicknames'))
                    THEN 'either' ELSE 'nickname' END
            WHEN initials_agree(c.first_initials, p.firsts, p.first_initials)
                OR initials_agree(p.first_initials, c.firsts, c.first_initials) THEN 'initial'
            WHEN jaro_winkler_similarity(c.first_key, p.first_key) >= 0.92 THEN 'spelling'
            WHEN c.first_key IS NULL OR p.first_key IS NULL THEN 'missing'
            ELSE 'other'
        END AS first_agrees,
        CASE
            WHEN c.last_key = p.last_key THEN 'same'
            WHEN list_has_any(c.last_parts, p.last_parts) THEN 'part'
            WHEN jaro_winkler_similarity(c.last_key, p.last_key) >= 0.94 THEN 'spelling'
            WHEN c.last_key IS NULL OR p.last_key IS NULL THEN 'missing'
            ELSE 'other'
        END AS last_agrees,
        middles_differ(c.suffix, p.suffix, c.middles, p.middles) AS other_middle,
        NOT d.by_linkedin AND pages_differ(c.slug, p.slugs) AS other_linkedin,
        coalesce(c.city_key = p.city_key, FALSE) AS same_city
    FROM candidate d
    JOIN contact_person c USING (contact_id)
    JOIN profile_person p USING (source, profile_id)
)
SELECT
    *,
    CASE
        WHEN 'missing' IN (first_agrees, last_agrees) THEN 'missing'
        WHEN first_agrees = 'same' AND last_agrees = 'same' THEN 'same'
        WHEN first_agrees <> 'other' AND last_agrees <> 'other' THEN 'close'
        WHEN first_agrees = 'same' THEN 'first_only'
        ELSE 'other'
    END AS name_agrees,
    NULL::DOUBLE AS likeness,
    NULL::STRUCT(field VARCHAR, level VARCHAR, weight DOUBLE)[] AS factors
FROM compared
WHERE by_linkedin OR personal_email IS NOT NULL OR work_email IS NOT NULL OR phone IS NOT NULL
    OR (first_agrees IN ('same', 'nickname', 'either', 'initial') AND last_agrees IN ('same', 'part'));

CREATE OR REPLACE TEMP TABLE pair AS FROM evidenced('pair_compared');

DROP TABLE pair_compared;
DROP TABLE candidate;
DROP TABLE crowded;
DROP TABLE contact_key;
DROP TABLE contact_name;
DROP TABLE wanted;
