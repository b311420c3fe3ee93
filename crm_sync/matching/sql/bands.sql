-- From pairs to matches: rivals, confidence, bands. See bands.py for the reasons.
--
-- Everything that compares pairs with one another is here, over all of them: a row of `pair` knows
-- nothing of its rivals, and may come from an earlier judgement.

-- Who else, of that name, holds what the contact's LinkedIn page does not bring: the page in the CRM
-- may be a namesake's. In another source only another page tells that it is somebody else.
CREATE OR REPLACE TEMP TABLE contested AS
WITH holder AS (
    SELECT contact_id, source, other_linkedin,
        coalesce(personal_email, phone) IS NOT NULL AS has_personal, work_email IS NOT NULL AS has_work
    FROM pair
    WHERE NOT by_linkedin AND name_agrees IN ('same', 'close')
        AND coalesce(personal_email, phone, work_email) IS NOT NULL
)
SELECT DISTINCT p.contact_id, p.source, p.profile_id
FROM pair p
JOIN holder h ON h.contact_id = p.contact_id AND (h.source = p.source OR h.other_linkedin)
WHERE p.e_linkedin
    AND (h.has_personal AND coalesce(p.personal_email, p.phone) IS NULL OR h.has_work AND p.work_email IS NULL);

-- Profiles that several contacts claim, and how strongly the first two of them do.
CREATE OR REPLACE TEMP TABLE shared_profile AS
SELECT source, profile_id, max(strength, 2) AS strongest
FROM pair WHERE stands
GROUP BY ALL HAVING count(*) > 1;

CREATE OR REPLACE TEMP TABLE weighed AS
WITH rivals AS (
    SELECT
        p.*,
        coalesce(n.profiles, 0) AS profiles_of_name,
        x.contact_id IS NOT NULL AS is_contested,
        p.strength < 4 AND coalesce(p.strength < s.strongest[1] OR p.strength = s.strongest[2], FALSE)
            AS is_claimed_as_well,
        max(strength) FILTER (stands) OVER of_contact AS best_strength,
        max(own_weight) FILTER (stands) OVER of_contact AS best_weight,
        coalesce(sum(odds_of(own_weight)) FILTER (stands) OVER of_contact, 0) AS odds_of_contact,
        count(*) FILTER (stands) OVER (PARTITION BY p.contact_id, p.source, strength) AS equals,
        count(*) FILTER (stands AND strength >= 1.5) OVER of_contact AS identified,
        count(*) FILTER (stands AND e_employer) OVER of_contact AS namesakes,
        count(*) FILTER (stands) OVER of_profile AS claimed_by,
        coalesce(sum(odds_of(own_weight)) FILTER (stands) OVER of_profile, 0) AS odds_of_profile
    FROM pair p
    LEFT JOIN same_name n USING (contact_id, source)
    LEFT JOIN contested x USING (contact_id, source, profile_id)
    LEFT JOIN shared_profile s USING (source, profile_id)
    WINDOW of_contact AS (PARTITION BY p.contact_id, p.source),
        of_profile AS (PARTITION BY p.source, p.profile_id)
),
settled AS (
    SELECT
        *,
        e_linkedin::INT + e_personal::INT
            + (e_work_email OR (e_employer AND namesakes = 1))::INT AS families,
        -- the one profile of that name is this one
        same_city AND profiles_of_name = 1 AND name_agrees = 'same' AND e_employer AND namesakes = 1 AND strength < 4 AS e_city,
        greatest(odds_of_contact - odds_of(own_weight), 0) AS odds_of_rivals,
        CASE
            WHEN other_linkedin THEN 'other_linkedin'
            WHEN NOT stands AND other_middle AND by_employer THEN 'other_middle_name'
            WHEN NOT stands AND name_agrees = 'missing' THEN 'name_missing'
            WHEN NOT stands THEN 'other_name'
            WHEN strength < best_strength THEN 'weaker'
            WHEN likeness IS NOT NULL AND own_weight < best_weight THEN 'weaker'
            WHEN equals > 1 AND likeness IS NULL THEN 'ambiguous'
            WHEN strength <= 1 AND claimed_by > 1 THEN 'claimed_twice'
        END AS set_aside
    FROM rivals
)
SELECT
    * EXCLUDE (odds_of_contact, best_weight),
    e_city AND families < 2 AS by_city_only,
    CASE WHEN e_city THEN getvariable('weight')['city'] END AS w_city,
    -- the share of what speaks for anybody that speaks for somebody else
    CASE WHEN stands THEN odds_of_rivals / (1 + odds_of_rivals + odds_of(own_weight)) ELSE 0 END
        AS runner_up,
    CASE WHEN stands THEN -log2(1 + odds_of_rivals) END AS w_rivals,
    CASE WHEN set_aside = 'claimed_twice'
        THEN -log2(1 + greatest(odds_of_profile - odds_of(own_weight), 0)) END AS w_claims,
    least(own_weight - log2(greatest(odds_of_rivals, odds_of(getvariable('prior_weight')))),
        getvariable('most_margin')) AS margin
