-- From pairs to matches: families of evidence, rivals, bands. See bands.py for the reasons.

-- Which evidence counts. Addresses and numbers change hands, so the name has to agree; a LinkedIn
-- page belongs to one person, so a changed last name is only a reason to look.
CREATE OR REPLACE TEMP TABLE weighed AS
WITH counted AS (
    SELECT
        *,
        name_agrees IN ('same', 'close') AS named,
        by_linkedin AND name_agrees <> 'other' AS e_linkedin,
        coalesce(personal_email, phone) IS NOT NULL
            AND name_agrees IN ('same', 'close', 'first_only') AS e_personal,
        work_email IS NOT NULL AND name_agrees IN ('same', 'close') AS e_work_email,
        by_employer AND NOT other_middle
            AND first_agrees IN ('same', 'nickname', 'initial')
            AND last_agrees IN ('same', 'part') AS e_employer
    FROM pair
),
stood AS (
    SELECT
        *,
        NOT other_linkedin AND (e_linkedin OR e_personal OR e_work_email OR e_employer) AS stands,
        CASE
            WHEN e_linkedin THEN 4
            WHEN e_personal AND (e_work_email OR e_employer) THEN 3
            WHEN e_personal THEN 2
            WHEN e_work_email THEN 1.5
            WHEN e_employer THEN 1
            ELSE 0
        END AS strength
    FROM counted
),
rivals AS (
    SELECT
        *,
        max(strength) FILTER (stands) OVER (PARTITION BY contact_id, source) AS best_strength,
        count(*) FILTER (stands) OVER (PARTITION BY contact_id, source, strength) AS equals,
        count(*) FILTER (stands) OVER (PARTITION BY source, profile_id) AS claimed_by,
        count(*) FILTER (stands AND strength >= 1.5) OVER (PARTITION BY contact_id, source)
            AS identified,
        count(*) FILTER (stands AND e_employer) OVER (PARTITION BY contact_id, source) AS namesakes
    FROM stood
)
SELECT
    *,
    e_linkedin::INT + e_personal::INT
        + (e_work_email OR (e_employer AND namesakes = 1))::INT AS families,
    by_city AND e_employer AND namesakes = 1 AND strength < 4 AS e_city,
    CASE
        WHEN other_linkedin THEN 'other_linkedin'
        WHEN NOT stands AND other_middle AND by_employer THEN 'other_middle_name'
        WHEN NOT stands THEN 'other_name'
        WHEN strength < best_strength THEN 'weaker'
        WHEN equals > 1 THEN 'ambiguous'
        WHEN strength = 1 AND claimed_by > 1 THEN 'claimed_twice'
    END AS set_aside
FROM rivals;

CREATE OR REPLACE TEMP TABLE judged_pair AS
SELECT
    *,
    CASE
        WHEN set_aside IS NOT NULL THEN 'ignored'
        WHEN e_linkedin AND named THEN 'auto'
        WHEN e_linkedin THEN 'review'
        WHEN named AND identified <= 1 AND families + e_city::INT >= 2 THEN 'auto'
        ELSE 'review'
    END AS band,
    e_city AND families < 2 AS by_city_only,
    round(CASE
        WHEN set_aside IS NOT NULL AND NOT stands THEN getvariable('confidence_vetoed')
        ELSE least(getvariable('confidence_most'),
            (1 - (1 - e_linkedin::INT * getvariable('confidence_linkedin'))
               * (1 - e_personal::INT * getvariable('confidence_personal'))
               * (1 - CASE WHEN e_work_email THEN getvariable('confidence_work_email')
                           WHEN e_employer THEN getvariable('confidence_employer') ELSE 0 END)
               * (1 - e_city::INT * getvariable('confidence_city')))
            * CASE name_agrees WHEN 'same' THEN 1 WHEN 'close' THEN getvariable('confidence_close_name')
                ELSE getvariable('confidence_half_name') END)
            / CASE WHEN set_aside IN ('ambiguous', 'claimed_twice') THEN greatest(equals, claimed_by, 2)
                   WHEN set_aside = 'weaker' THEN 2 ELSE 1 END
    END, 4) AS confidence,
    CASE
        WHEN e_linkedin THEN 'linkedin'
        WHEN e_personal AND personal_email IS NOT NULL THEN 'personal_email'
        WHEN e_personal THEN 'phone'
        WHEN e_work_email THEN 'work_email'
        WHEN e_employer THEN 'name_company'
        WHEN by_linkedin THEN 'linkedin'
        WHEN coalesce(personal_email, work_email) IS NOT NULL THEN 'email'
        WHEN phone IS NOT NULL THEN 'phone'
        ELSE 'name_company'
    END AS rule
FROM weighed;
