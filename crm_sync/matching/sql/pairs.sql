-- Contacts and profiles that share a key, with what speaks for and against each pair.

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

CREATE OR REPLACE TEMP TABLE pair AS
WITH compared AS (
    SELECT
        d.*,
        CASE
            WHEN list_has_any(c.firsts, p.firsts) THEN 'same'
            WHEN list_has_any(c.nicknames, p.firsts) THEN 'nickname'
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
        coalesce(c.suffix <> p.suffix, FALSE)
            OR (len(c.middles) > 0 AND len(p.middles) > 0 AND NOT list_has_any(c.middles, p.middles))
            AS other_middle,
        NOT d.by_linkedin AND c.slug IS NOT NULL AND NOT is_opaque_slug(c.slug)
            AND len(list_filter(p.slugs, lambda s: NOT is_opaque_slug(s))) > 0 AS other_linkedin,
        coalesce(c.city_key = p.city_key, FALSE) AND coalesce(s.profiles, 0) = 1 AS by_city
    FROM candidate d
    JOIN contact_person c USING (contact_id)
    JOIN profile_person p USING (source, profile_id)
    LEFT JOIN same_name s USING (contact_id, source)
)
SELECT
    *,
    CASE
        WHEN 'missing' IN (first_agrees, last_agrees) THEN 'missing'
        WHEN first_agrees = 'same' AND last_agrees = 'same' THEN 'same'
        WHEN first_agrees <> 'other' AND last_agrees <> 'other' THEN 'close'
        WHEN first_agrees = 'same' THEN 'first_only'
        ELSE 'other'
    END AS name_agrees
FROM compared
WHERE by_linkedin OR personal_email IS NOT NULL OR work_email IS NOT NULL OR phone IS NOT NULL
    OR (first_agrees IN ('same', 'nickname', 'initial') AND last_agrees IN ('same', 'part'));

DROP TABLE candidate;
DROP TABLE crowded;
DROP TABLE hit;
DROP TABLE contact_key;
DROP TABLE contact_name;
DROP TABLE wanted;