FROM settled;

-- A match of one family, or of likeness alone, is as sure as such matches of its source were found
-- to be where a hidden key told the truth (see calibration.py).
CREATE OR REPLACE TEMP TABLE sure AS
WITH raw AS (
    SELECT *,
        own_weight + coalesce(w_city, 0) + coalesce(w_rivals, 0) + coalesce(w_claims, 0) AS raw_weight
    FROM weighed
)
SELECT
    r.*,
    CASE WHEN set_aside IS NULL AND NOT e_linkedin AND families + e_city::INT < 2 THEN
        (k.intercept + k.of_weight * own_weight + k.of_margin * margin) / ln(2) - raw_weight
    END AS w_calibration,
    k.sample AS calibrated_on
FROM raw r
LEFT JOIN calibration k USING (source);

CREATE OR REPLACE TEMP TABLE judged_pair AS
WITH confident AS (
    SELECT *, round(chance_of(raw_weight + coalesce(w_calibration, 0)), 4) AS confidence FROM sure
)
SELECT
    *,
    CASE
        WHEN set_aside IS NOT NULL THEN 'ignored'
        WHEN likeness IS NOT NULL THEN 'review'
        WHEN runner_up >= getvariable('most_runner_up') THEN 'review'
        WHEN e_linkedin AND named AND NOT is_contested THEN 'auto'
        WHEN e_linkedin OR is_claimed_as_well THEN 'review'
        WHEN surely_named AND identified <= 1 AND families + e_city::INT >= 2 THEN 'auto'
        ELSE 'review'
    END AS band,
    CASE
        WHEN stands THEN array_to_string(list_sort(list_filter([
            CASE WHEN e_linkedin THEN 'linkedin' END,
            CASE WHEN e_personal THEN CASE WHEN personal_email IS NOT NULL THEN 'personal_email' ELSE 'phone' END END,
            CASE WHEN e_work_email THEN 'work_email' WHEN e_employer THEN 'name_company' END,
            CASE WHEN e_city THEN 'location' END,
            CASE WHEN likeness IS NOT NULL THEN 'probabilistic' END
        ], lambda r: r IS NOT NULL)), '+')
        WHEN by_linkedin THEN 'linkedin'
        WHEN coalesce(personal_email, work_email) IS NOT NULL THEN 'email'
        WHEN phone IS NOT NULL THEN 'phone'
        ELSE 'name_company'
    END AS rule
FROM confident
-- Likeness that does not single out one person is no candidate, and nobody need read of it.
WHERE likeness IS NULL OR (set_aside IS NULL
    AND runner_up < getvariable('most_runner_up') AND confidence >= getvariable('least_likely'));

DROP TABLE contested;
DROP TABLE shared_profile;
