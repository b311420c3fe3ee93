-- Scored pairs as rows of `pair`. What vetoes a match by key vetoes one by likeness too.
CREATE OR REPLACE TEMP TABLE tail_compared AS
SELECT
    s.left_id AS contact_id,
    getvariable('tail_source') AS source,
    s.right_id AS profile_id,
    FALSE AS by_linkedin,
    NULL::VARCHAR AS personal_email,
    NULL::VARCHAR AS work_email,
    NULL::VARCHAR AS phone,
    FALSE AS by_employer,
    'other' AS first_agrees,
    'other' AS last_agrees,
    FALSE AS other_middle,
    FALSE AS other_linkedin,
    FALSE AS same_city,
    'other' AS name_agrees,
    round(s.weight, 4) AS likeness,
    -- what the size of the source says, beside the prior of every match
    list_prepend({'field': 'source', 'level': 'size', 'weight':
        round(s.weight - list_sum(list_transform(s.factors, lambda f: f.weight))
            - getvariable('prior_weight'), 4)}, s.factors) AS factors
FROM pair_score s
JOIN contact_person c ON c.contact_id = s.left_id
JOIN profile_person p ON p.source = getvariable('tail_source') AND p.profile_id = s.right_id
WHERE NOT middles_differ(c.suffix, p.suffix, c.middles, p.middles)
    AND NOT pages_differ(c.slug, p.slugs);
